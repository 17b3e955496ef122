#include "doctor/server/mqtt_connection.hpp"

#include "doctor/server/read_more.hpp"
#include "doctor/server/thrown.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

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
                                                            : nullptr),
      writer_(*this, stream_, service.slow_writes()) {}

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
        log_thrown("an MQTT connection failed", thrown);
      });
}

Task<void> MqttConnection::read(std::string received) {
  if (!received.empty()) {
    closing_ = !take(received) || closing_;
    service_.pump();
    writer_.write();
  }
  const auto taking = [this](std::string_view octets) { return take(octets); };
  for (bool first = true;; first = false) {
    const auto [failure, count] = co_await stream_.async_read_some(asio::buffer(input_), as_values);
    if (failure) co_return;
    if (first) note_misplaced_tls(service_.shared(), stream_, {input_.data(), count});
    const bool open =
        take({input_.data(), count}) &&
        (count < input_.size() || read_more(stream_, service_.scratch_input(), taking));
    if (!open) closing_ = true;
    if (!closing_ && !(websocket_ && websocket_->has_control())) {
      service_.pump_soon();
      // Behind it: the next read finds nothing as a rule, which the receivers need not wait for.
      co_await asio::post(thread_.executor(), as_values);
      continue;
    }
    service_.pump();
    writer_.write();  // what the WebSocket has to say itself
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

void MqttConnection::attend(bool close) {
  if (close) {
    closing_ = true;
    close_in_time();
  }
  writer_.write();
}

std::string_view MqttConnection::next_piece() {
  std::string& piece = service_.scratch_output();
  piece.clear();
  if (!websocket_) {
    service_.broker().output(id_, writer_.piece_size, piece, Clock::now());
    return piece;
  }
  if (websocket_->has_closed()) return {};
  piece.resize(WebSocket::header_max);
  service_.broker().output(id_, writer_.piece_size, piece, Clock::now());
  const std::size_t begin = WebSocket::put_header(piece);
  const bool last = closing_ && piece.size() == WebSocket::header_max;
  if (last) websocket_->close(1000);
  websocket_->take_control(piece);  // behind the payload: a closing frame is the last one
  return std::string_view(piece).substr(begin);
}

// If the client is to go, all has been written that the broker had for it: ends this side, and
// waits a little for the client to end its own, since a close would destroy what is still on its
// way.
void MqttConnection::nothing_left() {
  service_.carry_on();
  if (!closing_) return;
  close_in_time();
  writer_.end();
}

void MqttConnection::taken() {
  service_.broker().taken(id_, Clock::now());
}

void MqttConnection::resumed() {
  service_.keep();
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

void MqttConnection::close_in_time() {
  if (deadline_ != never) return;
  deadline_ = Clock::now() + closing_time;
  thread_.deadlines().add(*this);
}

void MqttConnection::abort() {
  stream_.close();
}

}  // namespace doctor::server
