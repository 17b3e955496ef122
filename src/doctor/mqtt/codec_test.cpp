#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"
#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

constexpr Version v3 = Version::v3_1_1;
constexpr Version v5 = Version::v5_0;
using namespace std::string_view_literals;

std::string bytes_of(const Packet& packet, Version version) {
  std::string bytes;
  encode(packet, version, bytes);
  return bytes;
}

// Every form of every packet, without properties: what 3.1.1 can say too.
std::vector<Packet> plain_packets(Version version) {
  Connect small;
  small.version = version;
  Connect large;
  large.version = version;
  large.clean_start = false;
  large.keep_alive = 65'535;
  large.client_id = "client/\xEF\xBB\xBF";  // a BOM is kept [MQTT-1.5.4-3]
  large.will = Will{QoS::exactly_once, true, "a/b", "\x00\xFF"sv, {}};
  large.user_name = "";
  large.password = "\x00\x01"sv;
  static const std::string long_payload(300, 'x');
  std::vector<Packet> packets{
      small,
      large,
      Connack{},
      Connack{true, Reason::success, {}},
      Connack{false, Reason::unsupported_protocol_version, {}},
      Connack{false, Reason::client_identifier_not_valid, {}},
      Connack{false, Reason::server_unavailable, {}},
      Connack{false, Reason::bad_user_name_or_password, {}},
      Connack{false, Reason::not_authorized, {}},
      Publish{false, QoS::at_most_once, false, "a", 0, {}, ""},
      Publish{false, QoS::at_least_once, true, "a/b", 1, {}, "payload"},
      Publish{true, QoS::exactly_once, false, "/", 65'535, {}, long_payload},
      Puback{1, {}, {}},
      Pubrec{2, {}, {}},
      Pubrel{3, {}, {}},
      Pubcomp{65'535, {}, {}},
      Subscribe{7, {}, {{"#", {}, 0}, {"+/b/#", {QoS::exactly_once, false, false}, 0}}},
      Suback{7,
             {},
             {Reason::success, Reason::granted_qos_1, Reason::granted_qos_2,
              Reason::unspecified_error}},
      Unsubscribe{8, {}, {"a", "+"}},
      Unsuback{8, {}, {}},
      Pingreq{},
      Pingresp{},
      Disconnect{},
  };
  return packets;
}

// What only 5.0 can say.
std::vector<Packet> rich_packets() {
  const Property user{PropertyId::user_property, 0, "name", "value"};
  const Property user_again{PropertyId::user_property, 0, "name", ""};
  const Property why{PropertyId::reason_string, 0, "because", {}};
  const Property method{PropertyId::authentication_method, 0, "M", {}};
  const Property data{PropertyId::authentication_data, 0, "\x00"sv, {}};
  Connect connect;
  connect.properties = {{PropertyId::session_expiry_interval, 0xFFFFFFFF, {}, {}},
                        {PropertyId::receive_maximum, 1, {}, {}},
                        {PropertyId::maximum_packet_size, 1, {}, {}},
                        {PropertyId::topic_alias_maximum, 0, {}, {}},
                        {PropertyId::request_response_information, 1, {}, {}},
                        {PropertyId::request_problem_information, 0, {}, {}},
                        user,
                        method,
                        data,
                        user_again};
  connect.password = "without a user name";
  connect.will = Will{QoS::at_least_once,
                      false,
                      "will",
                      "gone",
                      {{PropertyId::will_delay_interval, 60, {}, {}},
                       {PropertyId::payload_format_indicator, 1, {}, {}},
                       {PropertyId::message_expiry_interval, 10, {}, {}},
                       {PropertyId::content_type, 0, "text", {}},
                       {PropertyId::response_topic, 0, "r/t", {}},
                       {PropertyId::correlation_data, 0, "\x00\x80"sv, {}},
                       user,
                       user}};
  const Properties connack{{PropertyId::session_expiry_interval, 0, {}, {}},
                           {PropertyId::receive_maximum, 100, {}, {}},
                           {PropertyId::maximum_qos, 1, {}, {}},
                           {PropertyId::retain_available, 0, {}, {}},
                           {PropertyId::maximum_packet_size, 1 << 20, {}, {}},
                           {PropertyId::assigned_client_identifier, 0, "doctor-1", {}},
                           {PropertyId::topic_alias_maximum, 5, {}, {}},
                           why,
                           user,
                           {PropertyId::wildcard_subscription_available, 1, {}, {}},
                           {PropertyId::subscription_identifiers_available, 0, {}, {}},
                           {PropertyId::shared_subscription_available, 0, {}, {}},
                           {PropertyId::server_keep_alive, 60, {}, {}},
                           {PropertyId::response_information, 0, "info", {}},
                           {PropertyId::server_reference, 0, "other", {}},
                           method,
                           data};
  const Properties publish{{PropertyId::payload_format_indicator, 0, {}, {}},
                           {PropertyId::topic_alias, 3, {}, {}},
                           {PropertyId::subscription_identifier, 1, {}, {}},
                           {PropertyId::subscription_identifier, variable_max, {}, {}},
                           user};
  const Properties ack{why, user};
  return {
      connect,
      Connack{false, Reason::success, connack},
      Connack{false, Reason::banned, {}},
      Publish{false, QoS::at_least_once, false, "", 9, publish, "aliased"},
      Puback{1, Reason::no_matching_subscribers, {}},
      Puback{1, Reason::success, ack},
      Pubrec{2, Reason::quota_exceeded, ack},
      Pubrel{3, Reason::packet_identifier_not_found, {}},
      Pubcomp{4, Reason::packet_identifier_not_found, ack},
      Subscribe{7,
                {{PropertyId::subscription_identifier, 5, {}, {}}, user},
                {{"a", {QoS::at_least_once, true, true}, 2}, {"$share/g/b", {}, 1}}},
      Suback{7, ack, {Reason::topic_filter_invalid, Reason::quota_exceeded}},
      Unsubscribe{8, {user}, {"a"}},
      Unsuback{8, ack, {Reason::success, Reason::no_subscription_existed}},
      Disconnect{Reason::session_taken_over, {}},
      Disconnect{Reason::success, {{PropertyId::session_expiry_interval, 1, {}, {}}}},
      Disconnect{Reason::server_moved, {{PropertyId::server_reference, 0, "other", {}}, why}},
      Auth{},
      Auth{Reason::continue_authentication, {method, data, why}},
  };
}

std::vector<Packet> packets_of(Version version) {
  std::vector<Packet> packets = plain_packets(version);
  if (version == v5) {
    for (Packet& packet : rich_packets()) packets.push_back(std::move(packet));
  }
  return packets;
}

// What a splitter and the decoder make of `bytes`, in pieces of at most `piece` bytes, as the bytes
// that encode what was understood: text, since packets are views.
std::vector<std::string> understood(std::string_view bytes, std::size_t piece, Version version) {
  std::vector<std::string> all;
  Splitter splitter(1 << 20);
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, piece);
    bytes.remove_prefix(input.size());
    for (;;) {
      const auto frame = splitter.next(input);
      if (!frame) return {std::string(frame.error().detail)};
      if (!*frame) break;
      const auto packet = decode(**frame, version);
      all.push_back(packet ? bytes_of(*packet, version) : std::string(packet.error().detail));
    }
  }
  return all;
}

