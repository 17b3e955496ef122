#include "doctor/stomp/writer.hpp"

#include "doctor/stomp/escape.hpp"

namespace doctor::stomp {

void write_header(const Header& header, Version version, std::string& out) {
  if (!is_sayable_name(header.name, version)) return;
  escape(header.name, version, out);
  out += ':';
  escape(header.value, version, out);
  out += '\n';
}

void write_frame(Command command, std::span<const Header> headers, std::string_view body,
                 Version version, std::string& out) {
  const Version escapes = is_before_version(command) ? Version::v1_0 : version;
  out += name_of(command);
  out += '\n';
  for (const Header& header : headers) {
    if (header.name != "content-length") write_header(header, escapes, out);
  }
  if (has_body(command)) {
    write_header({"content-length", std::to_string(body.size())}, escapes, out);
  }
  out += '\n';
  out += body;
  out += '\0';
}

void write_frame(Command command, std::initializer_list<Header> headers, std::string_view body,
                 Version version, std::string& out) {
  write_frame(command, std::span(headers.begin(), headers.size()), body, version, out);
}

}  // namespace doctor::stomp
