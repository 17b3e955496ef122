#include "doctor/server/stomp_service.hpp"

#include <algorithm>
#include <utility>

#include "doctor/base/crypto.hpp"
#include "doctor/base/log.hpp"
#include "doctor/rest/compression.hpp"
#include "doctor/server/commit_log.hpp"
#include "doctor/server/event_rules.hpp"
#include "doctor/server/listen_address.hpp"
#include "doctor/server/stomp_connection.hpp"

namespace doctor::server {
namespace {

constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::size_t scratch_size = 64u << 10;

hub::Options options_of(const Configuration::Stomp& settings, const std::string& version,
                        bool has_rules) {
  hub::Options options;
  options.broker.server = "Doctor/" + version;
  options.broker.instance = hex(random_bytes(8)) + "-";
  options.broker.strict_destinations = settings.strict_destinations;
  options.broker.ovirt = settings.compat == Configuration::Stomp::Compat::ovirt;
  options.event_queues = settings.event_queues;
  options.keeps_events = has_rules;
  return options;
}

hub::Settings settings_of(const Configuration::Stomp& settings) {
  return {settings.connectors, settings.document_events};
}

}  // namespace

StompService::StompService(IoThread& thread, Shared& shared, const engine::Authority& authority,
                           const Configuration::Stomp& settings, const std::string& version,
                           hub::Methods& methods, bool has_rules)
    : thread_(thread),
      shared_(shared),
      authority_(authority),
      methods_(methods),
      settings_(settings),
      hub_(shared.limits, options_of(settings, version, has_rules), settings_of(settings),
           surroundings()),
      scratch_input_(scratch_size, '\0'),
      pumping_(thread.context()),
      advancing_(thread.context()) {}

StompService::~StompService() = default;

hub::Surroundings StompService::surroundings() {
  hub::Surroundings around;
  around.authority.secured = authority_.secured();
  around.authority.is_secret = [this](std::string_view secret) {
    return authority_.is_secret(secret);
  };
  around.authority.session = [this](std::string_view id) {
    return authority_.session(*shared_.engine->snapshot(), id, wall_clock());
  };
  around.failed_login = [this](std::string_view peer, Clock::time_point now) {
    return shared_.failed_logins.note(FailedLogins::Over::stomp, peer, now);
  };
  around.has_unread = [this](stomp::ConnectionId connection) {
    const auto found = connections_.find(connection);
    return found != connections_.end() && found->second->has_unread();
  };
  around.read_log = read_log_of(shared_);
  around.gunzip = rest::gunzip;
  around.log = [](std::string_view warning) { log::warning(warning); };
  return around;
}

void StompService::start() {
  asio::co_spawn(thread_.executor(), tick(), asio::detached);
}

void StompService::committed(std::span<const document::CommitPtr> commits) {
  if (!commits_.add(commits)) return;
  asio::post(thread_.context(), [this] {
    hub_.announce(commits_.take(), Clock::now());
    pump();
  });
}

void StompService::adopt(DetachedStream stream, std::string peer, Share place) {
  asio::post(thread_.context(), [this, stream = std::move(stream), peer = std::move(peer),
                                 place = std::move(place)]() mutable {
    accept(Stream(thread_.executor(), std::move(stream)), std::move(peer), std::move(place));
  });
}

void StompService::accept(Stream stream, std::string peer, Share place) {
  auto certificate = certified_name(stream, peer);
  const stomp::ConnectionId id =
      broker().accept(std::move(peer), std::move(certificate), Clock::now(), wall_clock());
  auto connection =
      std::make_shared<StompConnection>(*this, thread_, id, std::move(stream), std::move(place));
  connections_[id] = connection.get();
  connection->start();
}

// Of the names in a certificate the one by which it is the connector, if there is one.
std::optional<std::string> StompService::certified_name(const Stream& stream,
                                                        std::string_view peer) const {
  std::vector<std::string> names = stream.certified_names();
  if (names.empty()) return std::nullopt;
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (settings_.check_peer_name && !is_loopback(peer) && !has(peer)) return std::nullopt;
  for (const std::string& name : settings_.connectors) {
    if (has(name)) return name;
  }
  return std::move(names.front());
}

void StompService::use(const Configuration::Stomp& settings) {
  asio::post(thread_.context(), [this, settings] {
    settings_ = settings;
    hub_.use(settings_of(settings));
  });
}

void StompService::publish(hub::Event event, std::function<void()> done) {
  asio::post(thread_.context(), [this, event = std::move(event), done = std::move(done)] {
    hub_.publish(event, Clock::now());
    pump_soon();
    done();
  });
}

void StompService::pump() {
  for (bool goes_on = true; goes_on;) {
    goes_on = carry_out_requests();
    for (const stomp::Attention& attention : broker().attention()) {
      goes_on = true;
      const auto found = connections_.find(attention.connection);
      if (found != connections_.end()) found->second->attend(attention);
    }
  }
  hand_over_events();
  carry_on();
}

void StompService::hand_over_events() {
  std::vector<EventRules::Arrived> arrived;
  for (hub::Event& event : hub_.take_events()) {
    arrived.push_back({std::move(event.id), std::move(event.params)});
  }
  if (!arrived.empty()) shared_.event_rules->take({}, std::move(arrived));
}

bool StompService::carry_out_requests() {
  auto requests = hub_.take_requests(Clock::now());
  for (hub::Request& request : requests) {
    const hub::RequestNumber number = request.number;
    methods_.carry_out(
        std::move(request), [this, number](std::vector<events::RpcResponse> responses) {
          asio::post(thread_.context(), [this, number, responses = std::move(responses)]() mutable {
            hub_.answer(number, std::move(responses), Clock::now());
            pump_soon();
          });
        });
  }
  return !requests.empty();
}

// Between two parts everyone else on this thread has a turn, and sockets take what was queued.
void StompService::carry_on() {
  if (!hub_.unfinished()) return;
  advancing_.post([this] {
    hub_.advance(Clock::now());
    pump();
  });
}

void StompService::pump_soon() {
  pumping_.post([this] { pump(); });
}

Task<void> StompService::tick() {
  Timer timer(thread_.context());
  for (;;) {
    const auto now = Clock::now();
    timer.expires_at(std::min(now + tick_interval, broker().wake().value_or(now + tick_interval)));
    const auto [failure] = co_await timer.async_wait(as_values);
    if (failure) co_return;
    slow_writes_.look(Clock::now());
    broker().tick(Clock::now(), wall_clock());
    pump();
  }
}

Task<StompService::Figures> StompService::figures(Mailbox& mailbox) {
  return reply_of<Figures>(mailbox, [this](std::shared_ptr<Reply<Figures>> reply) {
    asio::post(thread_.context(), [this, reply = std::move(reply)] {
      reply->send({broker().figures(), hub_.figures()});
    });
  });
}

void StompService::shut_down() {
  broker().shut_down();
  pump();
}

}  // namespace doctor::server
