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

namespace doctor::server {

/// One MQTT client's stream, by itself or with a WebSocket on it: carries octets between it and the
/// broker. Belongs to the broker's thread. The coroutine `read` keeps it alive; writing needs none:
/// what the socket does not take at once waits here, and more is taken from the broker when it has
/// gone.
class MqttConnection final : public Watched,
                             public MqttService::Writing,
                             public std::enable_shared_from_this<MqttConnection> {
 public:
  MqttConnection(MqttService& service, IoThread& thread, mqtt::ConnectionId id, Stream stream,
                 Share place, MqttService::Carrier carrier);
  ~MqttConnection() override;

  /// @param received  what has already come from the client
  void start(std::string received);
  /// The broker has something to write, or wants the connection closed after that.
  void attend(bool close);
  /// Looks whether the client has taken something of what has been written: a socket says that it
  /// can be written only when much of it is free, which takes a slow reader long. False once there
  /// is nothing to look at.
  bool look_at_progress();
  /// Fills in what is known of the socket.
  void describe(mqtt::ClientView::Connection& connection) const;

  void expired() override { abort(); }
  void wind_up() override {}  // MqttService::shut_down does that
  void abort() override;

 private:
  std::string address() const;
  Task<void> read(std::string received);
  bool take(std::string_view octets);
  bool take_more();
  void write();
  void write_pending();
  void written();
  void finish();
  /// The client has only so long to take the last octets and to close its end.
  void close_in_time();

  MqttService& service_;
  IoThread& thread_;
  const mqtt::ConnectionId id_;
  Stream stream_;
  Share place_;
  Counted counted_;
  std::unique_ptr<WebSocket> websocket_;
  std::string pending_;         // what the socket has not taken yet
  std::size_t pending_at_ = 0;  // of it, what has been taken
  int unsent_ = 0;              // octets that the system still had of it when last looked at
  bool writing_ = false;        // an asynchronous write is under way
  bool closing_ = false;        // nothing is taken from the client any more
  bool finished_ = false;       // this end has sent its last octet
  // Small, for there is one for each idle client; a busy one is read through the service's scratch.
  std::array<char, 512> input_;
};

}  // namespace doctor::server