TEST(Codec, EveryPacketIsDecodedAsItWasEncoded) {
  for (const Version version : {v3, v5}) {
    for (const Packet& packet : packets_of(version)) {
      const std::string bytes = bytes_of(packet, version);
      Splitter splitter(1 << 20);
      std::string_view input = bytes;
      const auto frame = splitter.next(input);
      ASSERT_TRUE(frame && *frame);
      EXPECT_TRUE(input.empty());
      const auto decoded = decode(**frame, version);
      ASSERT_TRUE(decoded) << decoded.error().detail << ", packet " << packet.index();
      EXPECT_EQ(*decoded, packet) << "packet " << packet.index();
    }
  }
}

TEST(Codec, PacketsAreTheSameWholeByteByByteAndTwoInOnePiece) {
  for (const Version version : {v3, v5}) {
    std::string stream;
    std::vector<std::string> each;
    for (const Packet& packet : packets_of(version)) {
      each.push_back(bytes_of(packet, version));
      stream += each.back();
      EXPECT_EQ(understood(each.back(), 1, version), (std::vector{each.back()}));
      EXPECT_EQ(understood(each.back() + each.back(), 1 << 20, version),
                (std::vector{each.back(), each.back()}));
    }
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u, 1u << 20}) {
      EXPECT_EQ(understood(stream, piece, version), each) << "pieces of " << piece;
    }
  }
}

