#include "json_output.hpp"

#include <cstdlib>
#include <iostream>
#include <unistd.h>

#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::app {
namespace {

constexpr std::size_t short_array = 72;  // as many characters still read well on one line

class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}

  void value(std::string_view text, std::size_t level) {
    switch (json::kind(text)) {
      case json::Kind::object:
        return object(text, level);
      case json::Kind::array:
        return array(text, level);
      case json::Kind::string:
        return paint("32", text);
      case json::Kind::number:
        return paint("36", text);
      case json::Kind::boolean:
      case json::Kind::null:
        return paint("35", text);
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void object(std::string_view text, std::size_t level) {
    std::string_view before = "{";
    for (const json::Member& member : json::Members(text)) {
      out_ += before;
      before = ",";
      line(level + 1);
      paint("1;34", "\"" + std::string(member.name) + "\"");
      out_ += ": ";
      value(member.value, level + 1);
    }
    if (before == "{")
      out_ += "{}";
    else
      line(level), out_ += '}';
  }

  void array(std::string_view text, std::size_t level) {
    const bool one_line = text.size() <= short_array && text.find_first_of("{[", 1) == text.npos;
    std::string_view before = "[";
    for (const std::string_view element : json::Elements(text)) {
      out_ += before;
      if (!one_line)
        line(level + 1);
      else if (before == ",")
        out_ += ' ';
      before = ",";
      value(element, level + 1);
    }
    if (before == "[") out_ += '[';
    if (!one_line && before == ",") line(level);
    out_ += ']';
  }

  void line(std::size_t level) { out_.append("\n").append(2 * level, ' '); }

  void paint(std::string_view code, std::string_view text) {
    if (colour_) out_.append("\x1b[").append(code).append("m");
    out_ += text;
    if (colour_) out_ += "\x1b[0m";
  }

  bool colour_;
  std::string out_;
};

}  // namespace

std::string pretty(std::string_view compact, bool colour) {
  Painter painter(colour);
  painter.value(compact, 0);
  return painter.take();
}

void print_json(std::string_view text, bool raw) {
  if (!raw && isatty(STDOUT_FILENO)) {
    // An answer nests deeper than a document: a select can embed what it likes.
    if (const auto compact = json::compact(text, 1024)) {
      const char* no_color = std::getenv("NO_COLOR");
      std::cout << pretty(*compact, no_color == nullptr || *no_color == '\0') << '\n';
      return;
    }
  }
  std::cout << text;
  if (!text.ends_with('\n')) std::cout << '\n';
}

}  // namespace doctor::app
