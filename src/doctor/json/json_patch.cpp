// RFC 6902: declared in patch.hpp.

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "doctor/json/patch.hpp"
#include "doctor/json/pointer.hpp"
#include "doctor/json/tree.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

using Path = std::span<const Token>;

struct Operation {
  enum class Kind { add, remove, replace, move, copy, test };

  std::size_t number;
  Kind kind;
  Pointer path;
  Pointer from;            // move, copy
  std::string_view value;  // add, replace, test
};

Error fault(std::size_t number, Errc code, std::string_view detail) {
  return error(code, "operation " + std::to_string(number) + ": " + std::string(detail));
}

std::optional<Operation::Kind> kind_named(std::string_view name) {
  using Kind = Operation::Kind;
  if (name == "add") return Kind::add;
  if (name == "remove") return Kind::remove;
  if (name == "replace") return Kind::replace;
  if (name == "move") return Kind::move;
  if (name == "copy") return Kind::copy;
  if (name == "test") return Kind::test;
  return std::nullopt;
}

// The members of an operation that mean something; others are ignored (§4).
struct Parts {
  std::optional<std::string_view> op;
  std::optional<std::string_view> path;
  std::optional<std::string_view> from;
  std::optional<std::string_view> value;
};

Parts parts_of(std::string_view object) {
  Parts parts;
  for (const Member& member : Members(object)) {
    const std::string name = unescape(member.name);
    if (name == "op") parts.op = member.value;
    if (name == "path") parts.path = member.value;
    if (name == "from") parts.from = member.value;
    if (name == "value") parts.value = member.value;
  }
  return parts;
}

std::optional<Pointer> pointer_in(const std::optional<std::string_view>& value) {
  if (!value || !is_string(*value)) return std::nullopt;
  return parse_pointer(unescape(content(*value)));
}

Result<Operation> parse_operation(std::size_t number, std::string_view text) {
  using Kind = Operation::Kind;
  const auto malformed = [number](std::string_view detail) {
    return fault(number, Errc::invalid, detail);
  };
  if (kind(text) != json::Kind::object) return malformed("an operation is an object");
  const Parts parts = parts_of(text);
  if (!parts.op || !is_string(*parts.op)) return malformed("\"op\" is a string");
  const auto what = kind_named(unescape(content(*parts.op)));
  if (!what) return malformed("\"op\" is add, remove, replace, move, copy or test");
  auto path = pointer_in(parts.path);
  if (!path) return malformed("\"path\" is a JSON Pointer, as \"/name\"");

  Operation operation{number, *what, std::move(*path), {}, {}};
  if (*what == Kind::add || *what == Kind::replace || *what == Kind::test) {
    if (!parts.value) return malformed("\"value\" is missing");
    operation.value = *parts.value;
  }
  if (*what == Kind::remove && operation.path.empty()) {
    return malformed("the document as a whole cannot be removed");
  }
  if (*what == Kind::move || *what == Kind::copy) {
    auto from = pointer_in(parts.from);
    if (!from) return malformed("\"from\" is a JSON Pointer, as \"/name\"");
    operation.from = std::move(*from);
  }
  if (*what == Kind::move && operation.from.size() < operation.path.size() &&
      std::equal(operation.from.begin(), operation.from.end(), operation.path.begin())) {
    return malformed("a value cannot be moved into itself");
  }
  return operation;
}

Result<std::vector<Operation>> parse_operations(std::string_view patch, const Limits& limits) {
  if (kind(patch) != Kind::array) return invalid("a JSON Patch is an array of operations");
  std::vector<Operation> operations;
  for (const std::string_view element : Elements(patch)) {
    if (operations.size() == limits.patch_operations) {
      return invalid("a JSON Patch has at most " + std::to_string(limits.patch_operations) +
                     " operations (limit patch_operations)");
    }
    auto operation = parse_operation(operations.size(), element);
    if (!operation) return operation.error();
    operations.push_back(std::move(*operation));
  }
  return operations;
}

class Patcher {
 public:
  Patcher(std::string_view target, const Limits& limits) : root_(target), limits_(limits) {}

