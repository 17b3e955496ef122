#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "doctor/mqtt/broker.hpp"
#include "doctor/server/deadlines.hpp"
#include "doctor/server/mqtt_service.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/websocket.hpp"
#include "doctor/server/writer.hpp"

namespace doctor::server {

/// One MQTT client's stream, by itself or with a WebSocket on it: carries octets between it and the
/// broker. Belongs to the broker's thread. The coroutine `read` keeps it alive; writing needs none.
class MqttConnection final : public Watched, public std::enable_shared_from_this<MqttConnection> {
 public:
  MqttConnection(MqttService& service, IoThread& thread, mqtt::ConnectionId id, Stream stream,
                 Share place, MqttService::Carrier carrier);
  ~MqttConnection() override;

  /// @param received  what has already come from the client
  void start(std::string received);
  /// The broker has something to write, or wants the connection closed after that.
  void attend(bool close);
  /// Fills in what is known of the socket.
  void describe(mqtt::ClientView::Connection& connection) const;

  /// Whether octets of the client wait to be read.
  bool has_unread() { return stream_.has_unread(); }

  void expired() override { abort(); }
  void wind_up() override {}  // MqttService::shut_down does that
  void abort() override;

 private:
  std::string address() const;
  Task<void> read(std::string received);
  bool take(std::string_view octets);
  // For the writer.
  friend class Writer<MqttConnection>;
  std::string_view next_piece();
  void nothing_left();
  void taken();
  void resumed();
  /// The client has only so long to take the last octets and to close its end.
  void close_in_time();

  MqttService& service_;
  IoThread& thread_;
  const mqtt::ConnectionId id_;
  Stream stream_;
  Share place_;
  Counted counted_;
  std::unique_ptr<WebSocket> websocket_;
  Writer<MqttConnection> writer_;
  bool closing_ = false;  // nothing is taken from the client any more
  // Small, for there is one for each idle client; a busy one is read through the service's scratch.
  std::array<char, 512> input_;
};

}  // namespace doctor::server
