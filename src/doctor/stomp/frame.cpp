#include "doctor/stomp/frame.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"
#include "doctor/stomp/escape.hpp"

namespace doctor::stomp {
namespace {

// Unescapes into `text`, which has room for all that it may ever be given: views of it stay good.
Decoded<std::string_view> unescaped(std::string_view escaped, Version version, std::string& text) {
  if (escaped.find('\\') == escaped.npos) return escaped;
  const std::size_t begin = text.size();
  if (const auto done = unescape(escaped, version, text); !done) return done.error();
  return std::string_view(text).substr(begin);
}

}  // namespace

std::optional<std::string_view> Frame::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const Header& header) { return header.name == name; });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

Decoded<Frame> decode(const RawFrame& raw, Version version) {
  if (!is_utf8(raw.header_lines)) return Refusal{Fault::malformed, "The headers are not UTF-8"};
  Frame frame{raw.command, {}, raw.body, nullptr};
  const bool has_escapes = version != Version::v1_0 && !is_before_version(raw.command) &&
                           raw.header_lines.find('\\') != raw.header_lines.npos;
  std::shared_ptr<std::string> text;
  if (has_escapes) {
    text = std::make_shared<std::string>();
    text->reserve(raw.header_lines.size());
    frame.unescaped = text;
  }
  for (std::string_view rest = raw.header_lines; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    Header header{line.substr(0, colon), line.substr(colon + 1)};
    if (version == Version::v1_0) {
      header.value.remove_prefix(
          std::min(header.value.find_first_not_of(' '), header.value.size()));
    }
    if (has_escapes) {
      const auto name = unescaped(header.name, version, *text);
      if (!name) return name.error();
      const auto value = unescaped(header.value, version, *text);
      if (!value) return value.error();
      header = {*name, *value};
    }
    frame.headers.push_back(header);
  }
  return frame;
}

}  // namespace doctor::stomp
