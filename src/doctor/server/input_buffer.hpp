#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace doctor::server {

/// The octets that a connection has received and not yet used, in one flat piece. Small while the
/// connection is idle.
class InputBuffer {
 public:
  static constexpr std::size_t idle_capacity = 2u << 10;

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }

  /// Room for the next read: at least `least` octets behind what is there. Moves what is there.
  std::span<char> prepare(std::size_t least) {
    if (empty()) begin_ = end_ = 0;
    if (capacity_ - end_ < least) {
      const std::size_t needed = size() + least;
      if (needed <= capacity_) {
        std::memmove(data_.get(), data_.get() + begin_, size());
      } else {
        move_to(std::max({needed, 2 * capacity_, idle_capacity}));
      }
      end_ -= begin_;
      begin_ = 0;
    }
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t count) { end_ += count; }
  void consume(std::size_t count) { begin_ += count; }

  /// Takes the first `count` octets away with their memory, so that views of them stay valid while
  /// more is read; the rest moves to new memory.
  InputBuffer split(std::size_t count) {
    InputBuffer first = std::move(*this);
    *this = InputBuffer();
    const std::string_view rest = first.view().substr(count);
    std::memcpy(prepare(std::max(rest.size(), std::size_t{1})).data(), rest.data(), rest.size());
    commit(rest.size());
    first.end_ = first.begin_ + count;
    return first;
  }

  /// Gives back what a large request made it grow to. Only when empty.
  void shrink() {
    if (capacity_ > idle_capacity) *this = InputBuffer();
  }

  InputBuffer() = default;
  InputBuffer(InputBuffer&& other) noexcept { swap(other); }
  InputBuffer& operator=(InputBuffer&& other) noexcept {
    InputBuffer taken(std::move(other));
    swap(taken);
    return *this;
  }

 private:
  void swap(InputBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }
  void move_to(std::size_t capacity) {
    // Not make_unique: it would clear what is about to be read into.
    std::unique_ptr<char[]> larger(new char[capacity]);
    // The first one has nothing to copy from, and memcpy wants no null pointer even for no bytes.
    if (size() > 0) std::memcpy(larger.get(), data_.get() + begin_, size());
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace doctor::server
