#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "doctor/rest/http.hpp"

namespace doctor::server {

/// An answer that was written, and when it may be written again.
struct Repeat {
  rest::Repeatable when;
  std::string text;  ///< head and body, unless that is large
  bool is_large = false;
  std::weak_ptr<const std::string> large{};  ///< the body, as long as somebody else keeps it
  int status = 0;
  std::string_view route;
};

/// The answers that an I/O thread has written last, by the octets of the heads that they
/// answer. Each head has one place, so memory is bounded: the newest answer displaces the one
/// before. Heads are compared by their hash first, so that the time it takes tells nothing of the
/// credentials in another's.
class Repeats {
 public:
  static constexpr std::size_t places = 512;
  static constexpr std::size_t head_max = 1u << 10;
  static constexpr std::size_t text_max = 4u << 10;

  /// The answer to that head at that revision, or null; valid until the next call.
  const Repeat* find(std::string_view head, document::Revision revision) const;
  /// Takes an answer, which must be repeatable, if it is small enough.
  /// @param text   the answer as it was written
  /// @param large  the body, if it is not part of `text`
  void keep(std::string_view head, const rest::Response& response, std::string_view text,
            const std::shared_ptr<const std::string>& large);
  void clear();

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::string head;  // none is empty: the place is
    Repeat answer;
  };
  std::array<Place, places> places_;
};

}  // namespace doctor::server
