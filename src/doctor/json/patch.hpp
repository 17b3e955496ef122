#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"

namespace doctor::json {

/// An object after a patch, compact.
struct Patched {
  std::string object;
  /// Top-level names (unescaped) that the patch spoke of, each once, in the order in which it did;
  /// not all of them need have changed.
  std::vector<std::string> touched;
};

/// Three ways to change an object. `target` is a compact object that was checked before. `patch` is
/// the compact, checked text of the patch. A field that stays keeps its place, new ones come last.

/// Sets each top-level field of `patch`, an object; `null` removes one.
Patched shallow_patch(std::string_view target, std::string_view patch);

/// RFC 7396 (JSON Merge Patch) for a patch that is an object. The result is not nested deeper than
/// the deeper of the two.
Patched merge_patch(std::string_view target, std::string_view patch);

/// RFC 6902 (JSON Patch). All operations are checked for form before any is applied:
/// Errc::invalid if one is malformed in itself, or moves a value into itself. Errc::conflict if
/// one does not fit the document or a `test` fails; the detail names the operation by its number,
/// from 0. Size, nesting and number of fields are checked after each operation (Errc::too_large or
/// invalid), so that a patch that doubles a value again and again stops at the limit, and no
/// operation costs more than the values it moves.
/// What all operations together open, copy and compare is bounded by the limit `patch_work`
/// (Errc::too_large).
Result<Patched> json_patch(std::string_view target, std::string_view patch, const Limits& limits);

/// Whether compact, checked text is a JSON Patch: what json_patch tells before it applies any
/// operation.
Result<void> check_json_patch(std::string_view patch, const Limits& limits);

}  // namespace doctor::json
