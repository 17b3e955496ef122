#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "doctor/mqtt/test_wire.hpp"

namespace doctor::mqtt::testing {
namespace {

using namespace std::string_view_literals;

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

TEST(Codec, AcknowledgementsOf311HaveOnlyTheirIdentifier) {
  EXPECT_EQ(bytes_of(Puback{5, Reason::not_authorized, {}}, v3), "\x40\x02\0\5"sv);
  EXPECT_EQ(bytes_of(Suback{5, {}, {Reason::quota_exceeded}}, v3), "\x90\x03\0\5\x80"sv);
  EXPECT_EQ(bytes_of(Unsuback{5, {}, {Reason::no_subscription_existed}}, v3), "\xB0\x02\0\5"sv);
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\0"sv), v3), Reason::malformed_packet);
}

}  // namespace
}  // namespace doctor::mqtt::testing
