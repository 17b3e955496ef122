#include "doctor/mqtt/properties.hpp"

#include <algorithm>

namespace doctor::mqtt {
namespace {

enum class Type : std::uint8_t { byte, two_bytes, four_bytes, variable, text, binary, pair };
enum class Values : std::uint8_t { any, zero_or_one, not_zero };

constexpr std::uint32_t in(PacketType packet) {
  return 1u << static_cast<unsigned>(packet);
}
constexpr std::uint32_t in_will = 1;  // there is no packet of type 0

struct Rule {
  PropertyId id;
  Type type;
  std::uint32_t places;
  Values values = Values::any;
};

// The table of §2.2.2.2, with what the chapters of the packets say of values.
constexpr std::uint32_t message = in(PacketType::publish) | in_will;
constexpr std::uint32_t everywhere = 0xFFFF & ~(in(PacketType::pingreq) | in(PacketType::pingresp));
constexpr std::uint32_t both_connects = in(PacketType::connect) | in(PacketType::connack);
constexpr Rule rules[] = {
    {PropertyId::payload_format_indicator, Type::byte, message, Values::zero_or_one},
    {PropertyId::message_expiry_interval, Type::four_bytes, message},
    {PropertyId::content_type, Type::text, message},
    {PropertyId::response_topic, Type::text, message},
    {PropertyId::correlation_data, Type::binary, message},
    {PropertyId::subscription_identifier, Type::variable,
     in(PacketType::publish) | in(PacketType::subscribe), Values::not_zero},
    {PropertyId::session_expiry_interval, Type::four_bytes,
     both_connects | in(PacketType::disconnect)},
    {PropertyId::assigned_client_identifier, Type::text, in(PacketType::connack)},
    {PropertyId::server_keep_alive, Type::two_bytes, in(PacketType::connack)},
    {PropertyId::authentication_method, Type::text, both_connects | in(PacketType::auth)},
    {PropertyId::authentication_data, Type::binary, both_connects | in(PacketType::auth)},
    {PropertyId::request_problem_information, Type::byte, in(PacketType::connect),
     Values::zero_or_one},
    {PropertyId::will_delay_interval, Type::four_bytes, in_will},
    {PropertyId::request_response_information, Type::byte, in(PacketType::connect),
     Values::zero_or_one},
    {PropertyId::response_information, Type::text, in(PacketType::connack)},
    {PropertyId::server_reference, Type::text,
     in(PacketType::connack) | in(PacketType::disconnect)},
    {PropertyId::reason_string, Type::text,
     everywhere & ~(message | in(PacketType::connect) | in(PacketType::subscribe) |
                    in(PacketType::unsubscribe))},
    {PropertyId::receive_maximum, Type::two_bytes, both_connects, Values::not_zero},
    {PropertyId::topic_alias_maximum, Type::two_bytes, both_connects},
    {PropertyId::topic_alias, Type::two_bytes, in(PacketType::publish)},
    {PropertyId::maximum_qos, Type::byte, in(PacketType::connack), Values::zero_or_one},
    {PropertyId::retain_available, Type::byte, in(PacketType::connack), Values::zero_or_one},
    {PropertyId::user_property, Type::pair, everywhere},
    {PropertyId::maximum_packet_size, Type::four_bytes, both_connects, Values::not_zero},
    {PropertyId::wildcard_subscription_available, Type::byte, in(PacketType::connack),
     Values::zero_or_one},
    {PropertyId::subscription_identifiers_available, Type::byte, in(PacketType::connack),
     Values::zero_or_one},
    {PropertyId::shared_subscription_available, Type::byte, in(PacketType::connack),
     Values::zero_or_one},
};

const Rule* rule_of(std::uint32_t id) {
  for (const Rule& rule : rules) {
    if (static_cast<std::uint32_t>(rule.id) == id) return &rule;
  }
  return nullptr;
}

// User properties may always come again; a PUBLISH to a client carries the identifier of each
// subscription that matched.
bool may_repeat(PropertyId id, PacketType packet) {
  return id == PropertyId::user_property ||
         (id == PropertyId::subscription_identifier && packet == PacketType::publish);
}

Property read_property(Reader& reader, const Rule& rule) {
  Property property{rule.id, 0, {}, {}};
  switch (rule.type) {
    case Type::byte:
      property.number = reader.byte();
      break;
    case Type::two_bytes:
      property.number = reader.two_bytes();
      break;
    case Type::four_bytes:
      property.number = reader.four_bytes();
      break;
    case Type::variable:
      property.number = reader.variable();
      break;
    case Type::text:
      property.text = reader.text();
      break;
    case Type::binary:
      property.text = reader.binary();
      break;
    case Type::pair:
      property.text = reader.text();
      property.value = reader.text();
      break;
  }
  const bool wrong = (rule.values == Values::zero_or_one && property.number > 1) ||
                     (rule.values == Values::not_zero && property.number == 0);
  if (wrong) reader.fail(Reason::protocol_error, "a property has a value that it may not have");
  return property;
}

}  // namespace

void Properties::remove(PropertyId id) {
  std::erase_if(list_, [&](const Property& property) { return property.id == id; });
}

const Property* Properties::find(PropertyId id) const {
  const auto found = std::find_if(list_.begin(), list_.end(),
                                  [&](const Property& property) { return property.id == id; });
  return found == list_.end() ? nullptr : &*found;
}

std::optional<std::uint32_t> Properties::number(PropertyId id) const {
  const Property* property = find(id);
  return property == nullptr ? std::nullopt : std::optional(property->number);
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
  const Property* property = find(id);
  return property == nullptr ? std::nullopt : std::optional(property->text);
}

Properties read_properties(Reader& reader, PacketType packet, PropertyPlace place) {
  Properties properties;
  const std::uint32_t here = place == PropertyPlace::will ? in_will : in(packet);
  Reader own(reader.take(reader.variable()));
  std::uint64_t seen = 0;
  while (!own.at_end()) {
    const Rule* rule = rule_of(own.variable());
    if (rule == nullptr || (rule->places & here) == 0) {
      own.fail(Reason::malformed_packet, "a property that this packet may not have");
      break;
    }
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(rule->id);
    if ((seen & bit) != 0 && !may_repeat(rule->id, packet)) {
      own.fail(Reason::protocol_error, "a property comes twice");
      break;
    }
    seen |= bit;
    const Property property = read_property(own, *rule);
    if (!own.failed()) properties.append(property);
  }
  if (own.failed()) reader.fail(own.failure()->reason, own.failure()->detail);
  return properties;
}

void append_property(std::string& out, const Property& property) {
  append_byte(out, static_cast<std::uint8_t>(property.id));
  switch (rule_of(static_cast<std::uint32_t>(property.id))->type) {
    case Type::byte:
      append_byte(out, static_cast<std::uint8_t>(property.number));
      break;
    case Type::two_bytes:
      append_two_bytes(out, static_cast<std::uint16_t>(property.number));
      break;
    case Type::four_bytes:
      append_four_bytes(out, property.number);
      break;
    case Type::variable:
      append_variable(out, property.number);
      break;
    case Type::text:
    case Type::binary:
      append_binary(out, property.text);
      break;
    case Type::pair:
      append_binary(out, property.text);
      append_binary(out, property.value);
      break;
  }
}

void append_properties(std::string& out, const Properties& properties) {
  std::string list;
  for (const Property& property : properties) append_property(list, property);
  append_variable(out, static_cast<std::uint32_t>(list.size()));
  out += list;
}

}  // namespace doctor::mqtt
