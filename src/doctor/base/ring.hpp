#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace doctor {

/// A queue in one block of memory, which doubles as it fills and halves as it empties. As long as
/// nothing was put in there is no block, and an empty one keeps little: thousands of queues may
/// wait idle. (A `std::deque` takes 640 bytes before its first element.)
///
/// @tparam T  default constructible and movable; places that are free hold a `T{}`
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  T& operator[](std::size_t at) { return places_[place(at)]; }
  const T& operator[](std::size_t at) const { return places_[place(at)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  /// Valid until the ring changes.
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    const_iterator(const Ring* ring, std::size_t at) : ring_(ring), at_(at) {}
    const T& operator*() const { return (*ring_)[at_]; }
    const T* operator->() const { return &(*ring_)[at_]; }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) { return {ring_, at_++}; }
    bool operator==(const const_iterator&) const = default;

   private:
    const Ring* ring_ = nullptr;
    std::size_t at_ = 0;
  };
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }

  void push_back(T value) {
    if (size_ == capacity_) move_to(capacity_ == 0 ? first_capacity : 2 * capacity_);
    places_[place(size_++)] = std::move(value);
  }

  /// Takes out the first one; there must be one.
  T pop_front() {
    T value = std::exchange(places_[first_], T{});
    first_ = place(1);
    --size_;
    if (capacity_ > capacity_kept && size_ <= capacity_ / 4) move_to(capacity_ / 2);
    return value;
  }

  /// Takes out all of which `gone(const T&)` holds; the others stay in their order.
  /// @return how many were taken out
  template <class Gone>
  std::size_t erase_if(Gone gone) {
    Ring kept;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!gone(std::as_const(*this)[i])) kept.push_back(std::move((*this)[i]));
    }
    const std::size_t erased = size_ - kept.size_;
    *this = std::move(kept);
    return erased;
  }

  /// Empties it and gives its memory back.
  void clear() { *this = Ring(); }

  Ring() = default;
  Ring(Ring&& other) noexcept
      : places_(std::move(other.places_)),
        capacity_(std::exchange(other.capacity_, 0)),
        first_(std::exchange(other.first_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Ring& operator=(Ring&& other) noexcept {
    places_ = std::move(other.places_);
    capacity_ = std::exchange(other.capacity_, 0);
    first_ = std::exchange(other.first_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

 private:
  // Powers of two, so that a place is found by a mask.
  static constexpr std::size_t first_capacity = 4;
  static constexpr std::size_t capacity_kept = 16;

  std::size_t place(std::size_t at) const { return (first_ + at) & (capacity_ - 1); }

  void move_to(std::size_t capacity) {
    auto places = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) places[i] = std::move((*this)[i]);
    places_ = std::move(places);
    capacity_ = capacity;
    first_ = 0;
  }

  std::unique_ptr<T[]> places_;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace doctor
