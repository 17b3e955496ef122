#include "doctor/mqtt/test_wire.hpp"

// What no packet may say, whoever sends it.
namespace doctor::mqtt::testing {
namespace {

using namespace std::string_view_literals;

TEST(Malformed, IllFormedTextAndControlCharactersAreMalformed) {  // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
  for (const std::string_view text :
       {"\xED\xA0\x80"sv, "a\x00"sv, "\xC0\x80"sv, "\xFF"sv, "\x01"sv, "\x1F"sv, "\x7F"sv,
        "\xC2\x80"sv, "\xC2\x9F"sv, "\xEF\xBF\xBF"sv, "\xEF\xB7\x90"sv, "\xF0\x9F\xBF\xBE"sv}) {
    EXPECT_EQ(refused(publish_to(text)), Reason::malformed_packet);
  }
  EXPECT_EQ(refused(publish_to("\xEF\xBB\xBF")), Reason::success);  // [MQTT-1.5.4-3]
  EXPECT_EQ(refused(publish_to("\xF4\x8F\xBF\xBD")), Reason::success);
}

TEST(Malformed, PacketIdentifierZeroIsAnError) {  // [MQTT-2.2.1-3]
  EXPECT_EQ(refused(packet_of(0x32, "\0\1a\0\0\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\0\0\0\1a\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xA2, "\0\0\0\0\1a"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x40, "\0\0"sv)), Reason::protocol_error);
}

TEST(Malformed, QoS3AndDupAtQoS0AreMalformed) {  // [MQTT-3.3.1-4] [MQTT-3.3.1-2] [MQTT-3.1.2-12]
  EXPECT_EQ(refused(packet_of(0x36, "\0\1a\0\1\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x38, "\0\1a\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x1E\0\0\0\0\0\0\0\1w\0\0"sv)),
            Reason::malformed_packet);
}

TEST(Malformed, ConnectFlagsThatContradictEachOtherAreMalformed) {
  // [MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\1\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x08\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x20\0\0\0\0\0"sv)), Reason::malformed_packet);
  // A password without a user name [MQTT-3.1.2-22 of 3.1.1]; 5.0 allows it.
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\4\x42\0\0\0\0\0\0"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\5\x42\0\0\0\0\0\0\0"sv)), Reason::success);
}

TEST(Malformed, UnknownVersionsAndProtocolNamesAreTold) {  // [MQTT-3.1.2-1] [MQTT-3.1.2-2]
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\6\2\0\0\0\0\0"sv)),
            Reason::unsupported_protocol_version);
  EXPECT_EQ(refused(packet_of(0x10, "\0\4MQTT\3\2\0\0\0\0\0"sv)),
            Reason::unsupported_protocol_version);
  EXPECT_EQ(refused(packet_of(0x10, "\0\6MQIsdp\3\2\0\0\0\0"sv)),
            Reason::unsupported_protocol_version);
  EXPECT_EQ(protocol_level({PacketType::connect, 0, "\0\4MQTT\6"sv}), 6);
  EXPECT_EQ(protocol_level({PacketType::connect, 0, "\0\6MQIsdp\3"sv}), 3);
}

TEST(Malformed,
     WildcardsInATopicNameAndAnEmptyTopicAreMalformed) {  // [MQTT-3.3.2-2] [MQTT-4.7.3-1]
  for (const std::string_view topic : {"", "+", "a/+", "#", "a#"}) {
    EXPECT_EQ(refused(publish_to(topic)), Reason::malformed_packet) << topic;
  }
  EXPECT_EQ(refused(packet_of(0x30, "\0\0"sv), v3), Reason::malformed_packet);
}

TEST(Malformed, FiltersWithMisplacedWildcardsAreMalformed) {  // [MQTT-4.7.1-1] [MQTT-4.7.1-2]
  for (const std::string_view filter : {"", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b"}) {
    std::string body("\0\1\0"sv);
    append_binary(body, filter);
    EXPECT_EQ(refused(packet_of(0xA2, body)), Reason::malformed_packet) << filter;
    body += '\0';
    EXPECT_EQ(refused(packet_of(0x82, body)), Reason::malformed_packet) << filter;
  }
}

TEST(Malformed, SubscribeAndUnsubscribeHaveAFilter) {  // [MQTT-3.8.3-2] [MQTT-3.10.3-2]
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xA2, "\0\1\0"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1"sv), v3), Reason::protocol_error);
}

TEST(Malformed, ReservedSubscriptionOptionsAreMalformed) {  // [MQTT-3.8.3-5]
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x40"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x80"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x03"sv)), Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\0\1a\x30"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, "\0\1\0\1a\x04"sv), v3), Reason::malformed_packet);
}

TEST(Malformed, NoLocalWithASharedSubscriptionIsAProtocolError) {  // [MQTT-3.8.3-4]
  std::string body("\0\1\0"sv);
  append_binary(body, "$share/g/a");
  EXPECT_EQ(refused(packet_of(0x82, body + '\4')), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, body + '\1')), Reason::success);
}

TEST(Malformed, AReasonCodeOfAnotherPacketIsAProtocolError) {  // §2.4
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\x8E"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x40, "\0\1\x55"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xE0, "\x10"sv)), Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0xE0, "\x04"sv)), Reason::success);
}

}  // namespace
}  // namespace doctor::mqtt::testing
