#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/stomp/broker.hpp"
#include "doctor/stomp/splitter.hpp"

// The vocabulary of the broker's tests: a world with a broker, a clock, sessions and an application
// that notes what it is told; peers that send frames and hear lines of text such as
// "MESSAGE destination=a subscription=1 [hello]".
namespace doctor::stomp::testing {

using Lines = std::vector<std::string>;

class World;

class Peer {
 public:
  explicit Peer(World& world) : world_(world) {}

  /// Opens a socket without sending anything.
  Peer& open(std::optional<std::string> certificate = std::nullopt);
  /// Opens a socket if there is none and sends CONNECT.
  Peer& connect(std::string_view version = "1.2", std::string_view more = "");
  Peer& as_connector();
  Peer& as_session(std::string id);

  /// Sends a frame: `SEND|destination:a|x:y||body`, where `|` stands for LF; NUL is added.
  Peer& sends(std::string_view frame);
  Peer& send_bytes(std::string_view bytes);
  /// Its socket takes nothing more, until `read` is called.
  Peer& stop_reading();
  Peer& read();
  /// Its socket takes one frame.
  Peer& read_one();
  /// The socket ends from this side.
  void hang_up();

  /// What has come since the last call, without content-length and, of CONNECTED, `session` and
  /// `server`; the numbers of messages as `#1` for the first that this peer hears. Lone LFs are
  /// "beat"; "closed" or "reset" once the broker has ended the connection.
  Lines hears();
  /// Forgets what has come.
  Peer& quiet();
  /// Each write since the last call, as its octets.
  std::vector<std::string> writes();
  /// `message-id` and `ack` of the message that it heard last.
  const std::string& message_id() const { return message_id_; }
  const std::string& ack() const { return ack_; }
  ConnectionId id() const { return id_; }
  bool is_paused() const { return is_paused_; }

 private:
  friend class World;
  void obey(const Attention& attention);
  void take_output();
  void understand(std::string_view bytes);

  World& world_;
  std::string login_;
  Version version_ = Version::v1_0;
  Splitter splitter_{FrameLimits()};
  ConnectionId id_;
  bool is_open_ = false;
  bool is_paused_ = false;
  bool reads_ = true;
  bool writing_ = false;
  End end_ = End::none;
  std::string message_id_;
  std::string ack_;
  Lines heard_;
  std::vector<std::string> writes_;
};

class World : public Application {
 public:
  explicit World(const Limits& limits = {}, Options options = {}, bool secured = false);

  Peer& client();
  void session(std::string id, std::string_view permissions,
               std::optional<Timestamp> expires = std::nullopt);
  void edit_session(std::string id, std::string_view permissions);
  void remove_session(std::string id);

  std::size_t publish(Message message, const Routing& routing);
  std::size_t answer(const Answer& answer);

  /// Ticks as often as the broker asks for.
  void pass(std::chrono::milliseconds time);
  /// Lets the sockets take what they can.
  void pump();

  Broker& broker() { return *broker_; }
  Figures figures() const { return broker_->figures(); }
  const Lines& log() const { return warnings_; }
  Timestamp wall() const { return wall_; }

  std::chrono::milliseconds login_delay{0};
  Terms terms;                           ///< of each SUBSCRIBE
  std::optional<Refusal> refuses_sends;  ///< all of them
  std::optional<Routing> routing;        ///< of each SEND; none: to its destination
  ConnectionId unread;                   ///< whose octets have not been read yet
  Lines sent_to;                         ///< destinations of SENDs that took effect

  std::optional<document::Principal> log_in(const Credentials& credentials) override;
  std::chrono::milliseconds failed_login(std::string_view peer, Clock::time_point now) override;
  Decoded<Terms> subscribing(const Subscribing& subscribing) override;
  Decoded<void> sending(const Sending& sending) override;
  Routing route(const Sending& sending) const override;
  Routing sent(const Sending& sending) override;
  bool has_unread(ConnectionId connection) const override { return connection == unread; }
  std::optional<Message> overflowed(const Subscription& subscription, std::uint64_t dropped,
                                    Clock::time_point now) override;

 private:
  friend class Peer;
  bool secured_;
  std::map<std::string, std::shared_ptr<const document::Session>> sessions_;
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  Lines warnings_;
  std::deque<Peer> peers_;
  std::unique_ptr<Broker> broker_;
};

}  // namespace doctor::stomp::testing
