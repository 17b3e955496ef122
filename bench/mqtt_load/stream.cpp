#include <algorithm>
#include <deque>
#include <vector>

#include "load/measure.hpp"
#include "load/poller.hpp"
#include "load/tally.hpp"
#include "mqtt_load/client.hpp"
#include "mqtt_load/modes.hpp"

namespace bench::mqtt {

using namespace load;
namespace {

class Stream {
 public:
  explicit Stream(const Options& options)
      : version_(static_cast<int>(options.get("version", 4))),
        qos_(static_cast<int>(options.get("qos", 0))),
        window_(static_cast<std::uint64_t>(options.get("window", 0))),
        rate_(options.get("rate", 0)),
        session_(options.get("persistent", 0) != 0 ? Session::persistent : Session::clean),
        duration_(options.get("seconds", 2) * 1'000'000'000),
        pid_(options.pid) {
    const long topics = options.get("topics", 1);
    const long stalled = options.get("stalled", 0);
    subscribe_others(options);
    const bool gather = options.get("gather", 0) != 0;
    for (long i = 0; i < topics; ++i) {
      const std::string name = "bench/topic/" + std::to_string(i);
      Topic& topic = topics_.emplace_back(
          options.port, PublishTemplate(version_, name, qos_, false,
                                        static_cast<std::size_t>(options.get("size", 64))));
      tally_.add_topic();
      log_in(topic.client, options.port, "publisher" + std::to_string(i));
      poller_.add(topic.client, EPOLLIN | EPOLLOUT | EPOLLET, topics_.size() - 1);
    }
    for (long i = 0; i < options.get("subscribers", 1); ++i) {
      Subscriber& subscriber = subscribers_.emplace_back(options.port, tally_.nothing_heard());
      const std::string filter[] = {"bench/topic/" + (gather ? "+" : std::to_string(i % topics))};
      log_in(subscriber.client, options.port, "subscriber" + std::to_string(i));
      subscriber.client.ask(subscribe_packet(version_, filter, qos_), suback);
      if (i < stalled) continue;  // it never reads again
      for (long topic = 0; topic < topics; ++topic) {
        if (gather || topic == i % topics) tally_.add_subscriber(static_cast<std::size_t>(topic));
      }
      poller_.add(subscriber.client, EPOLLIN, is_subscriber | (subscribers_.size() - 1));
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
        for (std::size_t i = 0; i < topics_.size(); ++i) send(i, now);
        if (rate_ != 0 && due_ <= now) due_ += 1'000'000'000 / rate_;
      } else if (all_arrived() || now - std::max(tally_.last_arrival(), end) > silence_max) {
        break;
      }
      poller_.wait(pause(now, end), [this](std::uint64_t tag) {
        if ((tag & is_subscriber) != 0) {
          hear(subscribers_[tag & ~is_subscriber]);
        } else {
          attend(topics_[tag]);
        }
      });
    }
    stretch.print_until(tally_.last_arrival(), static_cast<double>(tally_.arrived()));
    tally_.print_all();
  }

 private:
  static constexpr std::uint64_t is_subscriber = std::uint64_t{1} << 32;
  static constexpr std::size_t piece = 64u << 10;

  struct Topic {
    Topic(int port, PublishTemplate t) : client(port), message(std::move(t)) {}
    Client client;
    PublishTemplate message;
    std::uint64_t acknowledged = 0;  // at QoS 1 and 2
  };
  struct Subscriber {
    Subscriber(int port, Tally::Heard nothing) : client(port), heard(std::move(nothing)) {}
    Client client;
    Tally::Heard heard;
  };

  // A persistent session begins without what it kept from an earlier round.
  void log_in(Client& client, int port, const std::string& name) const {
    if (session_ == Session::persistent) {
      Client(port).ask(connect_packet(version_, name), connack);
    }
    client.ask(connect_packet(version_, name, {}, session_), connack);
  }

