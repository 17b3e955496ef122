// The first byte chooses the version and how the rest, a stream of frames, is cut. However it is
// cut, the same frames are understood; what is understood can be said again and means the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/stomp/frame.hpp"
#include "doctor/stomp/writer.hpp"
#include "require.hpp"

using namespace doctor::stomp;

namespace {

FrameLimits small_limits() {
  return {.headers = 8, .header_line = 64, .header_block = 256, .body = 128};
}

// What a writer can say of the frame: 1.1 has no way to write CR, nor 1.0 a blank before a value.
void require_same_again(const Frame& frame, Version version) {
  std::string bytes;
  write_frame(frame.command, frame.headers, frame.body, version, bytes);
  Splitter splitter{FrameLimits()};
  splitter.set_version(version);
  std::string_view input = bytes;
  const auto raw = splitter.next(input);
  require(raw && *raw && input.empty());
  const auto again = decode(**raw, version);
  require(again && again->command == frame.command && again->body == frame.body);
  const bool is_exact = version == Version::v1_2 && !is_before_version(frame.command);
  if (!is_exact) return;
  std::vector<Header> said;
  for (const Header& header : frame.headers) {
    if (header.name != "content-length") said.push_back(header);
  }
  if (has_body(frame.command)) {
    require(again->headers.back().value == std::to_string(frame.body.size()));
    std::vector<Header> without(again->headers.begin(), again->headers.end() - 1);
    require(without == said);
  } else {
    require(again->headers == said);
  }
}

// Each frame of the stream as it is written again, or the words in which it is refused.
std::vector<std::string> understood(std::string_view stream, std::size_t piece, Version version) {
  std::vector<std::string> all;
  Splitter splitter(small_limits());
  splitter.set_version(version);
  while (!stream.empty()) {
    const std::string copy(stream.substr(0, piece));
    stream.remove_prefix(copy.size());
    for (std::string_view input = copy;;) {
      const auto raw = splitter.next(input);
      if (!raw) {
        all.emplace_back(raw.error().message);
        return all;
      }
      if (!*raw) break;
      require((*raw)->body.size() <= small_limits().body);
      const auto frame = decode(**raw, version);
      if (!frame) {
        all.emplace_back(frame.error().message);
        continue;
      }
      require(frame->headers.size() <= small_limits().headers);
      write_frame(frame->command, frame->headers, frame->body, version, all.emplace_back());
      require_same_again(*frame, version);
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto version = static_cast<Version>(data[0] % 3);
  const std::size_t piece = 1 + data[0] / 3 % 32;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(understood(stream, stream.size() + 1, version) == understood(stream, piece, version));
  return 0;
}
