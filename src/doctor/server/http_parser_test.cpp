#include "doctor/server/http_parser.hpp"

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

class Parsing : public testing::Test {
 protected:
  // The head of a whole input; every shorter input must say that more is needed, or the same error.
  Result<std::size_t> read(std::string_view input) {
    HttpParser fresh(limits_);
    std::size_t size = 0;
    for (std::size_t length = 1; length < input.size(); ++length) {
      const auto part = read(fresh, input.substr(0, length));
      if (!part) return part;
      if (*part != 0) {
        size = *part;
        break;
      }
    }
    const auto whole = read(parser_, input);
    if (whole && size != 0) {
      EXPECT_EQ(*whole, size);
    }
    return whole;
  }
  static Result<std::size_t> read(HttpParser& parser, std::string_view input) {
    const auto size = parser.find_head(input);
    if (!size || *size == 0) return size;
    if (auto done = parser.read_head(input.substr(0, *size)); !done) return done.error();
    return size;
  }
  std::string refused(std::string_view input) {
    const auto result = read(input);
    if (result) return *result == 0 ? "(more)" : "(accepted)";
    code_ = result.error().code;
    return result.error().detail;
  }
  static std::string with(std::string_view headers) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
  }

  Limits limits_;
  HttpParser parser_{limits_};
  Errc code_{};
};

TEST_F(Parsing, AHeadIsTakenUpToItsBlankLine) {
  const std::string_view input =
      "GET /entities/vm HTTP/1.1\r\nHost: a:3000\r\nSESSION:  7 \r\n\r\nGET /next";
  ASSERT_EQ(read(input).value(), input.size() - 9);
  const HttpHead& head = parser_.head();
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/entities/vm");
  ASSERT_EQ(head.headers.size(), 2u);
  EXPECT_EQ(head.headers[1].name, "SESSION");
  EXPECT_EQ(head.headers[1].value, "7");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_body());
}

