#pragma once

#include <chrono>

#include <boost/intrusive/list.hpp>

#include "doctor/base/time.hpp"

namespace doctor::server {

/// A write that a socket has not taken at once. Belongs to one thread.
class SlowWrite : public boost::intrusive::list_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  SlowWrite() = default;
  SlowWrite(const SlowWrite&) = delete;
  SlowWrite& operator=(const SlowWrite&) = delete;

  /// Looks whether the peer has taken something of it. Destroys no SlowWrite.
  /// @return false once there is nothing to look at
  virtual bool look() = 0;

 protected:
  ~SlowWrite() = default;
};

/// Those of one service, looked at some times a second: a socket says that it can be written only
/// when much of it is free, which takes a slow reader long.
class SlowWrites {
 public:
  static constexpr std::chrono::milliseconds interval{500};

  /// From now on it is looked at, until it says that there is nothing to look at.
  void add(SlowWrite& write) {
    if (!write.is_linked()) writes_.push_back(write);
  }

  /// Looks at all if it is time to. Call it more often than that.
  void look(Clock::time_point now) {
    if (now < next_) return;
    next_ = now + interval;
    for (auto at = writes_.begin(); at != writes_.end();) {
      SlowWrite& write = *at;
      ++at;
      if (!write.look()) write.unlink();
    }
  }

 private:
  boost::intrusive::list<SlowWrite, boost::intrusive::constant_time_size<false>> writes_;
  Clock::time_point next_;
};

}  // namespace doctor::server