  // Subscriptions that match nothing, half of them with wildcards.
  void subscribe_others(const Options& options) {
    constexpr long of_one_client = 1000;
    for (long first = 0; first < options.get("others", 0); first += of_one_client) {
      Client& client = others_.emplace_back(options.port);
      std::vector<std::string> filters;
      for (long i = first; i < first + of_one_client; ++i) {
        filters.push_back("bench/" + std::to_string(i) + (i % 2 == 0 ? "/topic" : "/+"));
      }
      client.ask(connect_packet(version_, "other" + std::to_string(first)), connack);
      client.ask(subscribe_packet(version_, filters, 0), suback);
    }
  }

  bool may_publish(std::size_t index, std::int64_t now) const {
    const Topic& topic = topics_[index];
    if (topic.client.out().size() >= piece) return false;
    if (rate_ != 0) return due_ <= now;
    if (window_ == 0) return true;
    const std::uint64_t done =
        qos_ == 0 ? tally_.complete(index) : std::min(tally_.complete(index), topic.acknowledged);
    return tally_.sent(index) - done < window_;
  }

  void send(std::size_t index, std::int64_t now) {
    Topic& topic = topics_[index];
    while (may_publish(index, now)) {
      std::string& out = topic.client.out();
      out += topic.message.octets;
      char* const end = out.data() + out.size();
      if (qos_ != 0) {
        const auto id = static_cast<unsigned>(1 + tally_.sent(index) % 65'535);
        end[-static_cast<std::ptrdiff_t>(topic.message.id_from_end)] = static_cast<char>(id >> 8);
        end[1 - static_cast<std::ptrdiff_t>(topic.message.id_from_end)] = static_cast<char>(id);
      }
      const Tally::Mark mark = tally_.send(index, rate_ != 0 ? due_ : now);
      std::memcpy(end - topic.message.payload_from_end, &mark, sizeof mark);
      if (rate_ != 0) break;
    }
    topic.client.flush();
  }

  // How long nothing need be done unless a socket says so.
  std::int64_t pause(std::int64_t now, std::int64_t end) const {
    if (now >= end) return 10'000'000;
    if (rate_ != 0) return std::clamp<std::int64_t>(due_ - now, 0, end - now);
    const bool ready = window_ == 0 && std::any_of(topics_.begin(), topics_.end(),
                                                   [](auto& t) { return !t.client.blocked(); });
    return ready ? 0 : end - now;
  }

  void attend(Topic& topic) {
    const auto on_packet = [&](std::uint8_t first, std::string_view body) {
      if (first >> 4 == puback || first >> 4 == pubcomp) ++topic.acknowledged;
      if (first >> 4 == pubrec) {
        topic.client.out() += packet(0x62, body.substr(0, 2));
      }
    };
    while (topic.client.receive(on_packet)) {
    }
    topic.client.flush();
  }

  void hear(Subscriber& subscriber) {
    const std::int64_t now = now_ns();
    subscriber.client.receive([&](std::uint8_t first, std::string_view body) {
      if (first >> 4 == pubrel) {
        subscriber.client.out() += packet(0x70, body.substr(0, 2));
      }
      if (first >> 4 != publish) return;
      std::uint16_t id = 0;
      const int qos = first >> 1 & 3;
      const std::string_view payload = payload_of(version_, qos, body, id);
      tally_.hear(subscriber.heard, payload, now);
      if (qos == 0) return;
      const char answer[] = {static_cast<char>(qos == 1 ? 0x40 : 0x50), 2,
                             static_cast<char>(id >> 8), static_cast<char>(id)};
      subscriber.client.out().append(answer, sizeof answer);
    });
    subscriber.client.flush();
  }

  bool all_arrived() const {
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      if (qos_ != 0 && topics_[i].acknowledged < tally_.sent(i)) return false;
    }
    return tally_.missing() == 0;
  }

  int version_;
  int qos_;
  // Messages of a topic that not all have heard; 0: as many as the socket takes.
  std::uint64_t window_;
  long rate_;  // messages a second of each topic; 0: as the window says
  Session session_;
  std::int64_t duration_;
  int pid_;

  Poller poller_;
  std::deque<Client> others_;
  std::deque<Topic> topics_;
  std::deque<Subscriber> subscribers_;

  std::int64_t due_ = 0;
  Tally tally_;
};

}  // namespace

void stream(const Options& options) {
  Stream(options).run();
}

}  // namespace bench::mqtt
