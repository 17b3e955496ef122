#include <gtest/gtest.h>

#include "doctor/stomp/frame.hpp"
#include "doctor/stomp/writer.hpp"

// Frames (STOMP 1.2, "STOMP Frames"). Each stream is read whole and cut at every octet.
namespace doctor::stomp {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;
using Lines = std::vector<std::string>;

// As `COMMAND name=value ... [body]`; a refusal as `! message`, and then no more.
Lines read_in_pieces(std::string_view stream, std::size_t piece, Version version,
                     const FrameLimits& limits) {
  Lines lines;
  Splitter splitter(limits);
  splitter.set_version(version);
  while (!stream.empty()) {
    // A copy of its own, so that a sanitizer sees who looks at a piece after it has gone.
    const std::string copy(stream.substr(0, piece));
    stream.remove_prefix(copy.size());
    for (std::string_view input = copy;;) {
      const auto raw = splitter.next(input);
      if (!raw) {
        lines.push_back("! " + std::string(raw.error().message));
        return lines;
      }
      if (!*raw) break;
      const auto frame = decode(**raw, version);
      if (!frame) {
        lines.push_back("! " + std::string(frame.error().message));
        return lines;
      }
      std::string line(name_of(frame->command));
      for (const Header& header : frame->headers) {
        line += " " + std::string(header.name) + "=" + std::string(header.value);
      }
      if (!frame->body.empty()) line += " [" + std::string(frame->body) + "]";
      lines.push_back(line);
    }
  }
  return lines;
}

Lines read(std::string_view stream, Version version = Version::v1_2,
           const FrameLimits& limits = {}) {
  const Lines whole = read_in_pieces(stream, stream.size() + 1, version, limits);
  for (std::size_t piece = 1; piece < std::min<std::size_t>(stream.size(), 40); ++piece) {
    EXPECT_EQ(read_in_pieces(stream, piece, version, limits), whole) << "in pieces of " << piece;
  }
  return whole;
}

TEST(Frames, AreACommandHeadersAnEmptyLineABodyAndNul) {
  EXPECT_EQ(read("SEND\ndestination:a\nx:y\n\nhello\0"sv),
            (Lines{"SEND destination=a x=y [hello]"}));
  EXPECT_EQ(read("DISCONNECT\n\n\0"sv), (Lines{"DISCONNECT"}));
}

TEST(Frames, MayHaveCrLfAsEndOfLineInEveryVersion) {
  for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
    EXPECT_EQ(read("SEND\r\ndestination:a\r\n\r\nx\0"sv, version),
              (Lines{"SEND destination=a [x]"}));
  }
}

TEST(Frames, MayHaveAnyNumberOfEndsOfLineBetweenThem) {
  EXPECT_EQ(read("\n\r\n\nBEGIN\n\n\0\n\n\r\nABORT\n\n\0\n"sv), (Lines{"BEGIN", "ABORT"}));
  EXPECT_EQ(read("\n\n\r\n"sv), (Lines{}));
}

TEST(Frames, OfWhichSeveralComeInOneReadAreAllRead) {
  EXPECT_EQ(read("BEGIN\n\n\0SEND\n\nab\0SEND\ncontent-length:3\n\na\0b\0COMMIT\n\n\0"sv),
            (Lines{"BEGIN", "SEND [ab]", "SEND content-length=3 [a\0b]"s, "COMMIT"}));
}

TEST(Frames, WithContentLengthMayHaveNulInTheBody) {
  EXPECT_EQ(read("SEND\ncontent-length:5\n\na\0b\0c\0"sv),
            (Lines{"SEND content-length=5 [a\0b\0c]"s}));
}

TEST(Frames, WhoseBodyIsNotFollowedByNulAreRefused) {
  EXPECT_EQ(read("SEND\ncontent-length:2\n\nabc\0"sv),
            (Lines{"! The body is longer than its content-length"}));
}

TEST(Frames, WhoseContentLengthIsNoNumberAreRefusedBeforeTheBody) {
  for (const std::string value : {"", "-1", "+1", "1x", " 1", "1 ", "0x10"}) {
    EXPECT_EQ(read("SEND\ncontent-length:" + value + "\n"),
              (Lines{"! content-length is not a number"}))
        << value;
  }
  EXPECT_EQ(read("SEND\ncontent-length: 1\n\na\0"sv, Version::v1_0),
            (Lines{"SEND content-length=1 [a]"}));
}

