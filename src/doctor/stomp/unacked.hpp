#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace doctor::stomp {

/// The messages of one subscription that were sent and are not settled yet. Only their numbers are
/// kept: nothing is delivered again.
class Unacked {
 public:
  /// Numbers only grow.
  void add(std::uint64_t number, std::size_t bytes);

  /// Whether the message waits for its settlement, and no open transaction has it.
  bool can_settle(std::uint64_t number) const;
  /// An open transaction settles it, once it commits.
  void claim(std::uint64_t number);
  /// The transaction was aborted.
  void release(std::uint64_t number);
  /// Settles the message; if `cumulative`, all that were sent before it too. One that is settled
  /// already, as a transaction's may be by a cumulative ACK, is no error.
  /// @return how many were settled
  std::size_t settle(std::uint64_t number, bool cumulative);

  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Sent {
    std::uint64_t number;
    std::size_t bytes;
    bool claimed;
  };
  using Messages = std::deque<Sent>;
  Messages::const_iterator lower_bound(std::uint64_t number) const;
  Sent* find(std::uint64_t number);

  Messages messages_;
  std::size_t bytes_ = 0;
};

}  // namespace doctor::stomp