TEST(Codec, APacketCutShortIsRefusedWhereverItIsCut) {
  for (const Version version : {v3, v5}) {
    for (const Packet& packet : packets_of(version)) {
      const std::string bytes = bytes_of(packet, version);
      const std::size_t header = bytes.size() > 129 ? 3 : 2;
      const std::string_view body = std::string_view(bytes).substr(header);
      // A payload, a list of filters and a list of reasons may end anywhere between elements, and
      // reasons and properties may be left out.
      if (std::holds_alternative<Connect>(packet) || std::holds_alternative<Connack>(packet)) {
        for (std::size_t size = 0; size < body.size(); ++size) {
          const Frame frame{static_cast<PacketType>(bytes[0] >> 4 & 15), 0, body.substr(0, size)};
          EXPECT_FALSE(decode(frame, version)) << size << " of packet " << packet.index();
        }
      }
      std::string longer(body);
      longer += '\0';
      if (std::holds_alternative<Connect>(packet) || std::holds_alternative<Pingreq>(packet)) {
        const Frame frame{static_cast<PacketType>(bytes[0] >> 4 & 15), 0, longer};
        EXPECT_FALSE(decode(frame, version)) << "one byte more in packet " << packet.index();
      }
    }
  }
}

// The refusal of a stream of bytes: of the first packet, header or body.
Reason refused(std::string_view bytes, Version version = v5) {
  Splitter splitter(1 << 20);
  const auto frame = splitter.next(bytes);
  if (!frame) return frame.error().reason;
  if (!*frame) {
    ADD_FAILURE() << "not a whole packet";
    return Reason::success;
  }
  const auto packet = decode(**frame, version);
  return packet ? Reason::success : packet.error().reason;
}

// PUBLISH at QoS 0 with a topic of these octets.
std::string publish_to(std::string_view topic) {
  std::string body;
  append_binary(body, topic);
  body += '\0';
  std::string bytes = "\x30";
  append_variable(bytes, static_cast<std::uint32_t>(body.size()));
  return bytes + body;
}

std::string with_properties(std::string_view before, std::string_view properties,
                            std::string_view after = {}) {
  std::string body(before);
  append_variable(body, static_cast<std::uint32_t>(properties.size()));
  body += properties;
  return body += after;
}

std::string packet_of(std::uint8_t first, std::string_view body) {
  std::string bytes(1, static_cast<char>(first));
  append_variable(bytes, static_cast<std::uint32_t>(body.size()));
  return bytes += body;
}

TEST(Codec, VariableByteIntegersAreMinimalAndAtMostFourBytes) {  // [MQTT-1.5.5-1]
  EXPECT_EQ(refused("\xC0\x80\x00"sv), Reason::malformed_packet);
  EXPECT_EQ(refused("\xC0\x80\x80\x80\x80\x01"sv), Reason::malformed_packet);
  for (const std::uint32_t value :
       {0u, 127u, 128u, 16'383u, 16'384u, 2'097'151u, 2'097'152u, variable_max}) {
    std::string bytes;
    append_variable(bytes, value);
    EXPECT_EQ(bytes.size(), variable_size(value));
    Reader reader(bytes);
    EXPECT_EQ(reader.variable(), value);
    EXPECT_TRUE(reader.at_end() && !reader.failed());
  }
}

