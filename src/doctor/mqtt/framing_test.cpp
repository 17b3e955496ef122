#include "doctor/mqtt/test_wire.hpp"

// Fixed headers, and how packets are cut out of a stream (MQTT 5.0 §2.1).
namespace doctor::mqtt::testing {
namespace {

using namespace std::string_view_literals;

TEST(Framing, VariableByteIntegersAreMinimalAndAtMostFourBytes) {  // [MQTT-1.5.5-1]
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

TEST(Framing, ReservedTypesAndFlagsAreMalformed) {  // [MQTT-2.1.3-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
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
}  // namespace doctor::mqtt::testing
