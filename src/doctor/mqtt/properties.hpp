#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/mqtt/reason.hpp"
#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {

/// MQTT 5.0 §2.2.2.2.
enum class PropertyId : std::uint8_t {
  payload_format_indicator = 0x01,
  message_expiry_interval = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry_interval = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay_interval = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_subscription_available = 0x28,
  subscription_identifiers_available = 0x29,
  shared_subscription_available = 0x2A,
};

/// One property; which of the members are used follows from its identifier.
struct Property {
  PropertyId id{};
  std::uint32_t number = 0;
  std::string_view text;   ///< text or binary data; the name of a user property
  std::string_view value;  ///< the value of a user property

  friend bool operator==(const Property&, const Property&) = default;
};

/// The properties of a packet or a will in their order; texts are views of what was decoded, or of
/// what outlives the encoding.
class Properties {
 public:
  Properties() = default;
  Properties(std::initializer_list<Property> list) : list_(list) {}

  void append(const Property& property) { list_.push_back(property); }
  void add(PropertyId id, std::uint32_t number) { list_.push_back({id, number, {}, {}}); }
  void add(PropertyId id, std::string_view text) { list_.push_back({id, 0, text, {}}); }
  void add_user(std::string_view name, std::string_view value) {
    list_.push_back({PropertyId::user_property, 0, name, value});
  }
  /// Removes all with this identifier.
  void remove(PropertyId id);

  bool has(PropertyId id) const { return find(id) != nullptr; }
  /// Of the first with this identifier.
  std::optional<std::uint32_t> number(PropertyId id) const;
  std::optional<std::string_view> text(PropertyId id) const;

  bool empty() const { return list_.empty(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  friend bool operator==(const Properties&, const Properties&) = default;

 private:
  const Property* find(PropertyId id) const;
  std::vector<Property> list_;
};

/// Where properties stand: in a packet, or in the will that a CONNECT carries.
enum class PropertyPlace : std::uint8_t { packet, will };

/// Reads the length and the properties. Fails as malformed for an identifier that is unknown or not
/// allowed there, as a protocol error for one that may occur once and comes again, or whose value
/// the standard forbids.
Properties read_properties(Reader& reader, PacketType packet,
                           PropertyPlace place = PropertyPlace::packet);

/// Appends one property without the length before them all.
void append_property(std::string& out, const Property& property);
/// Appends the length, also if it is 0 [MQTT-2.2.2-1], and the properties.
void append_properties(std::string& out, const Properties& properties);

}  // namespace doctor::mqtt
