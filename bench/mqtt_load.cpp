// Loads an MQTT broker from one thread and says what came of it, one figure a line.
//
//   mqtt_load PORT PID MODE [name=number ...]
//
// PID is the broker's process, whose CPU time and memory are read. The modes:
//
//   probe    what the broker's CONNACK (5.0) says it serves
//   stream   messages from publishers, one for each topic, to subscribers, each of one topic or of
//            all (gather=1); each message carries its topic, its number in it and when it was due,
//            so that none is lost or comes twice unseen
//   idle     clients that connect at once and then keep silent
//   retained messages that are kept, then a subscription that matches them all
//   hear     subscribers that log in as the sessions "bench-0", "bench-1", ... and hear what others
//            cause; prints "ready" when it may begin

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <vector>

#include "mqtt_client.hpp"

namespace {

namespace mqtt = bench::mqtt;
using mqtt::Client;

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

struct Options {
  int port = 0;
  int pid = 0;
  std::map<std::string, long, std::less<>> numbers;

  long get(std::string_view name, long otherwise) const {
    const auto found = numbers.find(name);
    return found == numbers.end() ? otherwise : found->second;
  }
};

void print(const char* name, double value) {
  std::printf("%s %.3f\n", name, value);
}

// CPU nanoseconds of all threads of the broker.
double broker_cpu(int pid) {
  double total = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    double spent = 0;
    std::ifstream(task.path() / "schedstat") >> spent;
    total += spent;
  }
  return total;
}