TEST(Frames, WhoseContentLengthIsOverTheLimitAreRefusedBeforeTheBody) {
  FrameLimits limits;
  limits.body = 3;
  const Lines refused{"! The body is longer than the limit stomp_body"};
  EXPECT_EQ(read("SEND\ncontent-length:3\n\nabc\0"sv, Version::v1_2, limits),
            (Lines{"SEND content-length=3 [abc]"}));
  EXPECT_EQ(read("SEND\ncontent-length:4\n\n"sv, Version::v1_2, limits), refused);
  EXPECT_EQ(read("SEND\ncontent-length:99999999999999999999999999\n\n"sv, Version::v1_2, limits),
            refused);
  EXPECT_EQ(read("SEND\n\nabc\0"sv, Version::v1_2, limits), (Lines{"SEND [abc]"}));
  EXPECT_EQ(read("SEND\n\nabcd"sv, Version::v1_2, limits), refused);
}

TEST(Frames, OtherThanSendMessageAndErrorHaveNoBody) {
  const Lines refused{"! This command has no body"};
  EXPECT_EQ(read("SUBSCRIBE\nid:1\n\nx"sv), refused);
  EXPECT_EQ(read("SUBSCRIBE\nid:1\ncontent-length:1\n\n"sv), refused);
  EXPECT_EQ(read("SUBSCRIBE\ncontent-length:0\n\n\0"sv), (Lines{"SUBSCRIBE content-length=0"}));
  EXPECT_EQ(read("MESSAGE\n\nx\0ERROR\n\ny\0"sv), (Lines{"MESSAGE [x]", "ERROR [y]"}));
}

TEST(Frames, OfUnknownCommandsAreRefusedAtTheirFirstLine) {
  const Lines refused{"! Unknown command"};
  for (const std::string_view line :
       {"GET / HTTP/1.1\r\n"sv, "send\n"sv, "SEND \n"sv, " SEND\n"sv,
        "\x16\x03\x01\x02"
        "12345678901234"sv,
        "SEND\0"sv, "\0"sv, "UNSUBSCRIBED\n"sv, "CONNECTCONNECTCONNECT"sv}) {
    EXPECT_EQ(read(line), refused) << line;
  }
}

TEST(Frames, WithNulAmongTheHeadersAreRefused) {
  EXPECT_EQ(read("SEND\na:b\0"sv), (Lines{"! NUL among the headers"}));
  EXPECT_EQ(read("SEND\n\0"sv), (Lines{"! NUL among the headers"}));
}

TEST(Frames, HavingMoreThanTheLimitsAllowAreRefused) {
  FrameLimits limits;
  limits.headers = 2;
  limits.header_line = 10;
  limits.header_block = 30;
  const auto one = [&](std::string_view stream) { return read(stream, Version::v1_2, limits); };
  EXPECT_EQ(one("SEND\na:1\nb:2\n\n\0"sv), (Lines{"SEND a=1 b=2"}));
  EXPECT_EQ(one("SEND\na:1\nb:2\nc:3\n"sv),
            (Lines{"! There are more headers than the limit stomp_headers"}));
  EXPECT_EQ(one("SEND\na:12345678\n\n\0"sv), (Lines{"SEND a=12345678"}));
  EXPECT_EQ(one("SEND\na:123456789"sv),
            (Lines{"! A header is longer than the limit stomp_header_line"}));
  limits.headers = 10;
  limits.header_line = 100;
  EXPECT_EQ(one("SEND\na:1234567\nb:1234567\nc:1234567\n\n\0"sv),
            (Lines{"! The headers are longer than the limit stomp_header_block"}));
}

TEST(Headers, AreDividedAtTheirFirstColon) {
  EXPECT_EQ(read("SEND\na:b:c\n\n\0"sv), (Lines{"SEND a=b:c"}));
  EXPECT_EQ(read("SEND\nabc\n"sv), (Lines{"! A header has no colon"}));
  EXPECT_EQ(read("SEND\n:c\n"sv), (Lines{"! A header has no name"}));
  EXPECT_EQ(read("SEND\na:\n\n\0"sv), (Lines{"SEND a="}));
}

TEST(Headers, AreNotTrimmedButInVersion10) {
  EXPECT_EQ(read("SEND\na : b \n\n\0"sv, Version::v1_2), (Lines{"SEND a = b "}));
  EXPECT_EQ(read("SEND\na : b \n\n\0"sv, Version::v1_1), (Lines{"SEND a = b "}));
  EXPECT_EQ(read("SEND\na :  b \n\n\0"sv, Version::v1_0), (Lines{"SEND a =b "}));
}

TEST(Headers, ThatAreRepeatedCountOnce_TheFirst) {
  Splitter splitter{FrameLimits()};
  std::string_view input = "SEND\na:1\na:2\n\n\0"sv;
  const auto raw = splitter.next(input);
  const auto frame = decode(raw.value().value(), Version::v1_2);
  EXPECT_EQ(frame->header("a"), "1");
  EXPECT_EQ(frame->header("A"), std::nullopt) << "names are case-sensitive";
}

