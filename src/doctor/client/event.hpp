#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace doctor::client {

/// An event as it came. A copy is another handle of the same, unchanging event: cheap, and any
/// thread may keep and read it. Views live as long as some handle.
class Event {
 public:
  /// No event: all its parts are empty.
  Event() = default;
  /// @param receiver   who told it: the name of the peer
  /// @param method     `|component|operation|unique id`; whatever follows the third bar is the
  ///                   unique id. A receiver that stands before the first bar is kept instead.
  ///                   With fewer bars there is no event.
  /// @param params     JSON; empty: none
  Event(std::string_view receiver, std::string_view method, std::string_view params,
        std::chrono::steady_clock::time_point arrived);

  explicit operator bool() const { return data_ != nullptr; }

  /// `receiver|component|operation|unique id`, as subscription ids are held against it.
  std::string_view id() const { return slice(0, end(3)); }
  std::string_view receiver() const { return slice(0, end(0)); }
  std::string_view component() const { return slice(end(0) + 1, end(1)); }
  std::string_view operation() const { return slice(end(1) + 1, end(2)); }
  std::string_view unique_id() const { return slice(end(2) + 1, end(3)); }
  /// Compact JSON, an object or an array; empty: none.
  std::string_view params() const { return slice(end(3), data_ ? data_->text_size : 0); }

  std::chrono::steady_clock::time_point arrived() const {
    return data_ ? data_->arrived : std::chrono::steady_clock::time_point();
  }
  /// How many octets it takes: what the bounds of buffers count.
  std::size_t size() const { return data_ ? sizeof(Data) + data_->text_size : 0; }

 private:
  // The text follows it: the id, then the params.
  struct Data {
    std::size_t text_size;
    std::size_t ends[4];  // of the id's parts
    std::chrono::steady_clock::time_point arrived;
  };
  std::size_t end(int part) const { return data_ ? data_->ends[part] : 0; }
  std::string_view slice(std::size_t begin, std::size_t end) const {
    if (data_ == nullptr) return {};
    return {reinterpret_cast<const char*>(data_.get() + 1) + begin, end - begin};
  }

  std::shared_ptr<const Data> data_;
};

}  // namespace doctor::client