TEST(Codec, ReservedTypesAndFlagsAreMalformed) {  // [MQTT-2.1.3-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
  for (int first = 0; first < 256; ++first) {
    const int type = first >> 4;
    const int flags = first & 15;
    const int required = type == 6 || type == 8 || type == 10 ? 2 : 0;
    if (type == 3 || (type != 0 && flags == required)) continue;
    EXPECT_EQ(refused(packet_of(static_cast<std::uint8_t>(first), "")), Reason::malformed_packet)
        << first;
  }
  EXPECT_EQ(refused("\xF0\x00"sv, v3), Reason::malformed_packet);  // AUTH is of 5.0
}

TEST(Codec, IllFormedTextAndControlCharactersAreMalformed) {  // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
  for (const std::string_view text :
       {"\xED\xA0\x80"sv, "a\x00"sv, "\xC0\x80"sv, "\xFF"sv, "\x01"sv, "\x1F"sv, "\x7F"sv,
        "\xC2\x80"sv, "\xC2\x9F"sv, "\xEF\xBF\xBF"sv, "\xEF\xB7\x90"sv, "\xF0\x9F\xBF\xBE"sv}) {
    EXPECT_EQ(refused(publish_to(text)), Reason::malformed_packet);
  }
  EXPECT_EQ(refused(publish_to("\xEF\xBB\xBF")), Reason::success);  // [MQTT-1.5.4-3]
  EXPECT_EQ(refused(publish_to("\xF4\x8F\xBF\xBD")), Reason::success);
}

TEST(Codec, PacketIdentifierZeroIsAnError) {  // [MQTT-2.2.1-3]
  EXPECT_EQ(refused(packet_of(0x32, "\0\1a\0\0\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\0\0\0\1a\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xA2, "\0\0\0\0\1a"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x40, "\0\0"sv)), Reason::protocol_error);
}

TEST(Codec, QoS3AndDupAtQoS0AreMalformed) {  // [MQTT-3.3.1-4] [MQTT-3.3.1-2] [MQTT-3.1.2-12]
  EXPECT_EQ(refused(packet_of(0x36, "\0\1a\0\1\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x38, "\0\1a\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x1E\0\0\0\0\0\0\0\1w\0\0"sv)),
            Reason::malformed_packet);
}

TEST(Codec, APropertyTwiceIsAProtocolError) {  // §2.2.2.2
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x01\x01\x01\x01"))),
            Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, with_properties("\0\1"sv, "\x0B\x01\x0B\x02", "\0\1a\0"sv))),
            Reason::protocol_error);
}

TEST(Codec, APropertyThatIsUnknownOrOfAnotherPacketIsMalformed) {  // §2.2.2.2
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x13\0\1"sv))),
            Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x7F\0"sv))),
            Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0xE0, with_properties("\0"sv, "\x21\0\1"sv))),
            Reason::malformed_packet);
}

