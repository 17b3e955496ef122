#pragma once

#include <cstdint>
#include <iterator>
#include <sys/epoll.h>

#include "load/connection.hpp"

namespace bench::load {

/// Waits for the sockets of many clients at once.
class Poller {
 public:
  void add(const Connection& client, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{events, {}};
    event.data.u64 = tag;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, client.descriptor(), &event);
  }
  template <class F>
  void wait(std::int64_t ns, F&& on_event) {
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    const int count = epoll_pwait2(epoll_, events_, std::size(events_), &time, nullptr);
    for (int i = 0; i < count; ++i) on_event(events_[i].data.u64);
  }

 private:
  int epoll_ = epoll_create1(0);
  epoll_event events_[1024];
};

}  // namespace bench::load
