#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/document/view.hpp"
#include "doctor/engine/command.hpp"

namespace doctor::engine {

/// What a command will do, found out completely before anything is written.
struct Plan {
  struct Update {
    document::DocumentNumber number;
    document::Document* document;
    std::vector<std::string> fields;  ///< that differ
    std::size_t place;                ///< in the body
  };
  struct Removal {
    document::DocumentNumber number;
    std::string id;
  };
  /// What becomes of one collection.
  struct Part {
    std::string collection;
    std::vector<document::Document*> created{};  ///< in the order of the body
    std::vector<Update> updated{};               ///< in the order of the body
    std::vector<Removal> removed{};              ///< in creation order
    document::CollectionNumber number{};         ///< once the collection is there

    bool changes_nothing() const { return created.empty() && updated.empty() && removed.empty(); }
  };

  std::vector<Part> parts;  ///< one, or for a Merge one for each collection that it names
  std::uint64_t unchanged = 0;
  bool was_empty = false;
  /// Of a command of one document that is equal: the revision that it has.
  document::Revision document_revision{0};
  /// What patches made; the parts point to them.
  std::vector<std::unique_ptr<document::Document>> patched;
  std::vector<Refusal> refused;

  bool changes_nothing() const {
    return std::all_of(parts.begin(), parts.end(),
                       [](const Part& part) { return part.changes_nothing(); });
  }
};

/// Reads what is there and compares. Pointers in the plan are to the command's documents.
Result<Plan> make_plan(const document::View& view, Command& command, const Limits& limits);

/// The part of it that is for a Merge; each merge that cannot be applied is among `refused`.
Plan plan_merges(const document::View& view, const Merge& merge, const Limits& limits);

}  // namespace doctor::engine
