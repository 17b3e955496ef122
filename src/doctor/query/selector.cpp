#include "doctor/query/selector.hpp"

#include <algorithm>

#include "doctor/document/names.hpp"

namespace doctor::query {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view no_name = ".,@:()[]* \t\r\n";

}  // namespace

bool Chain::passes_many() const {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.is_many(); });
}

Chain star_chain() {
  Chain chain;
  chain.key = "*";
  chain.end = Chain::End::star;
  return chain;
}

std::string one_text(std::string_view field, std::string_view collection) {
  std::string text = "@";
  text += field;
  if (!collection.empty()) text.append(":").append(collection);
  return text;
}

std::string many_text(std::string_view collection, std::string_view field) {
  std::string text = "@[";
  text += collection;
  if (!field.empty()) text.append(":").append(field);
  return text += ']';
}

Result<Chain> SelectorReader::selector(Slot home, std::uint32_t depth) {
  auto chain = one_selector(home, depth);
  if (!chain) return chain.error();
  if (auto ended = end(); !ended) return ended.error();
  return chain;
}

Result<Chain> SelectorReader::one_selector(Slot home, std::uint32_t depth) {
  Chain chain;
  for (;;) {
    if (take('*')) {
      if (chain.passes_many()) {
        return wrong(place_, shown(text_) +
                                 ": `*` cannot follow a `@[...]` with only dots between: "
                                 "write `@[...](*)`");
      }
      chain.key += '*';
      chain.end = Chain::End::star;
      return chain;
    }
    if (!take('@')) {
      const auto field = name("a field, `*` or `@`");
      if (!field) return field.error();
      chain.key += *field;
      chain.field = builder_.name(*field);
      return chain;
    }
    auto next = reference(home);
    if (!next) return next.error();
    chain.key += next->text;
    chain.steps.push_back(next->step);
    home = next->step.target;
    if (next->step.is_many()) {
      if (auto good = builder_.check_depth(place_, ++depth); !good) return good.error();
    }
    if (!take('.')) break;
    chain.key += '.';
  }
  chain.end = Chain::End::object;
  if (auto inside = project(chain, home, depth + 1); !inside) return inside.error();
  return chain;
}

Result<void> SelectorReader::project(Chain& chain, Slot home, std::uint32_t depth) {
  if (auto good = builder_.check_depth(place_, depth); !good) return good.error();
  if (!take('(')) {
    chain.inside.push_back(star_chain());
    return {};
  }
  do {
    auto inner = one_selector(home, depth);
    if (!inner) return inner.error();
    chain.inside.push_back(std::move(*inner));
  } while (take(','));
  if (!take(')')) return expected("`,` or `)`");
  return {};
}

Result<SelectorReader::Reference> SelectorReader::reference(Slot home) {
  if (take('[')) {
    const auto target = name("a collection");
    if (!target) return target.error();
    const auto slot = collection(*target, "");
    if (!slot) return slot.error();
    std::string_view field;
    if (take(':')) {
      const auto given = name("a field");
      if (!given) return given.error();
      field = *given;
    }
    if (!take(']')) return expected(field.empty() ? "`:` or `]`" : "`]`");
    const FieldName* by = field.empty() ? nullptr : builder_.name(field);
    return Reference{builder_.many(home, *slot, by), many_text(*target, field)};
  }
  const auto field = name("a field or `[`");
  if (!field) return field.error();
  std::string_view target;
  if (take(':')) {
    const auto given = name("a collection");
    if (!given) return given.error();
    target = *given;
  }
  const auto slot = target.empty()
                        ? collection(*field, ": name the collection behind it, `@field:collection`")
                        : collection(target, "");
  if (!slot) return slot.error();
  return Reference{builder_.one(builder_.name(*field), *slot), one_text(*field, target)};
}

Result<Path> SelectorReader::path(Slot home, std::uint32_t depth) {
  Path path;
  while (take('@')) {
    auto next = reference(home);
    if (!next) return next.error();
    path.steps.push_back(next->step);
    home = next->step.target;
    if (next->step.is_many()) {
      if (auto good = builder_.check_depth(place_, ++depth); !good) return good.error();
    }
    skip_blanks();
    if (at_ == text_.size()) return path;
    if (!take('.')) return expected("`.` or the end");
  }
  const auto field = name("a field or `@`");
  if (!field) return field.error();
  path.names.push_back(builder_.name(*field));
  skip_blanks();
  if (at_ != text_.size() && text_[at_] == '.') {
    return wrong(place_, shown(text_) +
                             ": behind a reference stands a top-level field; a where asks a "
                             "nested one with {\"@reference\": {\"field.nested\": ...}}");
  }
  if (auto ended = end(); !ended) return ended.error();
  return path;
}

Result<std::string_view> SelectorReader::name(std::string_view what) {
  skip_blanks();
  const std::size_t begin = at_;
  at_ = std::min(text_.find_first_of(no_name, at_), text_.size());
  if (at_ == begin) return expected(what);
  return text_.substr(begin, at_ - begin);
}

Result<Slot> SelectorReader::collection(std::string_view name, std::string_view advice) {
  if (document::is_collection_name(name)) return builder_.slot(name);
  return wrong(place_, shown(name) + " cannot be the name of a collection" + std::string(advice));
}

Result<void> SelectorReader::end() {
  skip_blanks();
  if (at_ == text_.size()) return {};
  return expected("the end (a name with blanks or marks in it is selected by {\"field\": ...})");
}

void SelectorReader::skip_blanks() {
  at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size());
}

bool SelectorReader::take(char mark) {
  skip_blanks();
  if (at_ == text_.size() || text_[at_] != mark) return false;
  ++at_;
  return true;
}

Error SelectorReader::expected(std::string_view what) {
  skip_blanks();
  std::string detail = shown(text_);
  if (at_ == text_.size()) {
    detail += " ends where ";
  } else {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    detail += " has " + shown(text_.substr(at_, end - at_)) + " (byte " + std::to_string(at_) +
              ") where ";
  }
  return wrong(place_, detail.append(what).append(" is expected"));
}

}  // namespace doctor::query
