#include "doctor/server/mqtt_connection.hpp"

#include "doctor/base/log.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

constexpr std::size_t output_piece = 64u << 10;
constexpr int reads_in_a_turn = 16;
// A client that reads as fast as it is written to must not keep the others waiting.
constexpr int writes_in_a_turn = 4;
// For taking the last octets, and for closing.
constexpr std::chrono::seconds closing_time{2};

}  // namespace

MqttConnection::MqttConnection(MqttService& service, IoThread& thread, mqtt::ConnectionId id,
                               Stream stream, Share place, MqttService::Carrier carrier)
    : service_(service),
      thread_(thread),
      id_(id),
      stream_(std::move(stream)),
      place_(std::move(place)),
      counted_(carrier == MqttService::Carrier::websocket
                   ? service.shared().mqtt_websocket_connections
                   : service.shared().mqtt_tcp_connections),
      websocket_(carrier == MqttService::Carrier::websocket ? std::make_unique<WebSocket>()
                                                            : nullptr) {}

MqttConnection::~MqttConnection() = default;

void MqttConnection::start(std::string received) {
  thread_.deadlines().add_without_deadline(*this);
  asio::co_spawn(
      thread_.executor(),
      [](std::shared_ptr<MqttConnection> self, std::string first) -> Task<void> {
        co_await self->read(std::move(first));
      }(shared_from_this(), std::move(received)),
      [self = shared_from_this()](std::exception_ptr thrown) {
        self->abort();
        self->service_.forget(self->id_);
        self->service_.broker().closed(self->id_, Clock::now());
        self->service_.pump();
        if (!thrown) return;
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& failure) {
          log::error("an MQTT connection failed", {{"what", failure.what()}});
        }
      });
}

Task<void> MqttConnection::read(std::string received) {
  if (!received.empty()) {
    closing_ = !take(received) || closing_;
    service_.pump();
    write();
  }
  for (bool first = true;; first = false) {
    const auto [failure, count] = co_await stream_.async_read_some(asio::buffer(input_), as_values);
    if (failure) co_return;
    if (first) note_misplaced_tls(service_.shared(), stream_, {input_.data(), count});
    const bool open = take({input_.data(), count}) && (count < input_.size() || take_more());
    if (!open) closing_ = true;
    if (!closing_ && !(websocket_ && websocket_->has_control())) {
      service_.pump_soon();
      // Behind it: the next read finds nothing as a rule, which the receivers need not wait for.
      co_await asio::post(thread_.executor(), as_values);
      continue;
    }
    service_.pump();
    write();  // what the WebSocket has to say itself
    if (closing_ && !finished_ && !writing_) finish();
  }
}

// What has come from the client; false if nothing more may come.
bool MqttConnection::take(std::string_view octets) {
  if (closing_) return true;  // it is read only so that the close reaches the client
  if (!websocket_) {
    service_.broker().receive(id_, octets, Clock::now(), wall_clock());
    return true;
  }
  std::string& payload = service_.scratch_payload();
  payload.clear();
  const bool open = websocket_->receive(octets, payload);
  if (websocket_->broken()) service_.websocket_broken(address());
  if (!payload.empty()) service_.broker().receive(id_, payload, Clock::now(), wall_clock());
  return open;
}

// The small buffer was full: takes what else is there in large pieces, a bounded number in a turn.
bool MqttConnection::take_more() {
  std::string& input = service_.scratch_input();
  for (int i = 0; i < reads_in_a_turn; ++i) {
    error_code failure;
    const std::size_t count = stream_.read_some(asio::buffer(input), failure);
    if (failure) return true;  // would block, or what the next read will tell
    if (!take({input.data(), count})) return false;
    if (count < input.size()) return true;
  }
  return true;
}

void MqttConnection::attend(bool close) {
  if (close) {
    closing_ = true;
    close_in_time();
  }
  write();
  if (closing_ && !writing_ && !finished_) finish();
}

// Writes until the socket takes no more, the turn is over or there is nothing left; what the socket
// has not taken waits in pending_.
void MqttConnection::write() {
  for (int turn = 0; !writing_ && !finished_ && stream_.is_open(); ++turn) {
    if (turn == writes_in_a_turn) {
      writing_ = true;
      asio::post(thread_.context(), [self = shared_from_this()] { self->written(); });
      return;
    }
    std::string& payload = service_.scratch_output();
    payload.clear();
    service_.broker().output(id_, output_piece, payload, Clock::now());
    std::string header;
    std::string control;  // behind the payload: a closing frame is the last one
    if (websocket_) {
      if (!payload.empty()) WebSocket::append_header(header, payload.size());
      websocket_->take_control(control);
    }
    const std::array<asio::const_buffer, 3> buffers = {asio::buffer(header), asio::buffer(payload),
                                                       asio::buffer(control)};
    const std::size_t size = asio::buffer_size(buffers);
    if (size == 0) return service_.carry_on();
    error_code failure;
    const std::size_t written = stream_.write_some(buffers, failure);
    if (failure && failure != asio::error::would_block) return abort();
    if (written == size) continue;
    header += payload;
    header += control;
    pending_ = header.substr(written);
    pending_at_ = 0;
    write_pending();
  }
}

void MqttConnection::write_pending() {
  writing_ = true;
  service_.look_at_progress_of(*this);
  stream_.async_write_some(
      asio::buffer(std::as_const(pending_)) + pending_at_,
      [self = shared_from_this()](const error_code& failure, std::size_t count) {
        if (failure) {
          self->writing_ = false;
          return self->abort();
        }
        self->service_.broker().taken(self->id_, Clock::now());
        self->pending_at_ += count;
        if (self->pending_at_ < self->pending_.size()) return self->write_pending();
        self->pending_ = std::string();
        self->written();
      });
}

void MqttConnection::written() {
  writing_ = false;
  write();
  service_.keep();
  if (closing_ && !writing_ && !finished_) finish();
}

bool MqttConnection::look_at_progress() {
  const auto unsent = writing_ ? stream_.unsent() : std::nullopt;
  if (!unsent) return false;
  if (*unsent < unsent_) service_.broker().taken(id_, Clock::now());
  unsent_ = *unsent;
  return true;
}

void MqttConnection::describe(mqtt::ClientView::Connection& connection) const {
  connection.address = address();
  connection.websocket = websocket_ != nullptr;
  connection.tls = stream_.secure();
}

std::string MqttConnection::address() const {
  const auto endpoint = stream_.peer();
  return endpoint ? shown(*endpoint) : "unknown";
}

// All has been written that the broker had for the client: ends this side, and waits a little for
// the client to end its own, since a close would destroy what is still on its way.
void MqttConnection::finish() {
  if (websocket_) {
    websocket_->close(1000);
    write();
    if (writing_) return;
  }
  close_in_time();
  finished_ = stream_.end();
  if (finished_) return;
  writing_ = true;
  stream_.async_wait_writable([self = shared_from_this()](const error_code& failure) {
    self->writing_ = false;
    if (!failure) self->finish();
  });
}

void MqttConnection::close_in_time() {
  if (deadline_ != never) return;
  deadline_ = Clock::now() + closing_time;
  thread_.deadlines().add(*this);
}

void MqttConnection::abort() {
  finished_ = true;
  stream_.close();
}

}  // namespace doctor::server
