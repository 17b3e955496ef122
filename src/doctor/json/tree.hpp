#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace doctor::json {

class Object;
class Array;

/// A value that can be changed: a slice of text until something within it is wanted, and only then
/// a tree, level by level. Knows the size of its compact text at any time. The texts that it was
/// made of, and names and values given to it, must outlive it.
class Tree {
 public:
  explicit Tree(std::string_view text);
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;
  ~Tree();

  bool is_object() const;
  bool is_array() const;
  /// The bytes of its compact text.
  std::size_t size() const;
  /// How many levels of objects and arrays it has.
  std::uint32_t height() const;
  void append_to(std::string& out) const;
  Tree copy() const;

  /// Whether it is a tree already; if not, opening it reads all of its text.
  bool is_open() const;
  /// The text of one that is not open.
  std::string_view text() const { return std::get<std::string_view>(state_); }
  /// Its members or elements, opened: only for an object, or an array.
  Object& object();
  Array& array();

 private:
  using State = std::variant<std::string_view, std::unique_ptr<Object>, std::unique_ptr<Array>>;
  explicit Tree(State state);

  State state_;
};

/// Members in their order: one whose value is changed keeps its place, a new one comes last. Names
/// are given as they are spelt between quotes; any spelling of a name finds it.
class Object {
 public:
  explicit Object(std::string_view text);
  Object(const Object& other);

  std::size_t size() const { return size_; }
  std::size_t count() const { return count_; }
  std::uint32_t height() const;
  void append_to(std::string& out) const;
  std::vector<std::string_view> names() const;

  /// Null if there is none of that name.
  Tree* find(std::string_view name);
  /// A member that is not there yet.
  void append(std::string_view name, Tree value);
  /// Takes out a member that is there.
  Tree remove(std::string_view name);
  /// The value of a member was changed from outside: how large it was and is.
  void resized(std::size_t before, std::size_t after) { size_ += after - before; }

 private:
  // One that was removed leaves its slot, so that the others stay where they are.
  struct Slot {
    std::string_view name;
    Tree value;
    bool removed;
  };
  struct Reference {
    std::uint32_t hash;
    std::size_t slot;
  };
  Slot* slot(std::string_view name);
  void index_all();
  bool precedes(const Reference& a, std::uint32_t hash, std::string_view name) const;

  std::vector<Slot> slots_;
  std::vector<Reference> index_;  // the first of the slots, by hash, then by name
  std::size_t count_ = 0;
  std::size_t size_ = 2;
};

/// Elements in their order. Those that nobody asked for stay together in pieces of text, so that an
/// array of millions is opened, and changed anywhere, at little cost.
class Array {
 public:
  explicit Array(std::string_view text);
  Array(const Array& other);

  std::size_t size() const { return size_; }
  std::size_t count() const { return count_; }
  std::uint32_t height() const;
  void append_to(std::string& out) const;

  /// An index below `count`.
  Tree& element(std::size_t index);
  /// Before the element at `index`, which may be `count`.
  void insert(std::size_t index, Tree value);
  Tree remove(std::size_t index);
  void resized(std::size_t before, std::size_t after) { size_ += after - before; }

 private:
  // One element, or the text of several, with commas.
  struct Piece {
    Tree value;
    std::size_t count;
  };
  using Place = std::vector<Piece>::iterator;
  Place split(std::size_t index);

  std::vector<Piece> pieces_;
  std::size_t count_ = 0;
  std::size_t size_ = 2;
};

}  // namespace doctor::json
