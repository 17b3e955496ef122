#pragma once

#include <optional>
#include <string_view>

namespace doctor::rest {

/// One element of a comma-separated field, and what follows it behind semicolons.
struct ListElement {
  std::string_view value;       ///< `text/html`, `gzip`, `return=minimal`
  std::string_view parameters;  ///< `q=0.5;level=1`, without the first semicolon
};

/// Walks the elements of such a field (RFC 9110 §5.6.1), empty ones left out. Commas and semicolons
/// in quoted strings do not count.
class ListField {
 public:
  explicit ListField(std::string_view field) : rest_(field) {}
  std::optional<ListElement> next();

 private:
  std::string_view rest_;
};

/// Whether the parameters hold a weight (RFC 9110 §12.4.2) of zero: "not this one".
bool is_weight_zero(std::string_view parameters);

}  // namespace doctor::rest