TEST_F(Parsing, AnEmptyLineBeforeTheRequestIsIgnored) {
  ASSERT_TRUE(read("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(parser_.head().method, "GET");
}

TEST_F(Parsing, AQueryMayBeRawButForBlanksAndControls) {
  const std::string raw =
      "/entities/vm?q={\"select\":[\"@[disk](name)\"],\"x\":\"\xC3\xA9|^`<>\\\"}";
  const std::string input = "GET " + raw + " HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_TRUE(read(input));
  EXPECT_EQ(parser_.head().target, raw);
  EXPECT_NE(refused("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), "(accepted)");
  EXPECT_NE(refused("GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n").find("request target"),
            std::string::npos);
}

TEST_F(Parsing, Http10ClosesUnlessItAsksOtherwise) {
  ASSERT_TRUE(read("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(parser_.head().keep_alive);
  ASSERT_TRUE(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_TRUE(parser_.head().keep_alive);
  ASSERT_TRUE(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(parser_.head().keep_alive);
}

TEST_F(Parsing, Http11NeedsExactlyOneHost) {
  EXPECT_NE(refused("GET / HTTP/1.1\r\n\r\n").find("Host is missing"), std::string::npos);
  EXPECT_NE(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").find("Host is sent twice"),
            std::string::npos);
}

TEST_F(Parsing, AnAbsoluteTargetReplacesTheHost) {
  ASSERT_TRUE(read("GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(parser_.head().target, "/x?y");
  EXPECT_EQ(parser_.head().headers[0].value, "b:1");
  ASSERT_TRUE(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(parser_.head().target, "*");
}

TEST_F(Parsing, WhereTheBodyEndsCannotBeReadInTwoWays) {
  ASSERT_TRUE(read(with("Content-Length: 5\r\n")));
  EXPECT_EQ(parser_.head().content_length, 5u);
  ASSERT_TRUE(read(with("Transfer-Encoding: Chunked\r\n")));
  EXPECT_TRUE(parser_.head().chunked);
  for (const std::string_view headers :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n", "Content-Length: 5 5\r\n", "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "Content-Length : 5\r\n",
        "X: a\r\n Content-Length: 5\r\n", "X:\r\n b\r\n"}) {
    EXPECT_EQ(refused(with(headers)).find("malformed request"), 0u) << headers;
    EXPECT_EQ(code_, Errc::invalid);
  }
  EXPECT_NE(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").find("HTTP/1.0"),
            std::string::npos);
}

TEST_F(Parsing, ALineFeedAloneEndsNoLine) {
  EXPECT_NE(refused("GET / HTTP/1.1\nHost: a\n\n").find("CR LF"), std::string::npos);
  EXPECT_NE(refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), "(accepted)");
}

TEST_F(Parsing, AnotherProtocolIsToldAtOnce) {
  EXPECT_NE(refused("\x16\x03\x01").find("not TLS"), std::string::npos);
  EXPECT_NE(refused("\x10\x0C").find("another protocol"), std::string::npos);
  EXPECT_NE(refused("PRI * HTTP/2.0\r\n\r\n").find("HTTP/1.1"), std::string::npos);
}

TEST_F(Parsing, ATargetOverItsLimitIsTold) {
  limits_.request_target = 100;
  EXPECT_NE(refused("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
            "(accepted)");
  EXPECT_EQ(code_, Errc::target_too_long);
  EXPECT_NE(refused("GET /" + std::string(1000, 'a')), "(more)");
  EXPECT_EQ(code_, Errc::target_too_long);
}

TEST_F(Parsing, HeadersOverTheirLimitAreTold) {
  limits_.request_headers = 300;
  EXPECT_NE(refused(with("X: " + std::string(300, 'a') + "\r\n")), "(accepted)");
  EXPECT_EQ(code_, Errc::headers_too_large);
  EXPECT_NE(refused(with("X: " + std::string(300, 'a')).substr(0, 300)), "(more)");
  EXPECT_EQ(code_, Errc::headers_too_large);
}

TEST_F(Parsing, AWebSocketUpgradeIsSeen) {
  ASSERT_TRUE(
      read("GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
           "Upgrade: websocket\r\n\r\n"));
  EXPECT_TRUE(parser_.head().wants_websocket);
  ASSERT_TRUE(read("GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"));
  EXPECT_FALSE(parser_.head().wants_websocket);
}

struct Decoded {
  std::string body;
  bool complete = false;
  std::optional<Errc> failure;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view input, std::size_t piece) {
  ChunkedBody chunks(100, 100);
  Decoded decoded;
  std::string pending;
  for (std::size_t at = 0; at < input.size() && !decoded.complete; at += piece) {
    pending += input.substr(at, piece);
    const auto taken = chunks.take(pending, decoded.body);
    if (!taken) {
      decoded.failure = taken.error().code;
      return decoded;
    }
    pending.erase(0, *taken);
    decoded.complete = chunks.complete();
  }
  return decoded;
}

Decoded decode(std::string_view input) {
  const Decoded whole = decode(input, input.size());
  for (std::size_t piece = 1; piece < input.size(); ++piece) {
    EXPECT_TRUE(decode(input, piece) == whole) << "in pieces of " << piece << ": " << input;
  }
  return whole;
}

TEST(ChunkedBody, ChunksAreJoinedHoweverTheyAreCut) {
  const Decoded decoded = decode(
      "4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\nD\r\nin\r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\nGET");
  EXPECT_TRUE(decoded.complete);
  EXPECT_EQ(decoded.body, "Wikipedia in\r\n\r\nchunks.");
}

TEST(ChunkedBody, OneOverTheLimitIsToldBeforeItsDataIsRead) {
  EXPECT_EQ(decode("65\r\n").failure, Errc::too_large);
  EXPECT_EQ(decode("3\r\nabc\r\nFFFFFFFF\r\n").failure, Errc::too_large);
  EXPECT_EQ(decode("0\r\nTrailer: " + std::string(100, 'x') + "\r\n\r\n").failure,
            Errc::headers_too_large);
}

TEST(ChunkedBody, BrokenOnesAreMalformed) {
  for (const std::string& broken :
       {std::string("x\r\n"), std::string("\r\n"), std::string("4\r\nWikixx5\r\nhello\r\n"),
        std::string("4\nWiki\r\n"), std::string("-1\r\n"), std::string("0x4\r\nWiki\r\n"),
        std::string("FFFFFFFFFFFFFFFFF\r\n"), std::string("4 x\r\nWiki\r\n"),
        std::string("4 \r\nWiki\r\n"), std::string("4;\x01\r\nWiki\r\n"),
        std::string("0\r\nno colon\r\n\r\n"), std::string("0\r\n folded: x\r\n\r\n"),
        "4;" + std::string(5000, 'x')}) {
    EXPECT_EQ(decode(broken).failure, Errc::invalid) << broken;
  }
}

}  // namespace
}  // namespace doctor::server
