#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/document/commit.hpp"
#include "doctor/document/session.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/packet.hpp"

// The vocabulary of the broker's tests: a world with a broker, a clock, sessions and commits; peers
// that connect, send packets, and hear lines of text such as "vm/1 + revision=1 commit=end".
namespace doctor::mqtt::testing {

using Lines = std::vector<std::string>;

/// A packet as a line for people: PUBLISH as `[q1 #7 ][dup ][retain ]topic payload properties`,
/// others by name, reasons in hex, packet identifiers after `#`.
std::string describe(const Packet& packet);

document::Change created(std::string collection, std::string id);
document::Change updated(std::string collection, std::string id, std::vector<std::string> fields);
document::Change removed(std::string collection, std::string id);

class World;

class Peer {
 public:
  Peer(World& world, std::string client_id) : world_(world), client_id_(std::move(client_id)) {}

  /// Opens a socket without sending anything.
  Peer& open();
  /// Opens a socket if there is none and sends CONNECT; `edit` may change it before.
  Peer& connect(Version version, const std::function<void(Connect&)>& edit = {});
  Peer& as_connector();
  Peer& as_session(std::string id);

  Peer& subscribe(std::string_view filter, int qos = 0);
  Peer& unsubscribe(std::string_view filter);
  Peer& publish(std::string_view topic, std::string_view payload, int qos = 0,
                const std::function<void(Publish&)>& edit = {});
  Peer& acknowledge(std::uint16_t packet_id);
  Peer& send(const Packet& packet);
  Peer& send_bytes(std::string_view bytes);
  /// Its socket takes nothing more, until `read` is called.
  Peer& stop_reading();
  Peer& read();
  /// The socket ends from this side.
  void hang_up();

  /// What has come since the last call; "closed" once the broker has closed the connection.
  Lines hears();
  /// The same, forgetting all but messages.
  Lines messages();
  /// Forgets what has come.
  Peer& quiet();
  /// Is told what the socket is given, when it is given, read or not.
  Peer& watch(std::function<void(std::string_view bytes)> watch);
  /// The socket has ended, or the broker wants it to.
  bool is_over() const { return !is_open_ || close_after_; }
  std::size_t bytes_received() const { return bytes_received_; }
  ConnectionId id() const { return id_; }

 private:
  friend class World;
  void take_output(bool close);

  World& world_;
  std::string client_id_;
  Version version_ = Version::v5_0;
  std::optional<std::string> user_name_;
  std::optional<std::string> password_;
  ConnectionId id_;
  bool is_open_ = false;
  bool reads_ = true;
  bool writing_ = false;
  bool close_after_ = false;
  std::uint16_t last_packet_id_ = 0;
  std::string input_;
  std::function<void(std::string_view)> watch_;
  Lines heard_;
  std::size_t bytes_received_ = 0;
};

class World {
 public:
  explicit World(const Limits& limits = {}, bool secured = true);

  Peer& client(std::string client_id);
  /// Writes a session outside of any commit, as one that was there before the broker started.
  void session(std::string id, std::string_view permissions,
               std::optional<Timestamp> expires = std::nullopt);

  /// The next commit, announced at once and matched to its end.
  void commit(std::vector<document::Change> changes,
              std::vector<document::SessionChange> sessions = {});
  /// The next commit, durable but not yet announced.
  void commit_silently(std::vector<document::Change> changes,
                       std::vector<document::SessionChange> sessions = {});
  /// Announces what was committed silently, matching only the first part of it.
  void announce();
  void advance_to_the_end();
  document::SessionChange edit(std::string id, std::string_view permissions,
                               std::optional<Timestamp> expires = std::nullopt);
  document::SessionChange remove_session(std::string id);

  void pass(std::chrono::milliseconds time);
  /// Time passes without a tick.
  void pass_unnoticed(std::chrono::milliseconds time);
  /// Lets the sockets take what they can.
  void pump();

  /// Makes what has changed of the state durable.
  void write_state();
  /// The same in two halves, between which anything may happen. Whether there is anything to write
  /// and nothing under way.
  bool begin_write();
  void end_write();
  std::size_t records() const { return state_.size(); }
  /// The process is killed and started again: what was not written is lost, and all connections.
  /// @param in_time  what is under way has reached the disk
  void crash(bool in_time = false);

  Broker& broker() { return *broker_; }
  Figures figures() const { return broker_->figures(); }
  const Lines& log() const { return warnings_; }
  Timestamp wall() const { return wall_; }
  std::uint64_t revision() const { return revision_.value; }
  Clock::time_point now() const { return now_; }

  std::chrono::milliseconds login_delay{0};  ///< what the throttle says of each failed login
  ConnectionId unread;                       ///< whose octets have not been read yet
  std::size_t output_max = 1u << 16;
  bool writes_state = true;       ///< at once; else `write_state` does
  std::uint64_t log_begins = 1;   ///< the oldest revision that the commit log still has
  std::uint64_t log_reads = 0;    ///< how often it was read
  std::size_t log_part_max = 64;  ///< changes that it gives at once

 private:
  friend class Peer;
  std::optional<LoggedIn> login(const Credentials& credentials) const;
  std::optional<document::CommitPart> read_log(document::Revision revision, std::uint64_t from,
                                               std::size_t max);

  void make_broker();

  const Limits limits_;
  bool secured_;
  std::map<std::string, std::shared_ptr<const document::Session>> sessions_;
  document::Revision revision_;
  std::vector<document::CommitPtr> silent_;
  std::vector<document::CommitPtr> log_;
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  Lines warnings_;
  std::deque<Peer> peers_;
  std::map<std::string, std::string> state_;
  std::optional<StateBatch> writing_;
  void keep(const StateBatch& batch);
  std::unique_ptr<Broker> broker_;
};

}  // namespace doctor::mqtt::testing
