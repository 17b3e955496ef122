#include "doctor/server/upstreams.hpp"

#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "doctor/base/log.hpp"
#include "doctor/client/client.hpp"
#include "doctor/server/listen_address.hpp"

namespace doctor::server {
namespace {

// Events of one host on their way to our own destinations; further ones wait in the client's
// buffer, which drops the oldest.
constexpr std::int64_t republished_at_a_time = 1'000;

client::Options options_of(const UpstreamSettings& settings, const Limits& limits,
                           std::function<void(std::string_view)> on_warning) {
  client::Options options;
  options.host = settings.host;
  options.port = settings.port;
  options.peer =
      settings.peer == UpstreamSettings::Peer::vdsm ? client::Peer::vdsm : client::Peer::doctor;
  if (settings.tls) {
    options.tls = client::TlsOptions{.ca = settings.tls->ca,
                                     .certificate = settings.tls->cert,
                                     .key = settings.tls->key,
                                     .check_name = settings.tls->check_peer_name,
                                     .name = {}};
  }
  if (settings.secret) {
    options.login = "connector";
    options.passcode = *settings.secret;
  }
  options.receiver = settings.name;
  options.event_destination = settings.event_destination;
  options.frame_max = limits.stomp_body;
  options.on_warning = std::move(on_warning);
  return options;
}

}  // namespace

/// One host, as the subscriber of its own events.
class Upstreams::Host final : public client::EventSubscriber,
                              public std::enable_shared_from_this<Host> {
 public:
  Host(UpstreamSettings settings, const Limits& limits, EventRules& rules, Republish republish)
      : settings_(std::move(settings)),
        limits_(limits),
        rules_(rules),
        republish_(std::move(republish)),
        calls_(rules.rules().refresh_calls(settings_.name)),
        asking_(calls_.size()) {}

  Result<void> connect(const std::shared_ptr<client::Runtime>& runtime) {
    if (settings_.secret && !settings_.tls && !is_loopback(settings_.host)) {
      log::warning("the secret of an upstream goes over the network without TLS",
                   {{"upstream", settings_.name}});
    }
    const auto warn = [this](std::string_view text) { warning(std::string(text)); };
    auto opened = client::Client::open(options_of(settings_, limits_, warn), runtime);
    if (!opened) {
      return invalid("the upstream " + settings_.name + ": " + opened.error().message);
    }
    client::SubscriptionOptions options;
    options.max_events = limits_.events_waiting;
    options.max_octets = limits_.events_waiting_bytes;
    auto events = opened->events({settings_.name + "|*|*|*"}, options);
    if (!events) return invalid("the upstream " + settings_.name + ": " + events.error().message);
    {
      const std::scoped_lock lock(mutex_);
      client_.emplace(std::move(*opened));
    }
    (*events)->subscribe(std::shared_ptr<client::EventSubscriber>(shared_from_this()));
    refresh();
    return {};
  }
  /// Signals may still come, until the threads have ended; they ask for nothing more.
  void close() {
    std::optional<client::Client> closed;
    const std::scoped_lock lock(mutex_);
    closed.swap(client_);
  }

  Figures figures() const {
    const std::scoped_lock lock(mutex_);
    const client::Figures of_client = client_ ? client_->figures() : client::Figures();
    return {settings_.name,   of_client.connected, of_client.connections,
            of_client.events, of_client.unheard,   of_client.unmatched,
            refreshes_,       refreshes_failed_};
  }

 private:
  void on_subscribe(std::shared_ptr<client::Subscription> subscription) override {
    subscription_ = std::move(subscription);
    subscription_->request(settings_.republish ? republished_at_a_time
                                               : std::numeric_limits<std::int64_t>::max());
  }

  void on_next(const client::Event& event) override {
    // As it came: without the name that we have for the host.
    const std::string method(event.id().substr(event.receiver().size()));
    std::string params(event.params());
    if (settings_.republish) {
      republish_({method, params}, [subscription = subscription_] { subscription->request(1); });
    }
    rules_.take(settings_.name, {{method, std::move(params)}});
  }

  // That an answer is too large is told once, and so are its consequences: with the next connection
  // the same is asked again.
  void on_disconnect(const client::Error& reason) override {
    is_told_ = !reason.is(client::Code::too_large);
    if (!is_told_ && !std::exchange(told_too_large_, true)) {
      log::warning(
          "an upstream sends more in one message than stomp_body; it is tried on, with "
          "pauses, and not told again: raise stomp_body in [limits], or let the refresh of "
          "its rules ask for less",
          {{"upstream", settings_.name}, {"why", reason.message}});
    }
    if (!is_told_) return;
    log::warning("an upstream is not connected; it is tried on",
                 {{"upstream", settings_.name}, {"why", reason.message}});
  }
  void on_reconnect(const client::Gap& gap) override {
    if (is_told_) {
      log::info(
          "an upstream is connected again",
          {{"upstream", settings_.name}, {"gap", std::to_string(gap.duration.count()) + " ms"}});
    }
    refresh();
  }
  void on_dropped(std::uint64_t count) override { rules_.note_dropped(count); }
  void on_error(const client::Error& failure) override { warning(failure.message); }
  void on_complete() override {}

  // The first time there may be no connection yet: then the calls wait for it, and the end of that
  // gap asks for no more.
  void refresh() {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < calls_.size(); ++i) ask(i);
  }

