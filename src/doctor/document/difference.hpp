#pragma once

#include <string>
#include <vector>

#include "doctor/document/document.hpp"

namespace doctor::document {

/// Names (unescaped) of top-level fields, without `id`.
struct Difference {
  std::vector<std::string> differing;  ///< added, or of another value; in the order of `after`
  std::vector<std::string> dropped;    ///< in the order of `before`
};

Difference difference(DocumentView before, DocumentView after);

}  // namespace doctor::document
