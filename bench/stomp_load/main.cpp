// Loads a STOMP broker from one thread and says what came of it, one figure a line.
//
//   stomp_load PORT PID stream [name=number ...]
//
// PID is the broker's process, whose CPU time is read. One publisher sends to /topic/bench, and
// `subscribers` hear it: `size` octets each, with at most `window` messages on their way, or `rate`
// a second, for `seconds`. Each message carries its number and when it was due.

#include <algorithm>
#include <cstdio>
#include <deque>

#include "load/measure.hpp"
#include "load/options.hpp"
#include "load/poller.hpp"
#include "load/tally.hpp"
#include "stomp_load/client.hpp"

namespace bench::stomp {
namespace {

using namespace load;

constexpr std::string_view destination = "/topic/bench";

class Stream {
 public:
  explicit Stream(const Options& options)
      : window_(static_cast<std::uint64_t>(options.get("window", 4))),
        rate_(options.get("rate", 0)),
        duration_(options.get("seconds", 2) * 1'000'000'000),
        pid_(options.pid),
        publisher_(options.port),
        body_(static_cast<std::size_t>(options.get("size", 1024)), 'x') {
    tally_.add_topic();
    publisher_.log_in();
    poller_.add(publisher_, EPOLLIN | EPOLLOUT | EPOLLET, of_publisher);
    head_ = "SEND\ndestination:" + std::string(destination) +
            "\ncontent-length:" + std::to_string(body_.size()) + "\n\n";
    for (long i = 0; i < options.get("subscribers", 1); ++i) {
      Subscriber& subscriber = subscribers_.emplace_back(options.port, tally_.nothing_heard());
      subscriber.client.log_in();
      subscriber.client.subscribe(destination);
      tally_.add_subscriber(0);
      poller_.add(subscriber.client, EPOLLIN, static_cast<std::uint64_t>(i));
    }
  }

  void run() {
    constexpr std::int64_t silence_max = 2'000'000'000;
    const Stretch stretch(pid_);
    const std::int64_t end = stretch.began() + duration_;
    due_ = stretch.began();
    tally_.begin(due_);
    for (;;) {
      const std::int64_t now = now_ns();
      if (now < end) {
        send(now);
      } else if (tally_.missing() == 0 ||
                 now - std::max(tally_.last_arrival(), end) > silence_max) {
        break;
      }
      poller_.wait(pause(now, end), [this](std::uint64_t tag) {
        if (tag == of_publisher) {
          publisher_.receive([](std::string_view, std::string_view) {});
          publisher_.flush();
        } else {
          hear(subscribers_[tag]);
        }
      });
    }
    stretch.print_until(tally_.last_arrival(), static_cast<double>(tally_.arrived()));
    tally_.print_all();
  }

 private:
  static constexpr std::uint64_t of_publisher = std::uint64_t{1} << 32;

  struct Subscriber {
    Subscriber(int port, Tally::Heard nothing) : client(port), heard(std::move(nothing)) {}
    Client client;
    Tally::Heard heard;
  };

  bool may_send(std::int64_t now) const {
    return rate_ != 0 ? due_ <= now : tally_.sent(0) - tally_.complete(0) < window_;
  }

  void send(std::int64_t now) {
    while (may_send(now)) {
      const Tally::Mark mark = tally_.send(0, rate_ != 0 ? due_ : now);
      std::memcpy(body_.data(), &mark, sizeof mark);
      publisher_.out() += head_;
      publisher_.out() += body_;
      publisher_.out() += '\0';
      if (rate_ != 0) due_ += 1'000'000'000 / rate_;
    }
    publisher_.flush();
  }

  // How long nothing need be done unless a socket says so.
  std::int64_t pause(std::int64_t now, std::int64_t end) const {
    if (now >= end) return 10'000'000;
    if (rate_ != 0) return std::clamp<std::int64_t>(due_ - now, 0, end - now);
    return end - now;
  }

  void hear(Subscriber& subscriber) {
    const std::int64_t now = now_ns();
    subscriber.client.receive([&](std::string_view command, std::string_view body) {
      if (command == "MESSAGE") tally_.hear(subscriber.heard, body, now);
    });
  }

  std::uint64_t window_;  // messages that not all have heard
  long rate_;             // messages a second; 0: as the window says
  std::int64_t duration_;
  int pid_;
  Poller poller_;
  Client publisher_;
  std::deque<Subscriber> subscribers_;
  std::string head_;
  std::string body_;
  std::int64_t due_ = 0;
  Tally tally_;
};

}  // namespace
}  // namespace bench::stomp

int main(int argc, char** argv) {
  if (argc < 4 || std::string_view(argv[3]) != "stream") {
    std::fprintf(stderr, "usage: stomp_load PORT PID stream [name=number ...]\n");
    return 2;
  }
  bench::load::prepare_process();
  bench::stomp::Stream(bench::load::parse_options(argc, argv)).run();
}
