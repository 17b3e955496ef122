// An object and a patch, a line each: what comes out is an object again, within the limits.

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/json/patch.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "require.hpp"

namespace {

using namespace doctor::json;

void check(const Patched& patched, std::uint32_t nesting) {
  const auto again = compact(patched.object, nesting);
  require(again && *again == patched.object && kind(*again) == Kind::object);
}

void check_json_patch(std::string_view target, std::string_view patch, doctor::Limits limits) {
  const auto patched = json_patch(target, patch, limits);
  if (!patched) return;
  check(*patched, limits.nesting);
  require(patched->object.size() <= limits.document_size || patch == "[]");
  // Sizes are counted, not measured: one octet less must be noticed.
  limits.document_size = patched->object.size() - 1;
  const auto refused = json_patch(target, patch, limits);
  require(patch == "[]" || (!refused && refused.error().code == doctor::Errc::too_large));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  doctor::Limits limits;
  limits.nesting = 16;
  limits.document_size = 4096;
  limits.patch_work = 1u << 20;
  const auto target = compact(text.substr(0, line), limits.nesting);
  const auto patch = compact(text.substr(line + 1), limits.nesting);
  if (!target || !patch || kind(*target) != Kind::object) return 0;

  if (kind(*patch) == Kind::object) {
    check(shallow_patch(*target, *patch), limits.nesting);
    check(merge_patch(*target, *patch), limits.nesting);
  } else {
    check_json_patch(*target, *patch, limits);
  }
  return 0;
}
