#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace doctor::app {

/// A progress bar on standard error, if that is a terminal; drawn at most ten times a second.
class Progress {
 public:
  /// @param total  bytes of the whole input, if they are known
  explicit Progress(std::optional<std::uint64_t> total);
  ~Progress();

  void show(std::uint64_t bytes, std::uint64_t documents);
  /// Clears the line; call it before anything else is written.
  void clear();

 private:
  bool shown_on_terminal_;
  bool drawn_ = false;
  std::optional<std::uint64_t> total_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace doctor::app
