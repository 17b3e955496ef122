#include "write_summary.hpp"

#include <iterator>
#include <limits>

#include "doctor/base/text.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::app {
namespace {

template <class Range>
std::uint64_t length(const Range& range) {
  std::uint64_t count = 0;
  for ([[maybe_unused]] const auto& element : range) ++count;
  return count;
}

}  // namespace

void WriteSummary::add(std::string_view answer) {
  const auto compact = json::compact(answer, 8);
  if (!compact || json::kind(*compact) != json::Kind::object) return;
  for (const json::Member& member : json::Members(*compact)) {
    const json::Kind kind = json::kind(member.value);
    if (kind == json::Kind::number) {
      const auto number = parse_unsigned(member.value, std::numeric_limits<std::uint64_t>::max());
      if (member.name == "revision") revision = number.value_or(revision);
      if (member.name == "unchanged") unchanged += number.value_or(0);
    } else if (kind == json::Kind::array) {
      if (member.name == "created") created += length(json::Elements(member.value));
      if (member.name == "removed") removed += length(json::Elements(member.value));
    } else if (kind == json::Kind::object && member.name == "updated") {
      updated += length(json::Members(member.value));
    }
  }
}

std::string WriteSummary::sentence() const {
  return std::to_string(created) + " created, " + std::to_string(updated) + " updated, " +
         std::to_string(removed) + " removed, " + std::to_string(unchanged) +
         " unchanged; revision " + std::to_string(revision);
}

std::string WriteSummary::json() const {
  return R"({"revision":)" + std::to_string(revision) + R"(,"created":)" + std::to_string(created) +
         R"(,"updated":)" + std::to_string(updated) + R"(,"removed":)" + std::to_string(removed) +
         R"(,"unchanged":)" + std::to_string(unchanged) + "}";
}

}  // namespace doctor::app
