#include "doctor/rest/fields.hpp"

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

struct Known {
  std::string_view name;
  std::string_view Fields::* field;
};

// The few names of each length, so that a header which means nothing here costs one comparison of
// lengths.
constexpr Known of_4[] = {{"host", &Fields::host}};
constexpr Known of_6[] = {{"accept", &Fields::accept},
                          {"origin", &Fields::origin},
                          {"secret", &Fields::secret},
                          {"prefer", &Fields::prefer}};
constexpr Known of_7[] = {{"session", &Fields::session}};
constexpr Known of_8[] = {{"if-match", &Fields::if_match}};
constexpr Known of_12[] = {{"content-type", &Fields::content_type}};
constexpr Known of_13[] = {{"authorization", &Fields::authorization},
                           {"if-none-match", &Fields::if_none_match}};
constexpr Known of_15[] = {{"accept-encoding", &Fields::accept_encoding}};
constexpr Known of_16[] = {{"content-encoding", &Fields::content_encoding}};
constexpr Known of_19[] = {{"doctor-min-revision", &Fields::min_revision}};
constexpr Known of_29[] = {{"access-control-request-method", &Fields::requested_method}};

std::span<const Known> known_of_length(std::size_t length) {
  switch (length) {
    case 4:
      return of_4;
    case 6:
      return of_6;
    case 7:
      return of_7;
    case 8:
      return of_8;
    case 12:
      return of_12;
    case 13:
      return of_13;
    case 15:
      return of_15;
    case 16:
      return of_16;
    case 19:
      return of_19;
    case 29:
      return of_29;
    default:
      return {};
  }
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Most values come without blanks around them.
std::string_view value_of(const Header& header) {
  std::string_view value = header.value;
  if (!value.empty() && (is_blank(value.front()) || is_blank(value.back()))) value = trimmed(value);
  return value.empty() ? std::string_view("") : value;  // never without data(): it was sent
}

// A field that was sent before, with one more value. Each is joined in one text that grows, so that
// a field which is sent a thousand times costs no more than its length.
std::string_view join(std::string_view field, std::string_view value,
                      std::forward_list<std::string>& joined) {
  for (std::string& text : joined) {
    if (text.data() == field.data()) return text.append(", ").append(value);
  }
  return joined.emplace_front(std::string(field).append(", ").append(value));
}

}  // namespace

Fields parse_fields(std::span<const Header> headers, std::forward_list<std::string>& joined) {
  Fields fields;
  for (const Header& header : headers) {
    for (const Known& known : known_of_length(header.name.size())) {
      if (!equal_ignoring_case(header.name, known.name)) continue;
      std::string_view& field = fields.*known.field;
      const std::string_view value = value_of(header);
      field = sent(field) ? join(field, value, joined) : value;
      break;
    }
  }
  return fields;
}

}  // namespace doctor::rest
