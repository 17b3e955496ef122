#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "doctor/rest/http.hpp"
#include "doctor/server/budget.hpp"
#include "doctor/server/net.hpp"

namespace doctor::server {

/// How the connection goes on after an answer (RFC 9112 §9.3).
enum class Persistence : std::uint8_t {
  keep,           ///< HTTP/1.1: nothing need be said
  keep_and_tell,  ///< HTTP/1.0 that asked for it
  close,
};

/// What a connection has to send: heads and small bodies of pipelined answers in one piece, then at
/// most one large body, all written at once. Belongs to its connection's thread.
class Outbox {
 public:
  /// Larger bodies are not copied behind their head, and count against the budget of answers.
  static constexpr std::size_t small_body = 16u << 10;

  explicit Outbox(Budget& answers) : share_(answers) {}

  bool empty() const { return size() == 0; }
  std::size_t size() const { return small_.size() + large().size() - written_; }
  /// Whether what is there should be written before another answer is added.
  bool full() const { return !large().empty() || small_.size() > 4 * small_body; }

  /// Adds an answer: status line, `date_line`, framing, its headers, its body. Not while full.
  /// @return false, and nothing added, if the budget of answers is used up
  bool add(rest::Response& response, Persistence persistence, std::string_view date_line);
  /// Adds the head of an answer whose body is sent in pieces afterwards.
  void add_head(const rest::Response& response, Persistence persistence, std::string_view date_line,
                std::string_view framing);
  void add_raw(std::string_view octets) { small_ += octets; }
  /// The answer that was added when the size was `size`, in two parts: its body, if it is large,
  /// else null, and all else of it.
  const std::shared_ptr<const std::string>& large_body() const { return large_; }
  std::string_view added_at(std::size_t size) const {
    return std::string_view(small_).substr(written_ + size);
  }
  /// Adds those parts once more, with another date; as `add`.
  bool add_again(std::string_view answer, std::shared_ptr<const std::string> large,
                 std::string_view date_line);

  std::array<asio::const_buffer, 2> buffers() const;
  /// Writes what the stream takes at once. True if nothing is left; on a failure something is, and
  /// the next write tells it.
  bool write_some(Stream& stream);
  void consume(std::size_t count);

 private:
  void begin_head(const rest::Response& response, Persistence persistence,
                  std::string_view date_line);
  void end_head(const rest::Response& response);
  std::string_view large() const { return large_ ? std::string_view(*large_) : std::string_view(); }

  std::string small_;
  std::shared_ptr<const std::string> large_;
  std::size_t written_ = 0;  // of small_, then large_
  Share share_;
};

}  // namespace doctor::server
