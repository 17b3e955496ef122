#include "doctor/json/tree.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/json/keys.hpp"
#include "doctor/json/octets.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

// Bytes of elements that stay together in an array: what is read to get at one of them.
constexpr std::size_t piece_size = 16 << 10;

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
  return text().size();
}

std::uint32_t Tree::height() const {
  if (const auto* opened = opened_as<Object>(state_)) return opened->height();
  if (const auto* opened = opened_as<Array>(state_)) return opened->height();
  return height_of_text(text());
}

void Tree::append_to(std::string& out) const {
  if (const auto* opened = opened_as<Object>(state_)) return opened->append_to(out);
  if (const auto* opened = opened_as<Array>(state_)) return opened->append_to(out);
  out += text();
}

Tree Tree::copy() const {
  if (const auto* opened = opened_as<Object>(state_))
    return Tree(std::make_unique<Object>(*opened));
  if (const auto* opened = opened_as<Array>(state_)) return Tree(std::make_unique<Array>(*opened));
  return Tree(text());
}

Object& Tree::object() {
  if (!is_open()) state_ = std::make_unique<Object>(text());
  return *std::get<std::unique_ptr<Object>>(state_);
}

Array& Tree::array() {
  if (!is_open()) state_ = std::make_unique<Array>(text());
  return *std::get<std::unique_ptr<Array>>(state_);
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
}

Tree Object::remove(std::string_view name) {
  Slot& found = *slot(name);
  found.removed = true;
  --count_;
  size_ -= member_size(found.name, found.value) + comma(count_);
  return std::move(found.value);
}

Object::Slot* Object::slot(std::string_view name) {
  // So many are looked through one by one that indexing them again and again costs no more.
  const auto few = static_cast<std::size_t>(std::sqrt(static_cast<double>(slots_.size()))) + 16;
  if (slots_.size() - index_.size() > few) index_all();
  const std::uint32_t hash = spelling_hash(name);
  auto at = std::lower_bound(
      index_.begin(), index_.end(), name,
      [&](const Reference& r, std::string_view wanted) { return precedes(r, hash, wanted); });
  for (; at != index_.end() && at->hash == hash; ++at) {
    Slot& candidate = slots_[at->slot];
    if (compare_contents(candidate.name, name) != 0) break;
    if (!candidate.removed) return &candidate;
  }
  for (std::size_t i = index_.size(); i < slots_.size(); ++i) {
    if (!slots_[i].removed && compare_contents(slots_[i].name, name) == 0) return &slots_[i];
  }
  return nullptr;
}

void Object::index_all() {
  const auto before = [this](const Reference& a, const Reference& b) {
    return precedes(a, b.hash, slots_[b.slot].name);
  };
  std::vector<Reference> added;
  for (std::size_t i = index_.size(); i < slots_.size(); ++i) {
    added.push_back({spelling_hash(slots_[i].name), i});
  }
  std::sort(added.begin(), added.end(), before);
  std::vector<Reference> merged(slots_.size());
  std::merge(index_.begin(), index_.end(), added.begin(), added.end(), merged.begin(), before);
  index_ = std::move(merged);
}

bool Object::precedes(const Reference& a, std::uint32_t hash, std::string_view name) const {
  return a.hash != hash ? a.hash < hash : compare_contents(slots_[a.slot].name, name) < 0;
}

Array::Array(std::string_view text) : size_(text.size()) {
  const std::string_view elements = text.substr(1, text.size() - 2);
  std::size_t begin = 0;
  std::size_t at = 0;
  std::size_t count = 0;
  while (at < elements.size()) {
    at += value_length(elements.substr(at));
    ++count;
    if (at == elements.size() || at - begin >= piece_size) {
      pieces_.push_back({Tree(elements.substr(begin, at - begin)), count});
      count_ += count;
      count = 0;
      begin = at + 1;
    }
    ++at;
  }
}

Array::Array(const Array& other) : count_(other.count_), size_(other.size_) {
  pieces_.reserve(other.pieces_.size());
  for (const Piece& piece : other.pieces_) pieces_.push_back({piece.value.copy(), piece.count});
}

std::uint32_t Array::height() const {
  std::uint32_t highest = 0;
  for (const Piece& piece : pieces_) highest = std::max(highest, piece.value.height());
  return highest + 1;
}

void Array::append_to(std::string& out) const {
  out += '[';
  for (const Piece& piece : pieces_) {
    if (&piece != pieces_.data()) out += ',';
    piece.value.append_to(out);
  }
  out += ']';
}

Tree& Array::element(std::size_t index) {
  split(index + 1);
  return split(index)->value;
}

void Array::insert(std::size_t index, Tree value) {
  size_ += value.size() + comma(count_);
  ++count_;
  pieces_.insert(split(index), {std::move(value), 1});
}

Tree Array::remove(std::size_t index) {
  split(index + 1);
  const auto place = split(index);
  Tree value = std::move(place->value);
  pieces_.erase(place);
  --count_;
  size_ -= value.size() + comma(count_);
  return value;
}

// The piece that begins with the element at `index`, or the end; made if it was within another.
Array::Place Array::split(std::size_t index) {
  auto place = pieces_.begin();
  for (; place != pieces_.end() && index >= place->count; ++place) index -= place->count;
  if (index == 0) return place;
  const std::string_view text = place->value.text();
  std::size_t at = 0;
  for (std::size_t i = 0; i < index; ++i) at += value_length(text.substr(at)) + 1;
  Piece rest{Tree(text.substr(at)), place->count - index};
  *place = {Tree(text.substr(0, at - 1)), index};
  return pieces_.insert(place + 1, std::move(rest));
}

}  // namespace doctor::json