  // Under the lock.
  void ask(std::size_t i) {
    if (!client_) return;
    if (std::exchange(asking_[i].is_under_way, true)) {
      asking_[i].is_wanted = true;
      return;
    }
    asking_[i].is_wanted = false;
    client::CallOptions options;
    options.timeout = limits_.events_refresh_timeout;
    client_->call(
        calls_[i].method, calls_[i].params,
        [this, i](client::Expected<std::string> answer) { answered(i, std::move(answer)); },
        options);
  }

  // That a call was lost with its connection may be told after the end of that gap.
  void answered(std::size_t i, client::Expected<std::string> answer) {
    {
      const std::scoped_lock lock(mutex_);
      asking_[i].is_under_way = false;
      if (!answer && asking_[i].is_wanted) ask(i);
    }
    refreshed(calls_[i], std::move(answer));
  }

  void refreshed(const rules::RuleSet::Call& call, client::Expected<std::string> answer) {
    if (answer) {
      ++refreshes_;
      return rules_.take_answer(settings_.name, call, std::move(*answer));
    }
    ++refreshes_failed_;
    if (answer.error().is(client::Code::too_large)) return;  // on_disconnect tells
    warning(call.method + " was not answered: " + answer.error().message);
  }

  void warning(const std::string& text) {
    const auto untold = warnings_.due(Clock::now());
    if (!untold) return;
    log::warning("an upstream is in trouble", {{"upstream", settings_.name},
                                               {"why", text},
                                               {"untold since the last", std::to_string(*untold)}});
  }

  const UpstreamSettings settings_;
  const Limits limits_;
  EventRules& rules_;
  const Republish republish_;
  const std::vector<rules::RuleSet::Call> calls_;
  std::shared_ptr<client::Subscription> subscription_;
  bool told_too_large_ = false;
  bool is_told_ = false;  // that there is no connection
  std::atomic<std::uint64_t> refreshes_{0};
  std::atomic<std::uint64_t> refreshes_failed_{0};
  PacedWarning warnings_;

  struct Asking {
    bool is_under_way = false;  ///< its answer is still to come
    bool is_wanted = false;     ///< and it was to be asked for meanwhile
  };
  mutable std::mutex mutex_;                // guards what follows
  std::vector<Asking> asking_;              // by call
  std::optional<client::Client> client_{};  // none: closed
};

Upstreams::Upstreams() : runtime_(client::Runtime::make()) {}

Upstreams::~Upstreams() {
  for (const auto& host : hosts_) host->close();
  runtime_.reset();  // waits for what is being called back
}

Result<std::unique_ptr<Upstreams>> Upstreams::open(const std::vector<UpstreamSettings>& settings,
                                                   const Limits& limits, EventRules& rules,
                                                   Republish republish) {
  std::unique_ptr<Upstreams> upstreams(new Upstreams());
  for (const UpstreamSettings& one : settings) {
    upstreams->hosts_.push_back(std::make_shared<Host>(one, limits, rules, republish));
    const auto connected = upstreams->hosts_.back()->connect(upstreams->runtime_);
    if (!connected) return connected.error();
  }
  return upstreams;
}

std::vector<Upstreams::Figures> Upstreams::figures() const {
  std::vector<Figures> figures;
  for (const auto& host : hosts_) figures.push_back(host->figures());
  return figures;
}

}  // namespace doctor::server