TEST(Codec, EachPropertyIsTakenOnlyWhereTheTableAllowsIt) {  // §2.2.2.2
  // Packets that can be built from nothing but properties; others have tests of their own.
  struct Place {
    std::uint8_t first;
    std::string_view before;
    std::string_view after;
    std::string_view allowed;  // identifiers
  };
  const Place places[] = {
      {0x10, "\0\4MQTT\5\0\0\0"sv, "\0\0"sv, "\x11\x15\x17\x19\x21\x22\x26\x27"sv},
      {0x20, "\0\0"sv, "", "\x11\x12\x13\x15\x1A\x1C\x1F\x21\x22\x24\x25\x26\x27\x28\x29\x2A"sv},
      {0x30, "\0\1a"sv, "", "\x01\x02\x03\x08\x09\x0B\x23\x26"sv},
      {0x40, "\0\1\0"sv, "", "\x1F\x26"sv},
      {0x50, "\0\1\0"sv, "", "\x1F\x26"sv},
      {0x62, "\0\1\0"sv, "", "\x1F\x26"sv},
      {0x70, "\0\1\0"sv, "", "\x1F\x26"sv},
      {0x82, "\0\1"sv, "\0\1a\0"sv, "\x0B\x26"sv},
      {0x90, "\0\1"sv, "\0"sv, "\x1F\x26"sv},
      {0xA2, "\0\1"sv, "\0\1a"sv, "\x26"sv},
      {0xB0, "\0\1"sv, "\0"sv, "\x1F\x26"sv},
      {0xE0, "\0"sv, "", "\x11\x1C\x1F\x26"sv},
      {0xF0, "\0"sv, "", "\x15\x1F\x26"sv},
  };
  const std::string_view values[] = {
      "\x01\x01"sv,  "\x02\0\0\0\1"sv,   "\x03\0\1a"sv,    "\x08\0\1a"sv, "\x09\0\1a"sv,
      "\x0B\x01"sv,  "\x11\0\0\0\1"sv,   "\x12\0\1a"sv,    "\x13\0\1"sv,  "\x15\0\1a"sv,
      "\x17\x01"sv,  "\x18\0\0\0\1"sv,   "\x19\x01"sv,     "\x1A\0\1a"sv, "\x1C\0\1a"sv,
      "\x1F\0\1a"sv, "\x21\0\1"sv,       "\x22\0\1"sv,     "\x23\0\1"sv,  "\x24\x01"sv,
      "\x25\x01"sv,  "\x26\0\1a\0\1b"sv, "\x27\0\0\0\1"sv, "\x28\x01"sv,  "\x29\x01"sv,
      "\x2A\x01"sv};
  for (const Place& place : places) {
    for (const std::string_view value : values) {
      const bool allowed = place.allowed.find(value[0]) != std::string_view::npos;
      EXPECT_EQ(refused(packet_of(place.first, with_properties(place.before, value, place.after))),
                allowed ? Reason::success : Reason::malformed_packet)
          << "property " << int{value[0]} << " in packet " << int{place.first};
    }
  }
}

TEST(Codec, ValuesThatTheStandardForbidsAreProtocolErrors) {
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x01\x02"))),
            Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x10, with_properties("\0\4MQTT\5\2\0\0"sv, "\x21\0\0"sv, "\0\0"sv))),
            Reason::protocol_error);
  EXPECT_EQ(
      refused(packet_of(0x10, with_properties("\0\4MQTT\5\2\0\0"sv, "\x27\0\0\0\0"sv, "\0\0"sv))),
      Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, with_properties("\0\1"sv, "\x0B\0"sv, "\0\1a\0"sv))),
            Reason::protocol_error);
  // Authentication data without a method (§3.1.2.11.10).
  EXPECT_EQ(
      refused(packet_of(0x10, with_properties("\0\4MQTT\5\2\0\0"sv, "\x16\0\1a"sv, "\0\0"sv))),
      Reason::protocol_error);
  // A response topic with wildcards [MQTT-3.3.2-14].
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x08\0\1#"sv))),
            Reason::protocol_error);
}

TEST(Codec, ThePropertyLengthIsWrittenAlsoIfItIs0) {  // [MQTT-2.2.2-1]
  EXPECT_EQ(bytes_of(Publish{false, QoS::at_most_once, false, "a", 0, {}, "p"}, v5),
            "\x30\x05\0\1a\0p"sv);
  EXPECT_EQ(bytes_of(Subscribe{1, {}, {{"a", {}, 0}}}, v5), "\x82\x07\0\1\0\0\1a\0"sv);
  EXPECT_EQ(refused("\x30\x03\0\1a"sv), Reason::malformed_packet);
}

TEST(Codec, ConnectFlagsThatContradictEachOtherAreMalformed) {
  // [MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\1\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x08\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x20\0\0\0\0\0"sv)), Reason::malformed_packet);
  // A password without a user name [MQTT-3.1.2-22 of 3.1.1]; 5.0 allows it.
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\4\x42\0\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x42\0\0\0\0\0\0\0"sv)), Reason::success);
}