  Result<void> apply(const Operation& operation) {
    using Kind = Operation::Kind;
    number_ = operation.number;
    switch (operation.kind) {
      case Kind::test:
        return test(operation);
      case Kind::remove:
        return remove(operation.path);
      case Kind::add:
        return add(operation.path, Tree(operation.value));
      case Kind::replace:
        return replace(operation.path, Tree(operation.value));
      case Kind::copy:
        return copy(operation);
      case Kind::move:
        return move(operation);
    }
    return {};
  }

  // After each operation.
  Result<void> check_limits() {
    if (root_.size() > limits_.document_size) {
      return fault(number_, Errc::too_large,
                   "the document becomes larger than " + std::to_string(limits_.document_size) +
                       " bytes (limit document_size)");
    }
    if (root_.is_open() && root_.is_object() && root_.object().count() > limits_.document_fields) {
      return fault(number_, Errc::invalid,
                   "the document gets more than " + std::to_string(limits_.document_fields) +
                       " fields (limit document_fields)");
    }
    return {};
  }

  Result<Patched> finish() {
    if (!root_.is_object()) return invalid("the patch does not leave an object");
    patched_.object.reserve(root_.size());
    root_.append_to(patched_.object);
    return std::move(patched_);
  }

 private:
  // ---- finding

  // What `token` names in an open or unopened container; null if there is nothing.
  Result<Tree*> child(Tree& parent, const Token& token) {
    if (auto opened = open(parent); !opened) return opened.error();
    if (parent.is_object()) return parent.object().find(token.spelling);
    if (!parent.is_array()) return nullptr;
    const auto index = array_index(token, parent.array().count());
    if (!index || *index == parent.array().count()) return nullptr;
    return &parent.array().element(*index);
  }

  Result<Tree*> find(Path path) {
    Tree* at = &root_;
    for (const Token& token : path) {
      auto next = child(*at, token);
      if (!next) return next;
      if (*next == nullptr) return nowhere();
      at = *next;
    }
    return at;
  }

  // Lets `change` change the container in which the last step of `path` (not empty) is.
  template <class Change>
  Result<void> within(Tree& tree, Path path, const Change& change) {
    if (path.size() == 1) {
      if (auto opened = open(tree); !opened) return opened;
      return change(tree, path.front());
    }
    auto next = child(tree, path.front());
    if (!next) return next.error();
    if (*next == nullptr) return nowhere();
    Tree& inner = **next;
    const std::size_t before = inner.size();
    auto changed = within(inner, path.subspan(1), change);
    if (tree.is_object()) {
      tree.object().resized(before, inner.size());
    } else {
      tree.array().resized(before, inner.size());
    }
    return changed;
  }

  // ---- the operations

  Result<void> test(const Operation& operation) {
    auto found = find(operation.path);
    if (!found) return found.error();
    if (auto paid = pay((*found)->size() + operation.value.size()); !paid) return paid;
    std::string text;
    (*found)->append_to(text);
    if (equal(text, operation.value)) return {};
    return conflict("the value at its path is another");
  }

  Result<void> add(Path path, Tree value) {
    if (auto fits = check_height(path, value); !fits) return fits;
    if (path.empty()) return set_root(std::move(value));
    touch(path);
    return within(root_, path, [&](Tree& parent, const Token& token) -> Result<void> {
      if (parent.is_object()) {
        Object& object = parent.object();
        if (Tree* old = object.find(token.spelling)) {
          assign(parent.object(), *old, std::move(value));
        } else {
          object.append(token.spelling, std::move(value));
        }
        return {};
      }
      if (!parent.is_array()) return nowhere();
      Array& array = parent.array();
      const auto index = token.name == "-" ? array.count() : array_index(token, array.count());
      if (!index) return nowhere();
      array.insert(*index, std::move(value));
      return {};
    });
  }

