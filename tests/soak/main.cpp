// Publishers and subscribers of events under bad conditions, for a while: subscribers come and go,
// ask for little or much, fall behind, and are cut off; each must have heard exactly what a naive
// model says, in order, or have been told what it lost.
//
//   event_soak STOMP-PORT [name=number ...]
//
//   seconds 10   publishers 50   subscribers 200   rate 1000 (events a second, of all)
//   size 2000 (octets of an event, at most)
//   stall 100 (milliseconds that a stalled connection stands still, about)   seed 1
//
// Prints what it found; the exit status is 1 if anything was wrong.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "doctor/client/client.hpp"
#include "listener.hpp"
#include "proxy.hpp"

namespace soak {
namespace {

using namespace doctor::client;
using namespace std::chrono_literals;

struct Settings {
  std::uint16_t port = 0;
  long seconds = 10;
  std::size_t publishers = 50;
  std::size_t subscribers = 200;
  long rate = 1000;
  std::size_t size = 2000;
  long stall = 100;
  std::uint64_t seed = 1;
};

constexpr std::size_t listeners_of_a_line = 5;
constexpr std::size_t lines_of_a_proxy = 8;

class Soak {
 public:
  explicit Soak(const Settings& settings)
      : settings_(settings), random_(settings.seed), log_(settings.publishers) {
    for (std::size_t i = 0; i < settings.publishers; ++i) {
      publishers_.push_back(open(settings.port, {}));
    }
    const std::size_t lines = settings.subscribers / listeners_of_a_line;
    for (std::size_t i = 0; i < lines; ++i) {
      if (i % lines_of_a_proxy == 0) proxies_.push_back(std::make_unique<Proxy>(settings.port));
      Place place;
      if (chance(2)) {  // the server filters
        place.filter = random_ids(4);
        place.filter.push_back("*|doctor|overflow|*");
      }
      place.proxy = proxies_.size() - 1;
      place.line = std::make_shared<Line>(open(proxies_.back()->port(), place.filter), findings_);
      place.line->start();
      for (std::size_t k = 0; k < listeners_of_a_line; ++k)
        place.listeners.push_back(listen(place));
      places_.push_back(std::move(place));
    }
  }

  // A client knows its subscribers, which know it: closing it parts them.
  ~Soak() {
    for (const Place& place : places_) place.line->client().close();
  }
  Soak(const Soak&) = delete;
  Soak& operator=(const Soak&) = delete;

