#include "doctor/rest/target.hpp"

#include "doctor/base/text.hpp"

namespace doctor::rest {
namespace {

// What stands behind "http://" or "https://" in the absolute form; no data() in the others.
std::string_view behind_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() &&
        equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return {};
}

}  // namespace

Target split_target(std::string_view target) {
  Target parts;
  if (!target.starts_with('/')) {
    if (const std::string_view rest = behind_scheme(target); rest.data() != nullptr) {
      parts.authority = rest.substr(0, rest.find_first_of("/?#"));
      target = rest.substr(parts.authority.size());
      if (!target.starts_with('/')) {
        // "http://host?q=1": an empty path is the root (RFC 9110 §4.2.3).
        parts.path = "/";
      }
    }
  }
  target = target.substr(0, target.find('#'));
  const std::string_view path = target.substr(0, target.find('?'));
  if (parts.path.empty()) parts.path = path;
  if (path.size() < target.size()) parts.parameters = target.substr(path.size() + 1);
  return parts;
}

std::optional<std::string_view> ParameterValues::next() {
  while (!rest_.empty()) {
    const std::string_view parameter = rest_.substr(0, rest_.find('&'));
    rest_.remove_prefix(std::min(parameter.size() + 1, rest_.size()));
    const std::string_view name = parameter.substr(0, parameter.find('='));
    if (name == name_) return parameter.substr(std::min(name.size() + 1, parameter.size()));
  }
  return std::nullopt;
}

Result<std::optional<std::string_view>> find_parameter(std::string_view parameters,
                                                       std::string_view name) {
  ParameterValues values(parameters, name);
  const std::optional<std::string_view> value = values.next();
  if (value && values.next()) {
    return invalid("the parameter " + std::string(name) + " is given more than once");
  }
  return value;
}

Result<std::string> decode_parameter(std::string_view value) {
  std::string decoded;
  decoded.reserve(value.size());
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
      return invalid(
          "a parameter holds a blank or a control character that is not percent-encoded");
    }
    if (c == '+') {
      decoded += ' ';
      continue;
    }
    if (c == '%') {
      if (const auto octet = percent_decode(value.substr(at, 3)); octet && octet->size() == 1) {
        decoded += *octet;
        at += 2;
        continue;
      }
    }
    decoded += c;
  }
  return decoded;
}

Result<std::string> decode_segment(std::string_view segment) {
  auto decoded = percent_decode(segment);
  if (!decoded) return invalid("the path holds a % without two hexadecimal digits behind it");
  return *std::move(decoded);
}

}  // namespace doctor::rest
