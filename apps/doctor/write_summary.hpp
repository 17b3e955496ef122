#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace doctor::app {

/// What the answers to writes said (page "Writing": revision, created, updated, removed,
/// unchanged).
struct WriteSummary {
  std::uint64_t revision = 0;
  std::uint64_t created = 0;
  std::uint64_t updated = 0;
  std::uint64_t removed = 0;
  std::uint64_t unchanged = 0;

  /// Adds what one answer said; an answer of another shape adds nothing.
  void add(std::string_view answer);
  /// `3 created, 1 updated, 0 removed, 5 unchanged; revision 7`.
  std::string sentence() const;
  /// The same as a JSON object.
  std::string json() const;
};

}  // namespace doctor::app
