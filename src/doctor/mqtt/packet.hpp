#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "doctor/mqtt/properties.hpp"
#include "doctor/mqtt/reason.hpp"

namespace doctor::mqtt {

/// By the protocol level that CONNECT carries.
enum class Version : std::uint8_t { v3_1_1 = 4, v5_0 = 5 };

enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

// The control packets of MQTT 5.0 chapter 3 and, without properties, of 3.1.1. Texts, payloads and
// the texts of properties are views: of the bytes that were decoded, or of what outlives encoding.

struct Will {
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::string_view topic;
  std::string_view payload;
  Properties properties;

  friend bool operator==(const Will&, const Will&) = default;
};

struct Connect {
  static constexpr PacketType type = PacketType::connect;
  Version version = Version::v5_0;
  bool clean_start = true;       ///< 3.1.1: Clean Session
  std::uint16_t keep_alive = 0;  ///< seconds; 0: none
  std::string_view client_id;
  std::optional<Will> will;
  std::optional<std::string_view> user_name;
  std::optional<std::string_view> password;
  Properties properties;

  friend bool operator==(const Connect&, const Connect&) = default;
};

struct Connack {
  static constexpr PacketType type = PacketType::connack;
  bool session_present = false;
  Reason reason = Reason::success;
  Properties properties;

  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  static constexpr PacketType type = PacketType::publish;
  bool dup = false;
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::string_view topic;
  std::uint16_t packet_id = 0;  ///< none (0) at QoS 0
  Properties properties;
  std::string_view payload;

  friend bool operator==(const Publish&, const Publish&) = default;
};

/// PUBACK, PUBREC, PUBREL and PUBCOMP have one form.
template <PacketType packet_type>
struct Acknowledgement {
  static constexpr PacketType type = packet_type;
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;

  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};
using Puback = Acknowledgement<PacketType::puback>;
using Pubrec = Acknowledgement<PacketType::pubrec>;
using Pubrel = Acknowledgement<PacketType::pubrel>;
using Pubcomp = Acknowledgement<PacketType::pubcomp>;

/// What a client wishes of a subscription (§3.8.3.1); 3.1.1 knows only the QoS.
struct SubscriptionOptions {
  QoS qos = QoS::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;

  friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

struct Subscribe {
  static constexpr PacketType type = PacketType::subscribe;
  struct Request {
    std::string_view filter;
    SubscriptionOptions options;
    std::uint8_t retain_handling = 0;  ///< 0 to 2

    friend bool operator==(const Request&, const Request&) = default;
  };
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Request> requests;

  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

struct Suback {
  static constexpr PacketType type = PacketType::suback;
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Reason> reasons;  ///< one a filter, in their order [MQTT-3.9.3-1]

  friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
  static constexpr PacketType type = PacketType::unsubscribe;
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<std::string_view> filters;

  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

struct Unsuback {
  static constexpr PacketType type = PacketType::unsuback;
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Reason> reasons;  ///< none in 3.1.1

  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

struct Pingreq {
  static constexpr PacketType type = PacketType::pingreq;
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};

struct Pingresp {
  static constexpr PacketType type = PacketType::pingresp;
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

struct Disconnect {
  static constexpr PacketType type = PacketType::disconnect;
  Reason reason = Reason::success;
  Properties properties;

  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

/// 5.0 only.
struct Auth {
  static constexpr PacketType type = PacketType::auth;
  Reason reason = Reason::success;
  Properties properties;

  friend bool operator==(const Auth&, const Auth&) = default;
};

using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe,
                            Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect, Auth>;

}  // namespace doctor::mqtt
