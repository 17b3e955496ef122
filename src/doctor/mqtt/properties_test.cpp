#include "doctor/mqtt/test_wire.hpp"

// Properties: where each is allowed, how often, with which values (MQTT 5.0 §2.2.2).
namespace doctor::mqtt::testing {
namespace {

using namespace std::string_view_literals;

TEST(Properties, APropertyTwiceIsAProtocolError) {  // §2.2.2.2
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x01\x01\x01\x01"))),
            Reason::protocol_error);
  EXPECT_EQ(refused(packet_of(0x82, with_properties("\0\1"sv, "\x0B\x01\x0B\x02", "\0\1a\0"sv))),
            Reason::protocol_error);
}

TEST(Properties, APropertyThatIsUnknownOrOfAnotherPacketIsMalformed) {  // §2.2.2.2
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x13\0\1"sv))),
            Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0x30, with_properties("\0\1a"sv, "\x7F\0"sv))),
            Reason::malformed_packet);
  EXPECT_EQ(refused(packet_of(0xE0, with_properties("\0"sv, "\x21\0\1"sv))),
            Reason::malformed_packet);
}

TEST(Properties, EachPropertyIsTakenOnlyWhereTheTableAllowsIt) {  // §2.2.2.2
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

TEST(Properties, ValuesThatTheStandardForbidsAreProtocolErrors) {
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

TEST(Properties, ThePropertyLengthIsWrittenAlsoIfItIs0) {  // [MQTT-2.2.2-1]
  EXPECT_EQ(bytes_of(Publish{false, QoS::at_most_once, false, "a", 0, {}, "p"}, v5),
            "\x30\x05\0\1a\0p"sv);
  EXPECT_EQ(bytes_of(Subscribe{1, {}, {{"a", {}, 0}}}, v5), "\x82\x07\0\1\0\0\1a\0"sv);
  EXPECT_EQ(refused("\x30\x03\0\1a"sv), Reason::malformed_packet);
}

}  // namespace
}  // namespace doctor::mqtt::testing