TEST(Codec, UnknownVersionsAndProtocolNamesAreTold) {  // [MQTT-3.1.2-1] [MQTT-3.1.2-2]
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\6\2\0\0\0\0\0"sv)),
            Reason::unsupported_protocol_version);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\3\2\0\0\0\0\0"sv)),
            Reason::unsupported_protocol_version);
  EXPECT_EQ(refused(packet_of(0x10, "\0\6MQIsdp\3\2\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(protocol_level({PacketType::connect, 0, "\0\4MQTT\6"sv}), 6);
  EXPECT_EQ(protocol_level({PacketType::connect, 0, "\0\6MQIsdp\3"sv}), std::nullopt);
}

TEST(Codec, WildcardsInATopicNameAndAnEmptyTopicAreMalformed) {  // [MQTT-3.3.2-2] [MQTT-4.7.3-1]
  for (const std::string_view topic : {"", "+", "a/+", "#", "a#"}) {
    EXPECT_EQ(refused(publish_to(topic)), Reason::malformed_packet) << topic;
  }
  EXPECT_EQ(refused(packet_of(0x30, "\0\0"sv), v3), Reason::malformed_packet);
}

TEST(Codec, FiltersWithMisplacedWildcardsAreMalformed) {  // [MQTT-4.7.1-1] [MQTT-4.7.1-2]
  for (const std::string_view filter : {"", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b"}) {
    std::string body("\0\1\0"sv);
    append_binary(body, filter);
    EXPECT_EQ(refused(packet_of(0xA2, body)), Reason::malformed_packet) << filter;
    body += '\0';
    EXPECT_EQ(refused(packet_of(0x82, body)), Reason::malformed_packet) << filter;
  }
}

TEST(Codec, SubscribeAndUnsubscribeHaveAFilter) {  // [MQTT-3.8.3-2] [MQTT-3.10.3-2]
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xA2, "\0\1\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1"sv), v3), Reason::protocol_error);
}

TEST(Codec, ReservedSubscriptionOptionsAreMalformed) {  // [MQTT-3.8.3-5]
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x40"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x80"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x03"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x30"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\1a\x04"sv), v3), Reason::malformed_packet);
}

TEST(Codec, NoLocalWithASharedSubscriptionIsAProtocolError) {  // [MQTT-3.8.3-4]
  std::string body("\0\1\0"sv);
  append_binary(body, "$share/g/a");
  EXPECT_EQ(refused(packet_of(0x82, body + '\4')), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, body + '\1')), Reason::success);
}

TEST(Codec, AReasonCodeOfAnotherPacketIsAProtocolError) {  // §2.4
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\x8E"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\x55"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xE0, "\x10"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xE0, "\x04"sv)), Reason::success);
}

TEST(Codec, AcknowledgementsOf311HaveOnlyTheirIdentifier) {
  EXPECT_EQ(bytes_of(Puback{5, Reason::not_authorized, {}}, v3), "\x40\x02\0\5"sv);
  EXPECT_EQ(bytes_of(Suback{5, {}, {Reason::quota_exceeded}}, v3), "\x90\x03\0\5\x80"sv);
  EXPECT_EQ(bytes_of(Unsuback{5, {}, {Reason::no_subscription_existed}}, v3), "\xB0\x02\0\5"sv);
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\0"sv), v3), Reason::malformed_packet);
}

TEST(Splitter, APacketOverTheMaximumIsRefusedBeforeItsBodyIsThere) {
  Splitter splitter(100);
  std::string_view fits = "\x30\x62";
  EXPECT_TRUE(splitter.next(fits));
  Splitter other(100);
  std::string_view over = "\x30\x63";
  const auto frame = other.next(over);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().reason, Reason::packet_too_large);
}

TEST(Splitter, AWrongFirstByteIsRefusedBeforeItsLengthIsThere) {
  Splitter splitter(100);
  std::string_view input = "G";
  EXPECT_FALSE(splitter.next(input));
}

}  // namespace
}  // namespace doctor::mqtt
