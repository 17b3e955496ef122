#include "progress.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <unistd.h>

namespace doctor::app {
namespace {

constexpr std::uint64_t width = 30;  // of the bar
constexpr std::chrono::milliseconds pause{100};

}  // namespace

Progress::Progress(std::optional<std::uint64_t> total)
    : shown_on_terminal_(isatty(STDERR_FILENO) == 1),
      total_(total),
      start_(std::chrono::steady_clock::now()),
      next_(start_ + pause) {}

Progress::~Progress() {
  clear();
}

void Progress::show(std::uint64_t bytes, std::uint64_t documents) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_on_terminal_ || now < next_) return;
  next_ = now + pause;
  std::string line = "\r";
  if (total_ && *total_ > 0) {
    const std::uint64_t part = std::min(bytes, *total_);
    const std::uint64_t filled = part * width / *total_;
    line += "[" + std::string(filled, '#') + std::string(width - filled, ' ') + "] " +
            std::to_string(part * 100 / *total_) + " %  ";
  }
  const double seconds = std::chrono::duration<double>(now - start_).count();
  line += std::to_string(documents) + " documents, " +
          std::to_string(static_cast<std::uint64_t>(static_cast<double>(documents) / seconds)) +
          "/s ";
  std::cerr << line << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace doctor::app
