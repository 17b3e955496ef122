#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "doctor/base/ring.hpp"
#include "doctor/mqtt/aliases.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/framing.hpp"
#include "doctor/mqtt/packet.hpp"
#include "doctor/mqtt/session.hpp"

namespace doctor::mqtt {

/// One connection.
struct Client {
  enum class State : std::uint8_t {
    connecting,  ///< before CONNECT, until `deadline`
    refusing,    ///< a failed login whose answer waits until `deadline`; nothing more is read
    connected,
    ending,  ///< gone but for the bytes in `answers`; the owner closes it
  };

  /// From `begin` on `answers` waits until a batch of the state is durable.
  struct Hold {
    std::uint64_t batch = 0;
    std::size_t begin = 0;
  };

  /// A message or PUBREL that is to be sent, once a batch of the state is durable.
  struct Sending {
    std::uint16_t packet_id = 0;
    std::uint64_t batch = 0;
    bool dup = false;  ///< it was sent before, on another connection [MQTT-3.3.1-1]
  };

  Client(ConnectionId connection, std::string address, std::size_t packet_limit)
      : id(connection), peer(std::move(address)), splitter(packet_limit) {}

  bool is_v5() const { return version == Version::v5_0; }
  bool limits_packets() const { return packet_max != unlimited; }

  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  ConnectionId id;
  std::string peer;
  State state = State::connecting;
  Version version = Version::v3_1_1;
  Splitter splitter;
  Clock::time_point deadline;
  Clock::time_point check_at = Clock::time_point::max();  ///< when it is looked at next
  Session* session = nullptr;                             ///< while connected

  // From CONNECT.
  std::uint16_t quota = 0;  ///< how many more messages of QoS 1 and 2 it takes now (§4.9)
  std::uint32_t packet_max = unlimited;
  bool tells_problems = true;   ///< Request Problem Information
  bool expiry_was_zero = true;  ///< so DISCONNECT may not raise it
  bool clean_start = true;
  std::string user_name;  ///< for operators, cut
  Clock::time_point connected_at;
  Clock::duration silence_max{};  ///< one and a half Keep Alive; 0: any
  Clock::time_point heard;        ///< the last packet
  ReceivedAliases received_aliases;
  SentAliases sent_aliases;

  // On the way out.
  std::string answers;          ///< encoded packets; those that wait for nothing go before messages
  std::vector<Hold> holds;      ///< in order
  std::uint64_t welcome = 0;    ///< batch that CONNACK waits for
  std::uint64_t opening = 0;    ///< batch that CONNACK or the last SUBACK waits for
  Ring<Sending> sending;        ///< of the session's inflight messages; they go before others
  std::uint64_t waits_for = 0;  ///< the last batch that anything waits for
  bool named = false;           ///< by the next `attention`
  bool writing = false;         ///< `output` gave bytes and has not been called since
  Clock::time_point moved_at;   ///< when it last took something: octets, a message's delivery
};

}  // namespace doctor::mqtt