TEST(Headers, MustBeUtf8) {
  EXPECT_EQ(read("SEND\na:\xC3\xA4\n\n\0"sv), (Lines{"SEND a=\xC3\xA4"}));
  EXPECT_EQ(read("SEND\na:\xC3\n\n\0"sv), (Lines{"! The headers are not UTF-8"}));
  EXPECT_EQ(read("SEND\n\n\xC3\0"sv), (Lines{"SEND [\xC3]"})) << "a body may be anything";
}

TEST(Escapes, AreThoseOfTheVersion) {
  const std::string_view text = "SEND\na\\cb:\\\\ \\n\n\n\0"sv;
  EXPECT_EQ(read(text, Version::v1_0), (Lines{"SEND a\\cb=\\\\ \\n"}));
  EXPECT_EQ(read(text, Version::v1_1), (Lines{"SEND a:b=\\ \n"}));
  EXPECT_EQ(read(text, Version::v1_2), (Lines{"SEND a:b=\\ \n"}));
  EXPECT_EQ(read("SEND\na:\\r\n\n\0"sv, Version::v1_2), (Lines{"SEND a=\r"}));
}

TEST(Escapes, ThatTheVersionDoesNotDefineAreFatal) {
  const Lines refused{"! A header has an undefined escape"};
  EXPECT_EQ(read("SEND\na:\\r\n\n\0"sv, Version::v1_1), refused);
  for (const Version version : {Version::v1_1, Version::v1_2}) {
    EXPECT_EQ(read("SEND\na:\\t\n\n\0"sv, version), refused);
    EXPECT_EQ(read("SEND\na:\\\n\n\0"sv, version), refused);
    EXPECT_EQ(read("SEND\n\\x:\n\n\0"sv, version), refused);
  }
}

TEST(Escapes, AreNotForConnectAndConnected) {
  EXPECT_EQ(read("CONNECT\na:\\c\n\n\0STOMP\na:\\x\n\n\0CONNECTED\na:\\n\n\n\0"sv),
            (Lines{"CONNECT a=\\c", "STOMP a=\\x", "CONNECTED a=\\n"}));
}

std::string written(Command command, std::initializer_list<Header> headers, std::string_view body,
                    Version version = Version::v1_2) {
  std::string out;
  write_frame(command, headers, body, version, out);
  return out;
}

TEST(Writer, WritesLfAndAlwaysTheContentLengthOfWhatMayHaveABody) {
  EXPECT_EQ(written(Command::message, {{"a", "b"}}, "x"),
            "MESSAGE\na:b\ncontent-length:1\n\nx\0"sv);
  EXPECT_EQ(written(Command::error, {{"content-length", "7"}}, ""),
            "ERROR\ncontent-length:0\n\n\0"sv);
  EXPECT_EQ(written(Command::receipt, {{"receipt-id", "1"}}, ""), "RECEIPT\nreceipt-id:1\n\n\0"sv);
}

TEST(Writer, EscapesAsTheVersionDoesAndLeavesOutWhatItCannotSay) {
  const auto text = [](Version version) {
    return written(Command::receipt, {{"a:b", "1"}, {"c\nd", "2"}, {"e\rf", "3"}, {"g", "\r\n:\\"}},
                   "", version);
  };
  EXPECT_EQ(text(Version::v1_0), "RECEIPT\ng::\\\n\n\0"sv);
  EXPECT_EQ(text(Version::v1_1), "RECEIPT\na\\cb:1\nc\\nd:2\ng:\\n\\c\\\\\n\n\0"sv);
  EXPECT_EQ(text(Version::v1_2), "RECEIPT\na\\cb:1\nc\\nd:2\ne\\rf:3\ng:\\r\\n\\c\\\\\n\n\0"sv);
}

TEST(Writer, NeverEscapesConnectAndConnected) {
  EXPECT_EQ(written(Command::connected, {{"server", "a:b\\"}}, ""),
            "CONNECTED\nserver:a:b\\\n\n\0"sv);
}

TEST(AcceptVersion, NamesTheHighestThatIsServed) {
  EXPECT_EQ(highest_common("1.0,1.1,1.2"), Version::v1_2);
  EXPECT_EQ(highest_common(" 1.1 , 1.0,9"), Version::v1_1);
  EXPECT_EQ(highest_common("1.3"), std::nullopt);
  EXPECT_EQ(highest_common(""), std::nullopt);
}

}  // namespace
}  // namespace doctor::stomp
