#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "doctor/engine/engine.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/rest/clients.hpp"
#include "doctor/server/commit_box.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/mqtt_state.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/posted_once.hpp"
#include "doctor/server/shared.hpp"
#include "doctor/server/slow_writes.hpp"

namespace doctor::server {

class MqttConnection;

/// The broker and its sockets, all on one I/O thread. Commits come from the writer's thread in
/// batches with one wake-up; each socket is then written once.
///
/// `committed`, `adopt`, `figures`, `state_figures` and `clients` may be called from any thread;
/// all else is of the I/O thread.
class MqttService final : public engine::Listener {
 public:
  /// @param thread  outlives the service's use, not the service: MQTT connections end with it
  MqttService(IoThread& thread, Shared& shared, const engine::Authority& authority);
  ~MqttService() override;

  /// Before the engine makes its first commit: from here on every change is heard.
  void set_revision(document::Revision revision);
  /// Once the engine is there: takes up what the last process has kept in this file, and keeps it
  /// there from now on. A file that cannot be used is set aside; an error only if the disk does not
  /// let it.
  Result<void> restore(std::filesystem::path file, std::uint64_t map_size);
  /// The clock begins to tick.
  void start(const std::string& version);

  void committed(std::span<const document::CommitPtr> commits) override;

  /// What carries MQTT over a stream: MQTT's packets themselves, or a WebSocket.
  enum class Carrier : std::uint8_t { tcp, websocket };

  /// A client's stream, on the I/O thread.
  void accept(Stream stream, Carrier carrier, std::string received, std::string peer, Share place);
  /// One whose handshake, of TLS or of the WebSocket, was done by another I/O thread.
  /// @param received  what the client has already sent behind it
  void adopt(DetachedStream stream, Carrier carrier, std::string received, std::string peer,
             Share place);

  Task<mqtt::Figures> figures(Mailbox& mailbox);
  /// What operators ask of the clients.
  Task<rest::ClientsReply> clients(Mailbox& mailbox, rest::ClientsRequest request);

  /// What is written to that file.
  MqttState::Figures state_figures() const { return state_->figures(); }

  /// DISCONNECT to all, whose sockets then close.
  void shut_down();
  /// Once the threads have ended: writes what is still to be kept. @param patience  for how long it
  /// is tried
  void finish(std::chrono::milliseconds patience);

  // For the connections.
  mqtt::Broker& broker() { return broker_; }
  Shared& shared() { return shared_; }
  /// Lets every connection write what the broker has for it.
  void pump();
  /// Hands over what changed of what must be kept, if the file takes it now: `pump` does so, and
  /// what has been written without it must.
  void keep();
  /// Lets the broker go on by itself, once everyone else on this thread has had a turn.
  void carry_on();
  /// The same once all sockets that are ready now have been read: what they cause together is then
  /// one write for each receiver.
  void pump_soon();
  /// Counts and logs a client that does not speak WebSocket as it should.
  void websocket_broken(std::string_view address);
  SlowWrites& slow_writes() { return slow_writes_; }
  void forget(mqtt::ConnectionId connection) { connections_.erase(connection.value); }
  /// Memory for reading and writing that is empty between turns: idle connections need none.
  std::string& scratch_input() { return scratch_input_; }
  std::string& scratch_payload() { return scratch_payload_; }
  std::string& scratch_output() { return scratch_output_; }

 private:
  std::optional<mqtt::LoggedIn> log_in(const mqtt::Credentials& credentials) const;
  rest::ClientsReply carry_out(const rest::ClientsRequest& request);
  void add_socket(mqtt::ClientView& client) const;
  Task<void> tick();

  IoThread& thread_;
  Shared& shared_;
  const engine::Authority& authority_;
  mqtt::Broker broker_;
  std::unique_ptr<MqttState> state_;
  std::unordered_map<std::uint64_t, MqttConnection*> connections_;
  SlowWrites slow_writes_;
  std::string scratch_input_;
  std::string scratch_payload_;
  std::string scratch_output_;
  std::optional<Clock::time_point> websocket_told_;  // when the last line was logged
  CommitBox commits_;
  PostedOnce pumping_;
  PostedOnce advancing_;  // the broker's next part
};

}  // namespace doctor::server
