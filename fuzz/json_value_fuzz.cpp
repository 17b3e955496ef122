// Two texts, a line each: order and equality of values hold together, and strings survive being
// unescaped and spelt again.

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "require.hpp"

namespace {

using namespace doctor::json;

// Spells a value anew: members backwards, strings minimally.
std::string respelt(std::string_view value) {
  if (kind(value) == Kind::string) return doctor::json::quoted(unescape(content(value)));
  std::string out;
  if (kind(value) == Kind::array) {
    for (const std::string_view element : Elements(value)) {
      out += (out.empty() ? "" : ",") + respelt(element);
    }
    return "[" + out + "]";
  }
  if (kind(value) == Kind::object) {
    for (const Member& member : Members(value)) {
      out = doctor::json::quoted(unescape(member.name)) + ":" + respelt(member.value) +
            (out.empty() ? "" : ",") + out;
    }
    return "{" + out + "}";
  }
  return std::string(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto a = compact(text.substr(0, line), 64);
  const auto b = compact(text.substr(line + 1), 64);
  if (!a || !b) return 0;

  require(equal(*a, *b) == equal(*b, *a));
  require(equal(*a, respelt(*a)) && equal(respelt(*a), *a));
  require(equal(*a, *b) == equal(respelt(*a), *b));
  require(compact(respelt(*a), 64).has_value());
  if (kind(*a) == Kind::number && kind(*b) == Kind::number) {
    require((compare_numbers(*a, *b) == 0) == equal(*a, *b));
    require((compare_numbers(*a, *b) < 0) == (compare_numbers(*b, *a) > 0));
  }
  if (kind(*a) == Kind::string && kind(*b) == Kind::string) {
    const auto order = unescape(content(*a)) <=> unescape(content(*b));
    require(compare_strings(*a, *b) == order);
    require((order == 0) == equal(*a, *b));
  }
  return 0;
}
