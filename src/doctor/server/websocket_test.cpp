#include "doctor/server/websocket.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

// A frame as a client sends it: masked.
std::string frame(std::uint8_t first, std::string_view payload) {
  std::string octets(1, static_cast<char>(first));
  if (payload.size() <= 125) {
    octets += static_cast<char>(0x80 | payload.size());
  } else {
    octets += static_cast<char>(0x80 | 126);
    octets += static_cast<char>(payload.size() >> 8);
    octets += static_cast<char>(payload.size() & 0xFF);
  }
  const std::string_view mask = "\x11\x22\x33\x44";
  octets += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    octets += static_cast<char>(payload[i] ^ mask[i & 3]);
  }
  return octets;
}

constexpr std::uint8_t final_binary = 0x82;
constexpr std::uint8_t first_binary = 0x02;
constexpr std::uint8_t middle = 0x00;
constexpr std::uint8_t last = 0x80;
constexpr std::uint8_t ping = 0x89;
constexpr std::uint8_t close = 0x88;

// What one input gives, which must not depend on how it is cut.
struct Outcome {
  bool open = true;
  std::string payload;
  std::string control;
  bool operator==(const Outcome&) const = default;
};

Outcome receive(std::string_view input, std::size_t piece) {
  WebSocket socket;
  Outcome outcome;
  while (!input.empty() && outcome.open) {
    const std::size_t size = std::min(piece, input.size());
    outcome.open = socket.receive(input.substr(0, size), outcome.payload);
    input.remove_prefix(size);
  }
  socket.take_control(outcome.control);
  return outcome;
}

Outcome receive(std::string_view input) {
  const Outcome whole = receive(input, input.size());
  for (const std::size_t piece : {1, 2, 3, 7}) {
    EXPECT_TRUE(receive(input, piece) == whole) << "cut in pieces of " << piece;
  }
  return whole;
}

std::string closing(std::uint16_t code) {
  return {static_cast<char>(0x88), '\2', static_cast<char>(code >> 8),
          static_cast<char>(code & 0xFF)};
}

TEST(WebSocket, BinaryFramesCarryPayloadWhateverTheirSize) {
  const std::string large(1000, 'x');
  const Outcome outcome =
      receive(frame(final_binary, "one") + frame(final_binary, "") + frame(final_binary, large));
  EXPECT_TRUE(outcome.open);
  EXPECT_EQ(outcome.payload, "one" + large);
  EXPECT_EQ(outcome.control, "");
}

TEST(WebSocket, FragmentsAreJoinedAndAPingBetweenThemIsAnswered) {
  const Outcome outcome = receive(frame(first_binary, "a") + frame(ping, "are you there?") +
                                  frame(middle, "b") + frame(last, "c"));
  EXPECT_TRUE(outcome.open);
  EXPECT_EQ(outcome.payload, "abc");
  EXPECT_EQ(outcome.control, std::string("\x8A\x0E") + "are you there?");
}

TEST(WebSocket, ACloseIsEchoed) {
  EXPECT_EQ(receive(frame(close,
                          "\x03\xE9"
                          "bye"))
                .control,
            closing(1001));
  EXPECT_EQ(receive(frame(close, "")).control, closing(1000));
  EXPECT_FALSE(receive(frame(close, "")).open);
}

TEST(WebSocket, WhatTheProtocolForbidsClosesWith1002) {
  std::string unmasked = frame(final_binary, "a");
  unmasked[1] = 1;
  const std::string not_shortest("\x82\xFE\x00\x05\x11\x22\x33\x44", 8);
  const std::string too_long("\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00\x11\x22\x33\x44", 14);
  const std::string long_ping("\x89\xFE\x00\x7E\x11\x22\x33\x44", 8);
  for (const std::string& broken :
       {unmasked, not_shortest, too_long, long_ping, frame(0xC2, "rsv"), frame(last, "no first"),
        frame(first_binary, "a") + frame(final_binary, "b"), frame(0x09, "ping in parts"),
        frame(0x83, "opcode 3"), frame(0x8B, "opcode 11"), frame(close, "x"),
        frame(close, "\x03\xED"), frame(close, "\x03\xE8\xFF")}) {
    const Outcome outcome = receive(broken);
    EXPECT_FALSE(outcome.open);
    EXPECT_EQ(outcome.control, closing(1002));
  }
}

TEST(WebSocket, TextIsNotMqtt) {
  // [MQTT-6.0.0-1]
  EXPECT_EQ(receive(frame(0x81, "text")).control, closing(1003));
}

TEST(WebSocket, NothingIsTakenAfterAClose) {
  const Outcome outcome = receive(frame(close, "") + frame(final_binary, "late"));
  EXPECT_EQ(outcome.payload, "");
}

TEST(WebSocket, FramesToTheClientAreNotMaskedAndHaveTheShortestLength) {
  const auto header = [](std::size_t size) {
    std::string octets(WebSocket::header_max + size, 'x');
    const std::size_t begin = WebSocket::put_header(octets);
    return octets.substr(begin, octets.size() - size - begin);
  };
  EXPECT_EQ(header(0), "");
  EXPECT_EQ(header(125), std::string("\x82\x7D"));
  EXPECT_EQ(header(126), std::string("\x82\x7E\x00\x7E", 4));
  EXPECT_EQ(header(65'536), std::string("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

class Handshake : public testing::Test {
 protected:
  Result<std::string> shake() { return websocket_handshake({"GET", "/mqtt", headers_, {}}); }
  std::vector<rest::Header> headers_ = {{"Sec-WebSocket-Version", "13"},
                                        {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                        {"Sec-WebSocket-Protocol", "other, mqtt"}};
};

TEST_F(Handshake, IsAnsweredAsInTheExampleOfTheStandard) {
  // RFC 6455 §1.3
  const auto answer = shake();
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_NE(answer->find("Sec-WebSocket-Protocol: mqtt\r\n"), std::string::npos);
}

TEST_F(Handshake, NeedsVersionKeyAndSubProtocol) {
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    const auto kept = headers_[i];
    headers_[i].value = "x";
    EXPECT_FALSE(shake()) << kept.name;
    headers_[i].name = "X-Other";
    EXPECT_FALSE(shake()) << kept.name;
    headers_[i] = kept;
  }
  EXPECT_TRUE(shake());
}

}  // namespace
}  // namespace doctor::server
