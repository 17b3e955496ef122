#include "doctor/server/mqtt_service.hpp"

#include "doctor/base/log.hpp"
#include "doctor/server/commit_log.hpp"
#include "doctor/server/mqtt_connection.hpp"

namespace doctor::server {
namespace {

constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::size_t scratch_size = 64u << 10;

}  // namespace

MqttService::MqttService(IoThread& thread, Shared& shared, const engine::Authority& authority)
    : thread_(thread),
      shared_(shared),
      authority_(authority),
      broker_(
          shared.limits, [this](const mqtt::Credentials& c) { return log_in(c); },
          [this](std::string_view peer, Clock::time_point now) {
            return shared_.failed_logins.note(FailedLogins::Over::mqtt, peer, now);
          },
          [this](mqtt::ConnectionId connection) {
            const auto found = connections_.find(connection.value);
            return found != connections_.end() && found->second->has_unread();
          },
          read_log_of(shared), [](std::string_view warning) { log::warning(warning); }),
      scratch_input_(scratch_size, '\0'),
      pumping_(thread.context()),
      advancing_(thread.context()) {}

MqttService::~MqttService() = default;

void MqttService::set_revision(document::Revision revision) {
  broker_.set_revision(revision);
}

Result<void> MqttService::restore(std::filesystem::path file, std::uint64_t map_size) {
  const Timestamp wall = wall_clock();
  state_ =
      std::make_unique<MqttState>(std::move(file), shared_.engine->store().identity().id, map_size);
  const auto records = state_->read(wall);
  if (!records) return records.error();
  if (auto restored = broker_.restore(*records, Clock::now(), wall); !restored) {
    if (auto aside = state_->set_aside(restored.error(), wall); !aside) return aside.error();
  }
  state_->start([this](std::uint64_t batch) {
    asio::post(thread_.context(), [this, batch] {
      broker_.persisted(batch, Clock::now());
      pump();
    });
  });
  return {};
}

void MqttService::start(const std::string& version) {
  broker_.publish_figures(version, Clock::now());
  asio::co_spawn(thread_.executor(), tick(), asio::detached);
}

// Page 3's table.
std::optional<mqtt::LoggedIn> MqttService::log_in(const mqtt::Credentials& credentials) const {
  using document::Principal;
  const auto snapshot = shared_.engine->snapshot();
  const auto as = [&](Principal principal) {
    return mqtt::LoggedIn{std::move(principal), snapshot->revision()};
  };
  if (credentials.user_name == "session" && credentials.password) {
    if (auto session = authority_.session(*snapshot, *credentials.password, wall_clock())) {
      return as({Principal::Kind::session, std::move(session)});
    }
  }
  if (!authority_.secured()) return as({Principal::Kind::anyone, nullptr});
  if (credentials.user_name == "connector" && credentials.password &&
      authority_.is_secret(*credentials.password)) {
    return as({Principal::Kind::connector, nullptr});
  }
  return std::nullopt;
}

void MqttService::committed(std::span<const document::CommitPtr> commits) {
  if (!commits_.add(commits)) return;
  asio::post(thread_.context(), [this] {
    broker_.announce(commits_.take(), Clock::now());
    pump();
  });
}

// Between two parts everyone else on this thread has a turn, and sockets take what was queued.
void MqttService::carry_on() {
  if (!broker_.unfinished()) return;
  advancing_.post([this] {
    broker_.advance(Clock::now());
    pump();
  });
}

void MqttService::adopt(DetachedStream stream, Carrier carrier, std::string received,
                        std::string peer, Share place) {
  asio::post(thread_.context(),
             [this, carrier, stream = std::move(stream), received = std::move(received),
              peer = std::move(peer), place = std::move(place)]() mutable {
               accept(Stream(thread_.executor(), std::move(stream)), carrier, std::move(received),
                      std::move(peer), std::move(place));
             });
}

void MqttService::accept(Stream stream, Carrier carrier, std::string received, std::string peer,
                         Share place) {
  const mqtt::ConnectionId id = broker_.accept(peer, Clock::now(), wall_clock());
  auto connection = std::make_shared<MqttConnection>(*this, thread_, id, std::move(stream),
                                                     std::move(place), carrier);
  connections_[id.value] = connection.get();
  connection->start(std::move(received));
}

void MqttService::pump() {
  for (auto due = broker_.attention(); !due.empty(); due = broker_.attention()) {
    for (const mqtt::Attention& attention : due) {
      const auto found = connections_.find(attention.connection.value);
      if (found != connections_.end()) found->second->attend(attention.close);
    }
  }
  keep();
  carry_on();
}

void MqttService::keep() {
  if (!state_->is_idle()) return;
  if (auto batch = broker_.take_state()) state_->write(std::move(*batch));
}

void MqttService::pump_soon() {
  pumping_.post([this] { pump(); });
}

void MqttService::websocket_broken(std::string_view address) {
  shared_.websockets_broken.fetch_add(1, std::memory_order_relaxed);
  const auto now = Clock::now();
  if (websocket_told_ && now - *websocket_told_ < std::chrono::minutes(1)) return;
  websocket_told_ = now;
  log::warning("MQTT: closed a WebSocket that did not speak its protocol, or sent no binary frames",
               {{"address", std::string(address)}});
}

Task<void> MqttService::tick() {
  Timer timer(thread_.context());
  for (;;) {
    timer.expires_after(tick_interval);
    const auto [failure] = co_await timer.async_wait(as_values);
    if (failure) co_return;
    slow_writes_.look(Clock::now());
    broker_.tick(Clock::now(), wall_clock());
    pump();
  }
}

Task<mqtt::Figures> MqttService::figures(Mailbox& mailbox) {
  return reply_of<mqtt::Figures>(mailbox, [this](std::shared_ptr<Reply<mqtt::Figures>> reply) {
    asio::post(thread_.context(),
               [this, reply = std::move(reply)] { reply->send(broker_.figures()); });
  });
}

Task<rest::ClientsReply> MqttService::clients(Mailbox& mailbox, rest::ClientsRequest request) {
  using Answer = Reply<rest::ClientsReply>;
  return reply_of<rest::ClientsReply>(mailbox, [this, request = std::move(request)](
                                                   std::shared_ptr<Answer> reply) mutable {
    asio::post(thread_.context(), [this, request = std::move(request), reply = std::move(reply)] {
      reply->send(carry_out(request));
    });
  });
}

rest::ClientsReply MqttService::carry_out(const rest::ClientsRequest& request) {
  if (const auto* list = std::get_if<rest::ListClients>(&request)) {
    mqtt::ClientPage page = broker_.clients(list->from, list->limit);
    for (mqtt::ClientView& client : page.clients) add_socket(client);
    return page;
  }
  if (const auto* show = std::get_if<rest::ShowClient>(&request)) {
    auto client = broker_.client(show->id);
    if (!client) return {};
    add_socket(*client);
    return *std::move(client);
  }
  const auto& disconnect = std::get<rest::DisconnectClient>(request);
  const auto done = broker_.disconnect(disconnect.id, disconnect.end_session, Clock::now());
  if (!done) return {};
  // Some give their session's id as client id too, and the log never shows one.
  const std::string& id = disconnect.id;
  const bool of_session = id.starts_with("session:");
  log::info("an MQTT client was disconnected by an operator",
            {{"client", of_session ? id.substr(0, id.find(':', id.find(':') + 1)) : id},
             {"session ended", done->session_ended ? "yes" : "no"}});
  pump();
  return *done;
}

void MqttService::add_socket(mqtt::ClientView& client) const {
  if (!client.connection) return;
  const auto found = connections_.find(client.connection->id.value);
  if (found != connections_.end()) found->second->describe(*client.connection);
}

void MqttService::shut_down() {
  broker_.shut_down();
  pump();
}

void MqttService::finish(std::chrono::milliseconds patience) {
  if (state_ == nullptr) return;
  const Clock::time_point deadline = Clock::now() + patience;
  if (state_->wait_until_idle(deadline)) {
    if (auto batch = broker_.take_state()) state_->write(std::move(*batch));
  }
  state_->stop(deadline);
}

}  // namespace doctor::server