double broker_memory_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string name; status >> name;) {
    if (name != "VmRSS:") continue;
    double kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) {
    return 1e9 * static_cast<double>(t.tv_sec) + 1e3 * static_cast<double>(t.tv_usec);
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

// What a stretch of the run cost both sides. A load generator that is busy all the time measures
// itself: its share is printed, so that one can see.
class Stretch {
 public:
  explicit Stretch(int pid)
      : pid_(pid), began_(now_ns()), broker_(broker_cpu(pid)), own_(own_cpu()) {}

  std::int64_t began() const { return began_; }
  void print_until(std::int64_t end, double count) const {
    const auto ns = static_cast<double>(end - began_);
    const double broker = broker_cpu(pid_) - broker_;
    print("per_second", count * 1e9 / ns);
    print("per_cpu_second", broker > 0 ? count * 1e9 / broker : 0);
    print("broker_share", broker / ns);
    print("load_share", (own_cpu() - own_) / ns);
  }

 private:
  int pid_;
  std::int64_t began_;
  double broker_;
  double own_;
};

class Poller {
 public:
  void add(Client& client, std::uint32_t events, std::uint64_t tag) {
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

class Stream {
 public:
  explicit Stream(const Options& options)
      : version_(static_cast<int>(options.get("version", 4))),
        qos_(static_cast<int>(options.get("qos", 0))),
        window_(static_cast<std::uint64_t>(options.get("window", 0))),
        rate_(options.get("rate", 0)),
        duration_(options.get("seconds", 2) * 1'000'000'000),
        pid_(options.pid) {
    const long topics = options.get("topics", 1);
    const long stalled = options.get("stalled", 0);
    subscribe_others(options);
    const bool gather = options.get("gather", 0) != 0;
    for (long i = 0; i < topics; ++i) {
      const std::string name = "bench/topic/" + std::to_string(i);
      Topic& topic = topics_.emplace_back(
          options.port, mqtt::PublishTemplate(version_, name, qos_, false,
                                              static_cast<std::size_t>(options.get("size", 64))));
      topic.client.ask(mqtt::connect_packet(version_, "publisher" + std::to_string(i)),
                       mqtt::connack);
      poller_.add(topic.client, EPOLLIN | EPOLLOUT | EPOLLET, topics_.size() - 1);
    }
    for (long i = 0; i < options.get("subscribers", 1); ++i) {
      Subscriber& subscriber = subscribers_.emplace_back(options.port, topics_.size());
      const std::string filter[] = {"bench/topic/" + (gather ? "+" : std::to_string(i % topics))};
      subscriber.client.ask(mqtt::connect_packet(version_, "subscriber" + std::to_string(i)),
                            mqtt::connack);
      subscriber.client.ask(mqtt::subscribe_packet(version_, filter, qos_), mqtt::suback);
      if (i < stalled) continue;  // it never reads again
      for (long topic = 0; topic < topics; ++topic) {
        if (gather || topic == i % topics) ++topics_[static_cast<std::size_t>(topic)].subscribers;
      }
      poller_.add(subscriber.client, EPOLLIN, is_subscriber | (subscribers_.size() - 1));
    }
    latencies_.reserve(latencies_max);
  }

  void run() {
    constexpr std::int64_t silence_max = 2'000'000'000;
    const Stretch stretch(pid_);
    const std::int64_t end = stretch.began() + duration_;
    due_ = last_arrival_ = stretch.began();
    for (;;) {
      const std::int64_t now = now_ns();
      if (now < end) {
        for (std::size_t i = 0; i < topics_.size(); ++i) publish(i, now);
        if (rate_ != 0 && due_ <= now) due_ += 1'000'000'000 / rate_;
      } else if (all_arrived() || now - std::max(last_arrival_, end) > silence_max) {
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
    stretch.print_until(last_arrival_, static_cast<double>(arrived_));
    for (const Topic& topic : topics_) sent_ += topic.sent;
    print("sent", static_cast<double>(sent_));
    print("arrived", static_cast<double>(arrived_));
    print("lost", static_cast<double>(lost()));
    print("twice", static_cast<double>(twice_));
    print_latencies();
  }

 private:
  static constexpr std::uint64_t is_subscriber = std::uint64_t{1} << 32;
  static constexpr std::size_t ring = 1u << 16;  // messages of a topic on their way, at most
  static constexpr std::size_t piece = 64u << 10;
  static constexpr std::size_t latencies_max = 4'000'000;

  struct Mark {  // what a payload begins with
    std::uint64_t number;
    std::int64_t due;
    std::uint64_t topic;
  };
  struct Topic {
    Topic(int port, mqtt::PublishTemplate t) : client(port), message(std::move(t)), heard(ring) {}
    Client client;
    mqtt::PublishTemplate message;
    std::vector<std::uint32_t> heard;  // by how many, of each message on its way
    std::uint32_t subscribers = 0;
    std::uint64_t sent = 0;
    std::uint64_t complete = 0;      // messages that all have heard
    std::uint64_t acknowledged = 0;  // at QoS 1 and 2
  };
  struct Subscriber {
    Subscriber(int port, std::size_t topics) : client(port), next(topics) {}
    Client client;
    std::vector<std::uint64_t> next;  // by topic, the number that its next message has
  };

  // Subscriptions that match nothing, half of them with wildcards.
  void subscribe_others(const Options& options) {
    constexpr long of_one_client = 1000;
    for (long first = 0; first < options.get("others", 0); first += of_one_client) {
      Client& client = others_.emplace_back(options.port);
      std::vector<std::string> filters;
      for (long i = first; i < first + of_one_client; ++i) {
        filters.push_back("bench/" + std::to_string(i) + (i % 2 == 0 ? "/topic" : "/+"));
      }
      client.ask(mqtt::connect_packet(version_, "other" + std::to_string(first)), mqtt::connack);
      client.ask(mqtt::subscribe_packet(version_, filters, 0), mqtt::suback);
    }
  }

  bool may_publish(const Topic& topic, std::int64_t now) const {
    if (topic.client.out().size() >= piece) return false;
    if (rate_ != 0) return due_ <= now;
    if (window_ == 0) return true;
    const std::uint64_t done =
        qos_ == 0 ? topic.complete : std::min(topic.complete, topic.acknowledged);
    return topic.sent - done < window_;
  }

  void publish(std::size_t index, std::int64_t now) {
    Topic& topic = topics_[index];
    while (may_publish(topic, now)) {
      std::string& out = topic.client.out();
      out += topic.message.octets;
      char* const end = out.data() + out.size();
      if (qos_ != 0) {
        const auto id = static_cast<unsigned>(1 + topic.sent % 65'535);
        end[-static_cast<std::ptrdiff_t>(topic.message.id_from_end)] = static_cast<char>(id >> 8);
        end[1 - static_cast<std::ptrdiff_t>(topic.message.id_from_end)] = static_cast<char>(id);
      }
      const Mark mark{topic.sent, rate_ != 0 ? due_ : now, index};
      std::memcpy(end - topic.message.payload_from_end, &mark, sizeof mark);
      ++topic.sent;
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
      if (first >> 4 == mqtt::puback || first >> 4 == mqtt::pubcomp) ++topic.acknowledged;
      if (first >> 4 == mqtt::pubrec) {
        topic.client.out() += mqtt::packet(0x62, body.substr(0, 2));
      }
    };
    while (topic.client.receive(on_packet)) {
    }
    topic.client.flush();
  }

  void hear(Subscriber& subscriber) {
    const std::int64_t now = now_ns();
    subscriber.client.receive([&](std::uint8_t first, std::string_view body) {
      if (first >> 4 == mqtt::pubrel) {
        subscriber.client.out() += mqtt::packet(0x70, body.substr(0, 2));
      }
      if (first >> 4 != mqtt::publish) return;
      std::uint16_t id = 0;
      const int qos = first >> 1 & 3;
      const std::string_view payload = mqtt::payload_of(version_, qos, body, id);
      count(subscriber, payload, now);
      if (qos == 0) return;
      const char answer[] = {static_cast<char>(qos == 1 ? 0x40 : 0x50), 2,
                             static_cast<char>(id >> 8), static_cast<char>(id)};
      subscriber.client.out().append(answer, sizeof answer);
    });
    subscriber.client.flush();
  }

  void count(Subscriber& subscriber, std::string_view payload, std::int64_t now) {
    Mark mark{};
    std::memcpy(&mark, payload.data(), sizeof mark);
    last_arrival_ = now;
    std::uint64_t& next = subscriber.next[mark.topic];
    if (mark.number < next) {
      ++twice_;
      return;
    }
    ++arrived_;
    if (latencies_.size() < latencies_max) latencies_.push_back(now - mark.due);
    skipped_ += mark.number - next;
    Topic& topic = topics_[mark.topic];
    for (; next <= mark.number; ++next) ++topic.heard[next % ring];
    while (topic.complete < topic.sent && topic.heard[topic.complete % ring] == topic.subscribers) {
      topic.heard[topic.complete++ % ring] = 0;
    }
  }

  bool all_arrived() const {
    return std::all_of(topics_.begin(), topics_.end(),
                       [this](const Topic& topic) {
                         return qos_ == 0 || topic.acknowledged >= topic.sent;
                       }) &&
           missing() == 0;
  }

  // Behind the last message that a subscriber has heard.
  std::uint64_t missing() const {
    std::uint64_t total = 0;
    for (const Topic& topic : topics_) total += topic.sent * topic.subscribers;
    return total - arrived_ - skipped_;
  }

  std::uint64_t lost() const { return skipped_ + missing(); }

  void print_latencies() {
    if (latencies_.empty()) return;
    for (const auto& [name, share] : {std::pair{"p50_us", 0.5}, {"p99_us", 0.99}}) {
      const auto place = latencies_.begin() + static_cast<std::ptrdiff_t>(
                                                  share * static_cast<double>(latencies_.size()));
      std::nth_element(latencies_.begin(), place, latencies_.end());
      print(name, static_cast<double>(*place) / 1e3);
    }
  }

  int version_;
  int qos_;
  std::uint64_t
      window_;  // messages of a topic that not all have heard; 0: as many as the socket takes
  long rate_;   // messages a second of each topic; 0: as the window says
  std::int64_t duration_;
  int pid_;

  Poller poller_;
  std::deque<Client> others_;
  std::deque<Topic> topics_;
  std::deque<Subscriber> subscribers_;

  std::int64_t due_ = 0;
  std::int64_t last_arrival_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t twice_ = 0;
  std::vector<std::int64_t> latencies_;
};

void stream(const Options& options) {
  Stream(options).run();
}

// What a 5.0 CONNACK tells by its properties Maximum QoS and Retain Available.
void probe(const Options& options) {
  Client client(options.port);
  const std::string body = client.ask(mqtt::connect_packet(5, "probe"), mqtt::connack);
  int maximum_qos = 2;
  int retain_available = 1;
  // Behind flags and reason a length of one octet: nobody says 128 octets of properties.
  for (std::size_t at = 3; at < body.size();) {
    const auto text = [&](std::size_t place) {
      return 2u + (static_cast<unsigned char>(body[place]) << 8 |
                   static_cast<unsigned char>(body[place + 1]));
    };
    switch (body[at++]) {
      case 0x24:
        maximum_qos = body[at++];
        break;
      case 0x25:
        retain_available = body[at++];
        break;
      case 0x28:
      case 0x29:
      case 0x2a:
        at += 1;
        break;
      case 0x13:
      case 0x21:
      case 0x22:
        at += 2;
        break;
      case 0x11:
      case 0x27:
        at += 4;
        break;
      case 0x26:
        at += text(at);
        [[fallthrough]];
      default:
        at += text(at);
    }
  }
  print("maximum_qos", maximum_qos);
  print("retain_available", retain_available);
}

// Clients of a server that has just come back: many knock before the first is let in.
void idle(const Options& options) {
  const auto count = static_cast<std::size_t>(options.get("clients", 10'000));
  const auto knocking = static_cast<std::size_t>(options.get("knocking", 500));
  std::deque<Client> clients;
  Poller poller;
  std::size_t welcome = 0;
  const double before = broker_memory_kib(options.pid);
  const Stretch stretch(options.pid);
  while (welcome < count) {
    while (clients.size() < count && clients.size() - welcome < knocking) {
      Client& client = clients.emplace_back(options.port);
      poller.add(client, EPOLLIN, clients.size() - 1);
      client.out() = mqtt::connect_packet(4, "idle-client-" + std::to_string(clients.size()));
      client.flush();
    }
    poller.wait(1'000'000'000, [&](std::uint64_t tag) {
      clients[tag].receive([&](std::uint8_t first, std::string_view) {
        if (first >> 4 == mqtt::connack) ++welcome;
      });
    });
  }
  const std::int64_t end = now_ns();
  print("seconds", static_cast<double>(end - stretch.began()) / 1e9);
  stretch.print_until(end, static_cast<double>(count));
  print("kib_per_client", (broker_memory_kib(options.pid) - before) / static_cast<double>(count));
}

void retained(const Options& options) {
  const long count = options.get("messages", 100'000);
  const double before = broker_memory_kib(options.pid);
  Client publisher(options.port);
  publisher.ask(mqtt::connect_packet(4, "publisher"), mqtt::connack);
  for (long i = 0; i < count; ++i) {
    const std::string topic = "bench/" + std::to_string(i % 1000) + "/" + std::to_string(i);
    const bool last = i + 1 == count;  // whose acknowledgement says that all have been taken
    mqtt::PublishTemplate message(4, topic, last ? 1 : 0, true, 64);
    if (last) message.octets[message.octets.size() - message.id_from_end + 1] = 1;
    publisher.out() += message.octets;
    if (last) publisher.ask({}, mqtt::puback);
  }
  print("kib_per_message", (broker_memory_kib(options.pid) - before) / static_cast<double>(count));
  Client subscriber(options.port);
  subscriber.ask(mqtt::connect_packet(4, "subscriber"), mqtt::connack);
  Poller poller;
  poller.add(subscriber, EPOLLIN, 0);
  const std::string filter[] = {"bench/#"};
  const Stretch stretch(options.pid);
  subscriber.out() = mqtt::subscribe_packet(4, filter, 0);
  subscriber.flush();
  for (long arrived = 0; arrived < count;) {
    poller.wait(1'000'000'000, [&](std::uint64_t) {
      subscriber.receive([&](std::uint8_t first, std::string_view) {
        if (first >> 4 == mqtt::publish) ++arrived;
      });
    });
  }
  const std::int64_t end = now_ns();
  print("ms", static_cast<double>(end - stretch.began()) / 1e6);
  stretch.print_until(end, static_cast<double>(count));
}

void hear(const Options& options) {
  const long count = options.get("subscribers", 100);
  const long expected = options.get("expected", 0);
  std::deque<Client> clients;
  Poller poller;
  for (long i = 0; i < count; ++i) {
    Client& client = clients.emplace_back(options.port);
    const std::string name = "bench-" + std::to_string(i);
    const std::string filter[] = {"#"};
    client.ask(mqtt::connect_packet(4, name, {"session", name}), mqtt::connack);
    client.ask(mqtt::subscribe_packet(4, filter, 0), mqtt::suback);
    poller.add(client, EPOLLIN, static_cast<std::uint64_t>(i));
  }
  std::printf("ready\n");
  std::fflush(stdout);
  const Stretch stretch(options.pid);
  long arrived = 0;
  std::int64_t first_arrival = 0;
  std::int64_t last_arrival = now_ns();
  constexpr std::int64_t silence_max = 10'000'000'000;
  while (arrived < expected && now_ns() - last_arrival < silence_max) {
    poller.wait(1'000'000'000, [&](std::uint64_t tag) {
      clients[tag].receive([&](std::uint8_t first, std::string_view) {
        if (first >> 4 == mqtt::publish) ++arrived;
      });
      last_arrival = now_ns();
      if (first_arrival == 0) first_arrival = last_arrival;
    });
  }
  print("arrived", static_cast<double>(arrived));
  print("from_first_to_last_ms", static_cast<double>(last_arrival - first_arrival) / 1e6);
  print("last_at_ns", static_cast<double>(last_arrival));
  stretch.print_until(last_arrival, static_cast<double>(arrived));
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, void (*)(const Options&)> modes = {
      {"probe", probe}, {"stream", stream}, {"idle", idle}, {"retained", retained}, {"hear", hear}};
  const auto mode = argc < 4 ? modes.end() : modes.find(argv[3]);
  if (mode == modes.end()) {
    std::fprintf(stderr, "usage: mqtt_load PORT PID MODE [name=number ...]\n");
    return 2;
  }
  Options options{std::atoi(argv[1]), std::atoi(argv[2]), {}};
  for (int i = 4; i < argc; ++i) {
    const std::string_view setting = argv[i];
    const auto name = setting.substr(0, setting.find('='));
    options.numbers[std::string(name)] = std::atol(argv[i] + name.size() + 1);
  }
  // Sleeps end when they should, and every client may have its socket.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  mode->second(options);
}
