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

}  // namespace doctor::rest