  Result<void> replace(Path path, Tree value) {
    if (auto fits = check_height(path, value); !fits) return fits;
    if (path.empty()) return set_root(std::move(value));
    touch(path);
    return within(root_, path, [&](Tree& parent, const Token& token) -> Result<void> {
      auto old = child(parent, token);
      if (!old) return old.error();
      if (*old == nullptr) return nowhere();
      if (parent.is_object()) {
        assign(parent.object(), **old, std::move(value));
      } else {
        assign(parent.array(), **old, std::move(value));
      }
      return {};
    });
  }

  Result<void> remove(Path path) {
    auto taken = take(path);
    if (!taken) return taken.error();
    return {};
  }

  Result<void> copy(const Operation& operation) {
    auto found = find(operation.from);
    if (!found) return found.error();
    if (auto paid = pay((*found)->size()); !paid) return paid;
    return add(operation.path, (*found)->copy());
  }

  Result<void> move(const Operation& operation) {
    if (operation.from == operation.path) {
      auto found = find(operation.from);
      if (!found) return found.error();
      return {};
    }
    auto taken = take(operation.from);
    if (!taken) return taken.error();
    if (auto paid = pay(taken->size()); !paid) return paid;
    return add(operation.path, std::move(*taken));
  }

  Result<Tree> take(Path path) {
    touch(path);
    std::optional<Tree> taken;
    auto changed = within(root_, path, [&](Tree& parent, const Token& token) -> Result<void> {
      auto old = child(parent, token);
      if (!old) return old.error();
      if (*old == nullptr) return nowhere();
      if (parent.is_object()) {
        taken = parent.object().remove(token.spelling);
        return {};
      }
      Array& array = parent.array();
      taken = array.remove(*array_index(token, array.count()));
      return {};
    });
    if (!changed) return changed.error();
    return std::move(*taken);
  }

  template <class Container>
  void assign(Container& container, Tree& old, Tree value) {
    container.resized(old.size(), value.size());
    old = std::move(value);
  }

  Result<void> set_root(Tree value) {
    if (auto touched = touch_names(value); !touched) return touched;
    if (auto touched = touch_names(root_); !touched) return touched;
    root_ = std::move(value);
    return {};
  }

  // ---- what was spoken of

  void touch(Path path) { touch(path.front().name); }
  void touch(const std::string& name) {
    if (seen_.insert(name).second) patched_.touched.push_back(name);
  }
  Result<void> touch_names(Tree& value) {
    if (!value.is_object()) return {};
    if (auto opened = open(value); !opened) return opened;
    for (const std::string_view name : value.object().names()) touch(unescape(name));
    return {};
  }

  // ---- limits

  Result<void> open(Tree& tree) {
    return tree.is_open() || (!tree.is_object() && !tree.is_array()) ? Result<void>()
                                                                     : pay(tree.size());
  }

  Result<void> pay(std::size_t bytes) {
    work_ += bytes;
    if (work_ <= limits_.patch_work) return {};
    return fault(number_, Errc::too_large,
                 "the patch works on more than " + std::to_string(limits_.patch_work) +
                     " bytes (limit patch_work)");
  }

  Result<void> check_height(Path path, const Tree& value) const {
    if (path.size() + value.height() <= limits_.nesting) return {};
    return fault(number_, Errc::invalid, "the document becomes nested too deeply (limit nesting)");
  }

  Error conflict(std::string_view detail) const { return fault(number_, Errc::conflict, detail); }
  Error nowhere() const { return conflict("the document has no such place"); }

  Tree root_;
  const Limits& limits_;
  Patched patched_;
  std::set<std::string, std::less<>> seen_;
  std::size_t work_ = 0;
  std::size_t number_ = 0;
};

}  // namespace

Result<void> check_json_patch(std::string_view patch, const Limits& limits) {
  auto operations = parse_operations(patch, limits);
  if (!operations) return operations.error();
  return {};
}

Result<Patched> json_patch(std::string_view target, std::string_view patch, const Limits& limits) {
  const auto operations = parse_operations(patch, limits);
  if (!operations) return operations.error();
  Patcher patcher(target, limits);
  for (const Operation& operation : *operations) {
    if (auto applied = patcher.apply(operation); !applied) return applied.error();
    if (auto within = patcher.check_limits(); !within) return within.error();
  }
  return patcher.finish();
}

}  // namespace doctor::json
