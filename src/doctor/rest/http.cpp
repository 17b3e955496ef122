#include "doctor/rest/http.hpp"

#include "doctor/base/text.hpp"

namespace doctor::rest {

std::string_view RequestHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equal_ignoring_case(header.name, name)) {
      return header.value.data() == nullptr ? std::string_view("") : header.value;
    }
  }
  return {};
}

void Response::add(std::string_view name, std::string_view value) {
  headers.append(name).append(": ").append(value).append("\r\n");
}

std::string_view Response::header(std::string_view name) const {
  std::string_view rest = headers;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
      return line.substr(name.size() + 2);
    }
  }
  return {};
}

}  // namespace doctor::rest
