#pragma once

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

  std::vector<document::Document*> created;  ///< in the order of the body
  std::vector<Update> updated;               ///< in the order of the body
  std::vector<Removal> removed;              ///< in creation order
  std::uint64_t unchanged = 0;
  bool was_empty = false;
  /// Of a command of one document that is equal: the revision that it has.
  document::Revision document_revision{0};
  /// What a patch made; `updated` points to it.
  std::unique_ptr<document::Document> patched;

  bool changes_nothing() const { return created.empty() && updated.empty() && removed.empty(); }
};

/// Reads what is there and compares. Pointers in the plan are to the command's documents.
Result<Plan> make_plan(const document::View& view, Command& command, const Limits& limits);

}  // namespace doctor::engine
