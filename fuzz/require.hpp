#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

/// What must hold whatever the input is: says where it does not, and ends the program, which the
/// fuzzer takes for a finding.
inline void require(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u does not hold\n", where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}
