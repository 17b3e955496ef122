#pragma once

#include <cstdint>

namespace doctor::query {

/// Simple case folding (Unicode 14, CaseFolding.txt, statuses C and S): one character becomes one
/// character, the same for all that differ by case only.
std::uint32_t fold_case(std::uint32_t c);

/// Up to three more characters that fold to `folded`, in `others`; how many there are.
int unfold_case(std::uint32_t folded, std::uint32_t (&others)[3]);

}  // namespace doctor::query
