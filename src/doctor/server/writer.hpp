#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "doctor/server/net.hpp"
#include "doctor/server/slow_writes.hpp"

namespace doctor::server {

/// Writes to a connection's stream what there is for its peer, piece by piece, as fast as the peer
/// takes it. What the socket does not take at once waits here, and no other piece is asked for
/// until it has gone. Belongs to the thread of the stream; the connection, whose member it is,
/// lives while something is under way.
///
/// Of a Connection it needs, besides shared_from_this:
///
///     std::string_view next_piece();  // valid while it is written at once; empty: nothing now
///     void nothing_left();            // next_piece has just been empty; may call `end`
///     void taken();                   // the peer has taken a part of what waits
///     void resumed();                 // what waited has gone, and more has been written
///     void abort();                   // the stream has failed
template <class Connection>
class Writer final : public SlowWrite {
 public:
  /// About how large a piece should be at the most.
  static constexpr std::size_t piece_size = 64u << 10;

  Writer(Connection& connection, Stream& stream, SlowWrites& slow_writes)
      : connection_(connection), stream_(stream), slow_writes_(slow_writes) {}

  /// Writes until there is nothing left, the socket takes no more or others must have a turn; in
  /// the last two cases it goes on by itself. Each piece is a write of its own.
  void write() {
    for (int turn = 0; !busy_ && !ended_ && stream_.is_open(); ++turn) {
      if (turn == pieces_in_a_turn) return go_on_later();
      const std::string_view piece = connection_.next_piece();
      if (piece.empty()) return connection_.nothing_left();
      error_code failure;
      const std::size_t count = stream_.write_some(asio::buffer(piece), failure);
      if (failure && failure != asio::error::would_block) return connection_.abort();
      if (count == piece.size()) continue;
      waiting_ = piece.substr(count);
      taken_ = 0;
      write_waiting();
    }
  }

  /// Ends this side of the stream in order; nothing is written from then on.
  /// @return false: that must wait until the socket can be written; then `nothing_left` comes again
  bool end() {
    ended_ = stream_.end();
    if (ended_) return true;
    busy_ = true;
    stream_.async_wait_writable(
        [this, self = connection_.shared_from_this()](const error_code& failure) {
          busy_ = false;
          if (!failure) connection_.nothing_left();
        });
    return false;
  }
  /// Writes nothing from now on, and leaves the stream as it is.
  void stop() { ended_ = true; }
  /// By either of them.
  bool ended() const { return ended_; }

  bool look() override {
    const auto unsent = busy_ ? stream_.unsent() : std::nullopt;
    if (!unsent) return false;
    if (*unsent < unsent_) connection_.taken();
    unsent_ = *unsent;
    return true;
  }

 private:
  // A peer that reads as fast as it is written to must not keep the others waiting.
  static constexpr int pieces_in_a_turn = 4;

  void go_on_later() {
    busy_ = true;
    asio::post(stream_.executor(), [this, self = connection_.shared_from_this()] { go_on(); });
  }

  void write_waiting() {
    busy_ = true;
    slow_writes_.add(*this);
    stream_.async_write_some(asio::buffer(std::as_const(waiting_)) + taken_,
                             [this, self = connection_.shared_from_this()](
                                 const error_code& failure, std::size_t count) {
                               if (failure) {
                                 busy_ = false;
                                 return connection_.abort();
                               }
                               connection_.taken();
                               taken_ += count;
                               if (taken_ < waiting_.size()) return write_waiting();
                               waiting_ = std::string();
                               go_on();
                             });
  }

  void go_on() {
    busy_ = false;
    write();
    connection_.resumed();
  }

  Connection& connection_;
  Stream& stream_;
  SlowWrites& slow_writes_;
  std::string waiting_;    // what the socket has not taken at once
  std::size_t taken_ = 0;  // of it, what it has taken since
  int unsent_ = 0;         // octets that the system still had when it was last looked at
  bool busy_ = false;      // an asynchronous operation is under way
  bool ended_ = false;     // nothing is written any more
};

}  // namespace doctor::server
