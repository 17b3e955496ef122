// A request's head and its chunked body. Whatever the octets: no view leaves the input, cutting the
// input changes nothing, and no body passes its limit.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/server/http_parser.hpp"
#include "require.hpp"

namespace {

using namespace doctor;
using server::HttpParser;

constexpr std::size_t body_max = 4096;
constexpr std::size_t trailers_max = 512;

void require_within(std::string_view view, std::string_view input) {
  require(view.empty() || (view.data() >= input.data() &&
                           view.data() + view.size() <= input.data() + input.size()));
}

struct Body {
  bool complete = false;
  bool failed = false;
  std::string text;
  bool operator==(const Body&) const = default;
};

Body read_body(std::string_view input, std::size_t piece) {
  Body body;
  server::ChunkedBody chunks(body_max, trailers_max);
  std::string pending;
  while (!input.empty() && !body.complete && !body.failed) {
    const std::size_t size = std::min(piece, input.size());
    pending += input.substr(0, size);
    input.remove_prefix(size);
    const auto taken = chunks.take(pending, body.text);
    body.failed = !taken;
    if (!taken) break;
    pending.erase(0, *taken);
    body.complete = chunks.complete();
  }
  require(body.text.size() <= body_max);
  return body;
}

Result<std::size_t> read_head(HttpParser& parser, std::string_view input) {
  const auto size = parser.find_head(input);
  if (!size || *size == 0) return size;
  if (auto done = parser.read_head(input.substr(0, *size)); !done) return done.error();
  return size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = data[0] % 64 + 1u;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Limits limits;
  limits.request_headers = 8192;
  limits.request_target = 1024;
  HttpParser whole(limits);
  const auto head = read_head(whole, input);

  HttpParser cut(limits);
  Result<std::size_t> cut_head = std::size_t{0};
  std::string pending;
  for (std::size_t at = 0; at < input.size() && cut_head && *cut_head == 0; at += piece) {
    pending += input.substr(at, piece);
    cut_head = read_head(cut, pending);
  }
  require(cut_head.has_value() == head.has_value());
  if (!head || *head == 0) return 0;
  require(*cut_head == *head && *head <= input.size());
  require(cut.head().method == whole.head().method);
  require(cut.head().target == whole.head().target);
  require_within(whole.head().method, input);
  // An absolute target without a path means "/", which it does not spell.
  if (whole.head().target != "/") require_within(whole.head().target, input);
  for (const auto& header : whole.head().headers) {
    require_within(header.value, input);
  }
  if (!whole.head().chunked) return 0;
  const std::string_view rest = input.substr(*head);
  require(read_body(rest, rest.size() + 1) == read_body(rest, piece));
  return 0;
}