  void run() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(settings_.seconds);
    const auto pause = std::chrono::microseconds(1'000'000 / settings_.rate);
    const auto moments_of_a_stall =
        static_cast<std::size_t>(std::max(1L, settings_.stall * settings_.rate / 1'000));
    auto due = std::chrono::steady_clock::now();
    stall(true);  // one at least, in every run
    while (due < end) {
      std::this_thread::sleep_until(due += pause);
      publish();
      if (chance(3)) demand();
      if (chance(40)) replace_a_listener();
      if (chance(300)) stall(true);
      if (chance(moments_of_a_stall)) stall(false);
      if (chance(1'000)) cut();
    }
    settle();
  }

  bool report() {
    std::printf("%zu events published, %llu delivered to %llu subscriptions, %llu outages\n",
                published(), value(findings_.events), value(findings_.subscriptions),
                value(findings_.outages));
    std::printf("%llu dropped by full buffers, %llu by the server, all of them told\n",
                value(findings_.dropped), value(findings_.dropped_by_peer));
    const std::lock_guard lock(findings_.mutex);
    for (const std::string& fault : findings_.faults) std::printf("FAULT: %s\n", fault.c_str());
    return findings_.faults.empty();
  }

 private:
  struct Place {
    std::size_t proxy = 0;
    std::vector<std::string> filter;  // ids within which its listeners stay; empty: any
    std::shared_ptr<Line> line;
    std::vector<std::shared_ptr<Listener>> listeners;
  };

  static unsigned long long value(const std::atomic<std::uint64_t>& number) { return number; }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class T>
  T& any(std::vector<T>& all) {
    return all[below(all.size())];
  }

  Client open(std::uint16_t port, std::vector<std::string> filter) {
    Options options;
    options.host = "127.0.0.1";
    options.port = port;
    options.event_filter = std::move(filter);
    options.back_off_first = 20ms;
    options.back_off_max = 200ms;
    auto client = Client::open(options, runtime_);
    if (!client) {
      std::fprintf(stderr, "event_soak: %s\n", client.error().message.c_str());
      std::exit(2);
    }
    return std::move(*client);
  }

  EventName random_event() {
    return {"c" + std::to_string(below(3)), "o" + std::to_string(below(4)),
            "u" + std::to_string(below(10))};
  }
  std::vector<std::string> random_ids(std::size_t most) {
    std::vector<std::string> ids(1 + below(most));
    for (std::string& id : ids) {
      const EventName event = random_event();
      const std::size_t kept = 1 + below(7);  // which parts are not any
      id = "*";
      for (std::size_t i = 0; i < event.size(); ++i) {
        id += "|" + ((kept >> i & 1) != 0 ? event[i] : std::string("*"));
      }
    }
    return ids;
  }

  std::shared_ptr<Listener> listen(const Place& place) {
    std::vector<std::string> ids = random_ids(3);
    if (!place.filter.empty()) {
      ids = {place.filter[below(place.filter.size() - 1)]};  // but for the last, the notices
    }
    const auto listener = std::make_shared<Listener>(log_, findings_, place.line, ids);
    SubscriptionOptions options;
    options.max_events = chance(3) ? 1 + below(50) : 10'000;
    options.overflow = chance(4) ? Overflow::pause : Overflow::drop_oldest;
    auto events = place.line->client().events(ids, options);
    if (!events) {
      findings_.fault("events: " + events.error().message);
      return listener;
    }
    (*events)->subscribe(listener);
    listener->request(static_cast<std::int64_t>(1 + below(1'000)));
    return listener;
  }

  void publish() {
    const std::size_t publisher = below(publishers_.size());
    const EventName event = random_event();
    const std::size_t number = log_.add(publisher, event);
    const std::string params = "{\"publisher\":" + std::to_string(publisher) +
                               ",\"number\":" + std::to_string(number) + ",\"text\":\"" +
                               std::string(below(settings_.size), 'x') + "\"}";
    const auto done = publishers_[publisher].publish(event[0], event[1], event[2], params);
    if (!done) findings_.fault("publish: " + done.error().message);
  }

  void demand() {
    any(any(places_).listeners)->request(static_cast<std::int64_t>(1 + below(2'000)));
  }

  void replace_a_listener() {
    Place& place = any(places_);
    std::shared_ptr<Listener>& listener = any(place.listeners);
    listener->cancel();
    gone_.push_back(std::exchange(listener, listen(place)));
  }

  void stall(bool on) { any(proxies_)->stall(on); }

  void cut() {
    const std::size_t proxy = below(proxies_.size());
    for (const Place& place : places_) {
      if (place.proxy == proxy) place.line->cut_begins();
    }
    proxies_[proxy]->cut();
  }

  // Nobody publishes any more, everyone is well and asks for everything: then all that is left must
  // come.
  void settle() {
    for (const auto& proxy : proxies_) proxy->stall(false);
    for (const Place& place : places_) {
      for (const auto& listener : place.listeners) listener->request(1'000'000'000);
    }
    for (Client& publisher : publishers_) publisher.call("Host.ping").wait();
    for (const Place& place : places_) {
      for (int i = 0; i < 600 && !place.line->is_whole(); ++i) std::this_thread::sleep_for(50ms);
      if (!place.line->is_whole()) findings_.fault("a connection did not come back");
      place.line->client().call("Host.ping").wait();
    }
    std::this_thread::sleep_for(500ms);  // signals follow on other threads
    const std::vector<std::size_t> sizes = log_.sizes();
    for (const auto& listener : gone_) listener->judge({});
    for (const Place& place : places_) {
      for (const auto& listener : place.listeners) listener->judge(sizes);
    }
  }

  std::size_t published() const {
    std::size_t total = 0;
    for (const std::size_t size : log_.sizes()) total += size;
    return total;
  }

  const Settings settings_;
  std::mt19937_64 random_;
  Log log_;
  Findings findings_;
  std::shared_ptr<Runtime> runtime_ = Runtime::make(2);
  std::vector<std::unique_ptr<Proxy>> proxies_;
  std::vector<Client> publishers_;
  std::vector<Place> places_;
  std::vector<std::shared_ptr<Listener>> gone_;
};

Settings parse(int argc, char** argv) {
  std::map<std::string, std::string, std::less<>> given;
  for (int i = 2; i < argc; ++i) {
    const std::string_view setting = argv[i];
    const auto name = setting.substr(0, setting.find('='));
    given[std::string(name)] = setting.substr(std::min(setting.size(), name.size() + 1));
  }
  const auto get = [&given](std::string_view name, auto otherwise) {
    const auto found = given.find(name);
    if (found == given.end()) return otherwise;
    return static_cast<decltype(otherwise)>(std::stoull(found->second));
  };
  Settings settings;
  settings.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  settings.seconds = get("seconds", settings.seconds);
  settings.publishers = get("publishers", settings.publishers);
  settings.subscribers = get("subscribers", settings.subscribers);
  settings.rate = get("rate", settings.rate);
  settings.size = get("size", settings.size);
  settings.stall = get("stall", settings.stall);
  settings.seed = get("seed", settings.seed);
  return settings;
}

}  // namespace
}  // namespace soak

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: event_soak STOMP-PORT [name=number ...]\n");
    return 2;
  }
  soak::Soak soak(soak::parse(argc, argv));
  soak.run();
  return soak.report() ? 0 : 1;
}
