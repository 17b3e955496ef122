// What our scanner accepts, a strict parser accepts; and what it writes, it reads as the same.

#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "require.hpp"

namespace {

using doctor::json::Elements;
using doctor::json::Members;

void check_accepted(std::string_view text, const std::string& compact) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(text.data(), text.size()).error();
  // It has no room for some numbers that we keep as text.
  require(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);

  const auto again = doctor::json::compact(compact, doctor::json::Scanner::deepest);
  require(again && *again == compact);
  require(doctor::json::equal(compact, compact));
  require(doctor::json::equal("[" + compact + ",1]", "[" + compact + ",1.0]"));
  require(doctor::json::value_length(compact) == compact.size());
  require(doctor::json::value_length(compact + ",[") == compact.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto compact = doctor::json::compact(text, doctor::json::Scanner::deepest);
  if (compact) {
    check_accepted(text, *compact);
  } else {
    require(compact.error().offset && *compact.error().offset <= size);
  }
  return 0;
}
