#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "doctor/document/document.hpp"
#include "doctor/rest/route.hpp"

namespace doctor::rest {

/// A request of the document API as another transport says it, without a line and headers of HTTP:
/// names as they are, not encoded. It has no place for credentials: who sends it was judged by that
/// transport and is told beside it.
struct DirectRequest {
  Method method = Method::get;
  Resource resource = Resource::unknown;  ///< what `/entities` and `/sessions` name, no other
  std::string collection{};               ///< where the resource has one
  std::string id{};                       ///< where the resource has one
  document::PatchKind patch = document::PatchKind::shallow;
  std::optional<std::string> if_match{};       ///< as in the header field
  std::optional<std::string> if_none_match{};  ///< as in the header field
  std::optional<document::Revision> min_revision{};
  bool minimal = false;               ///< `Prefer: return=minimal`
  std::size_t answer_max = SIZE_MAX;  ///< a read whose answer is longer is 413
};

}  // namespace doctor::rest
