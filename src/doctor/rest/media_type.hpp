#pragma once

#include <optional>
#include <string_view>

#include "doctor/document/document.hpp"

namespace doctor::rest {

/// Whether a body of this Content-Type is taken as JSON: `application/json`, `application/*+json`,
/// or none at all. Parameters are ignored: JSON is UTF-8 whatever they say.
bool is_json_type(std::string_view content_type);

/// The kind of patch that a Content-Type means; nothing if it means none.
std::optional<document::PatchKind> patch_kind(std::string_view content_type);

/// The Content-Type that means a kind of patch.
std::string_view type_of(document::PatchKind kind);

/// What PATCH takes, for `Accept-Patch`.
inline constexpr std::string_view patch_types =
    "application/json, application/merge-patch+json, application/json-patch+json";

/// Whether the header `Accept` (RFC 9110 §12.5.1) allows `type/subtype`; the most specific of its
/// ranges decides. Without the header everything is allowed.
bool accepts(std::string_view accept, std::string_view type, std::string_view subtype);

}  // namespace doctor::rest
