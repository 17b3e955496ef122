#include "doctor/json/tree.hpp"

#include <algorithm>

#include "doctor/json/octets.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

// From so many members on, names are looked up in an index.
constexpr std::size_t many = 16;

template <class Container>
const Container* opened_as(const auto& state) {
  const auto* held = std::get_if<std::unique_ptr<Container>>(&state);
  return held == nullptr ? nullptr : held->get();
}

std::uint32_t height_of_text(std::string_view text) {
  std::uint32_t open = 0;
  std::uint32_t highest = 0;
  const char* end = text.data() + text.size();
  const char* at = text.data();
  while ((at = find_structure(at, end)) != end) {
    if (*at == '"') {
      at += value_length({at, static_cast<std::size_t>(end - at)});
      continue;
    }
    if (*at == '{' || *at == '[') {
      highest = std::max(highest, ++open);
    } else {
      --open;
    }
    ++at;
  }
  return highest;
}

// What one more of `count` others costs beside its own size.
std::size_t comma(std::size_t count) {
  return count > 0 ? 1 : 0;
}
std::size_t member_size(std::string_view name, const Tree& value) {
  return name.size() + 3 + value.size();  // "":
}

}  // namespace

Tree::Tree(std::string_view text) : state_(text) {}
Tree::Tree(State state) : state_(std::move(state)) {}
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;
Tree::~Tree() = default;

bool Tree::is_open() const {
  return !std::holds_alternative<std::string_view>(state_);
}

bool Tree::is_object() const {
  const auto* text = std::get_if<std::string_view>(&state_);
  return text != nullptr ? text->front() == '{' : opened_as<Object>(state_) != nullptr;
}

bool Tree::is_array() const {
  const auto* text = std::get_if<std::string_view>(&state_);
  return text != nullptr ? text->front() == '[' : opened_as<Array>(state_) != nullptr;
}

std::size_t Tree::size() const {
  if (const auto* opened = opened_as<Object>(state_)) return opened->size();
  if (const auto* opened = opened_as<Array>(state_)) return opened->size();
  return std::get<std::string_view>(state_).size();
}

std::uint32_t Tree::height() const {
  if (const auto* opened = opened_as<Object>(state_)) return opened->height();
  if (const auto* opened = opened_as<Array>(state_)) return opened->height();
  return height_of_text(std::get<std::string_view>(state_));
}

void Tree::append_to(std::string& out) const {
  if (const auto* opened = opened_as<Object>(state_)) return opened->append_to(out);
  if (const auto* opened = opened_as<Array>(state_)) return opened->append_to(out);
  out += std::get<std::string_view>(state_);
}

Tree Tree::copy() const {
  if (const auto* opened = opened_as<Object>(state_))
    return Tree(std::make_unique<Object>(*opened));
  if (const auto* opened = opened_as<Array>(state_)) return Tree(std::make_unique<Array>(*opened));
  return Tree(std::get<std::string_view>(state_));
}

Object& Tree::object() {
  if (!is_open()) state_ = std::make_unique<Object>(std::get<std::string_view>(state_));
  return *std::get<std::unique_ptr<Object>>(state_);
}

Array& Tree::array() {
  if (!is_open()) state_ = std::make_unique<Array>(std::get<std::string_view>(state_));
  return *std::get<std::unique_ptr<Array>>(state_);
}

bool Object::ByText::operator()(std::string_view a, std::string_view b) const {
  return compare_contents(a, b) < 0;
}

Object::Object(std::string_view text) {
  for (const Member& member : Members(text)) append(member.name, Tree(member.value));
}

Object::Object(const Object& other) {
  slots_.reserve(other.count_);
  for (const Slot& slot : other.slots_) {
    if (!slot.removed) append(slot.name, slot.value.copy());
  }
}

std::uint32_t Object::height() const {
  std::uint32_t highest = 0;
  for (const Slot& slot : slots_) {
    if (!slot.removed) highest = std::max(highest, slot.value.height());
  }
  return highest + 1;
}

void Object::append_to(std::string& out) const {
  out += '{';
  bool first = true;
  for (const Slot& slot : slots_) {
    if (slot.removed) continue;
    out += first ? "\"" : ",\"";
    first = false;
    out += slot.name;
    out += "\":";
    slot.value.append_to(out);
  }
  out += '}';
}

std::vector<std::string_view> Object::names() const {
  std::vector<std::string_view> names;
  for (const Slot& slot : slots_) {
    if (!slot.removed) names.push_back(slot.name);
  }
  return names;
}

Tree* Object::find(std::string_view name) {
  Slot* found = slot(name);
  return found == nullptr ? nullptr : &found->value;
}

void Object::append(std::string_view name, Tree value) {
  size_ += member_size(name, value) + comma(count_);
  ++count_;
  slots_.push_back({name, std::move(value), false});
  if (slots_.size() > many) {
    index_.insert_or_assign(name, slots_.size() - 1);
  } else if (slots_.size() == many) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i].removed) index_.emplace(slots_[i].name, i);
    }
  }
}

Tree Object::remove(std::string_view name) {
  Slot& found = *slot(name);
  index_.erase(name);
  found.removed = true;
  --count_;
  size_ -= member_size(found.name, found.value) + comma(count_);
  return std::move(found.value);
}

Object::Slot* Object::slot(std::string_view name) {
  if (slots_.size() >= many) {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &slots_[found->second];
  }
  for (Slot& slot : slots_) {
    if (!slot.removed && compare_contents(slot.name, name) == 0) return &slot;
  }
  return nullptr;
}

Array::Array(std::string_view text) {
  for (const std::string_view element : Elements(text)) insert(elements_.size(), Tree(element));
}

Array::Array(const Array& other) : size_(other.size_) {
  elements_.reserve(other.elements_.size());
  for (const Tree& element : other.elements_) elements_.push_back(element.copy());
}

std::uint32_t Array::height() const {
  std::uint32_t highest = 0;
  for (const Tree& element : elements_) highest = std::max(highest, element.height());
  return highest + 1;
}

void Array::append_to(std::string& out) const {
  out += '[';
  for (const Tree& element : elements_) {
    if (&element != elements_.data()) out += ',';
    element.append_to(out);
  }
  out += ']';
}

void Array::insert(std::size_t index, Tree value) {
  size_ += value.size() + comma(elements_.size());
  elements_.insert(elements_.begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
}

Tree Array::remove(std::size_t index) {
  Tree value = std::move(elements_[index]);
  elements_.erase(elements_.begin() + static_cast<std::ptrdiff_t>(index));
  size_ -= value.size() + comma(elements_.size());
  return value;
}

}  // namespace doctor::json
