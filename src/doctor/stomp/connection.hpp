#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "doctor/stomp/broker.hpp"
#include "doctor/stomp/heart_beat.hpp"
#include "doctor/stomp/outbox.hpp"
#include "doctor/stomp/splitter.hpp"
#include "doctor/stomp/subscription.hpp"

namespace doctor::stomp {

/// ACK or NACK of a message: which one, on which subscription.
struct Settlement {
  SubscriptionPtr subscription;
  std::uint64_t number = 0;
  bool is_nack = false;
};

/// What a transaction keeps until COMMIT.
struct Transaction {
  std::vector<std::variant<Message, Settlement>> frames;
  std::size_t bytes = 0;
};

/// What oVirt's Java client needs besides (compat).
struct Ovirt {
  bool is = false;
  std::size_t owed = 0;  ///< lone LFs: each makes it look at one frame that it has read already
};

/// One connection.
struct Connection {
  enum class State : std::uint8_t {
    connecting,  ///< before CONNECT, until `deadline`
    refusing,    ///< a failed login whose answer waits until `deadline`; nothing more is read
    connected,
    ending,  ///< gone but for what is in the outbox; the owner closes it
  };

  Connection(ConnectionId number, std::string address, std::optional<std::string> name,
             const FrameLimits& limits, Outboxes& all)
      : id(number),
        peer(std::move(address)),
        certificate(std::move(name)),
        splitter(limits),
        outbox(all) {}

  ConnectionId id;
  std::string peer;
  std::optional<std::string> certificate;
  State state = State::connecting;
  End end = End::none;
  Version version = Version::v1_0;
  Splitter splitter;
  std::size_t partial_bytes = 0;  ///< of a frame that has come in part
  Clock::time_point deadline;
  std::vector<std::string> held;  ///< header lines of each SUBSCRIBE before CONNECT
  std::size_t held_bytes = 0;

  document::Principal principal;
  std::vector<SubscriptionPtr> subscriptions;  ///< by serial
  std::size_t subscriptions_cost = 0;          ///< of all of them
  std::size_t subscriptions_text = 0;          ///< of all of them
  std::size_t unacked = 0;                     ///< messages of all of them that wait for ACK
  std::unordered_map<std::string, SubscriptionPtr> by_id;
  std::map<std::string, Transaction, std::less<>> transactions;
  std::size_t transactions_bytes = 0;  ///< of all that are open

  // On the way in.
  Clock::time_point heard;
  std::chrono::milliseconds peer_beats{};  ///< how often the client has promised to; 0: never
  std::vector<ConnectionId> blocking;      ///< publishers that wait for room in this outbox
  std::size_t blocked = 0;                 ///< how many outboxes this one waits for
  std::string stash;                       ///< what came while blocked

  // On the way out.
  Outbox outbox;
  std::size_t body_given = 0;         ///< of the message that is being written
  std::chrono::milliseconds beats{};  ///< how often to send at least; 0: never
  bool beat_due = false;
  bool has_dropped = false;       ///< some subscription is to be told of messages dropped
  Bound overflows = Bound::none;  ///< which it passed, and so is to be ended
  bool named = false;             ///< by the next `attention`
  bool writing = false;           ///< `output` gave bytes and has not been called since
  Clock::time_point written_at;   ///< when `output` gave something
  Clock::time_point moved_at;     ///< when the socket took something
  Ovirt ovirt;
  std::pair<std::uint64_t, std::size_t> last_name{};  ///< the last delivery that reached it, and
                                                      ///< by which of its names
};

}  // namespace doctor::stomp
