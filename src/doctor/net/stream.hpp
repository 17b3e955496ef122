#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "doctor/net/addresses.hpp"
#include "doctor/net/asio.hpp"
#include "doctor/net/tls_session.hpp"

namespace doctor::net {

/// A connected socket that no I/O thread has at the moment, with its TLS if there is any: how a
/// connection goes from one thread to another.
class DetachedStream {
 public:
  DetachedStream(int socket, TlsSession tls) : socket_(socket), tls_(std::move(tls)) {}
  DetachedStream(DetachedStream&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), tls_(std::move(other.tls_)) {}
  DetachedStream& operator=(DetachedStream&&) = delete;
  ~DetachedStream();

 private:
  friend class Stream;
  int socket_;  // -1: none
  TlsSession tls_;
};

/// A connected socket, plain or under TLS, whose handshake is done: what connections read and
/// write. Never blocks. Belongs to the thread of its executor; like a socket it must stay where it
/// is, and live, while an asynchronous operation is under way.
///
/// Failures are as a socket's: `would_block`, `eof`, any other ends the connection. Under TLS `eof`
/// is the peer's close_notify; an end without it, which may be somebody's cut, is another failure.
class Stream {
 public:
  /// @param tls  null: plain
  Stream(Socket socket, TlsSession tls);
  Stream(Executor executor, DetachedStream detached);
  Stream(Stream&&) = default;
  /// While open: ends in order, as far as that needs no waiting.
  ~Stream();

  bool secure() const { return tls_ != nullptr; }
  bool is_open() const { return socket_.is_open(); }
  Executor executor() { return socket_.get_executor(); }
  /// Whether octets have come that have not been read.
  bool has_unread() {
    error_code failure;
    return socket_.available(failure) > 0;
  }
  /// How many octets the system still has to send, or nothing if it does not tell.
  std::optional<int> unsent();
  /// As `peer_of`.
  std::optional<Endpoint> peer() const;
  /// Whom the peer's certificate names (peer_names.hpp); empty if it has shown none.
  std::vector<std::string> certified_names() const;

  std::size_t read_some(asio::mutable_buffer room, error_code& failure) {
    return tls_ ? read_tls(room, failure) : socket_.read_some(room, failure);
  }
  /// Under TLS what was offered and not taken must be offered again, first, with the next write.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& failure) {
    return tls_ ? write_tls(span_of(buffers), failure) : socket_.write_some(buffers, failure);
  }

  template <class Token>
  auto async_read_some(asio::mutable_buffer room, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, asio::mutable_buffer into) {
          if (!tls_) return socket_.async_read_some(into, std::move(handler));
          begin([this, into](error_code& failure) { return read_tls(into, failure); },
                std::move(handler));
        },
        token, room);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, Buffers from) {
          if (!tls_) return socket_.async_write_some(from, std::move(handler));
          begin([this, from](error_code& failure) { return write_tls(span_of(from), failure); },
                std::move(handler));
        },
        token, buffers);
  }
  template <class Token>
  auto async_wait_writable(Token&& token) {
    return socket_.async_wait(Socket::wait_write, std::forward<Token>(token));
  }

  /// Ends asynchronous operations with `operation_aborted`.
  void cancel();
  /// Ends this side in order, once all is written: close_notify, then FIN. What the peer still
  /// sends is then read as it comes and no longer deciphered.
  /// @return false: that must wait until the socket can be written; call it again
  bool end();
  /// Ends at once. Under TLS the peer sees that it was cut off.
  void close();
  /// The same, with a reset (RST), which also a peer notices that does not look for an end.
  void reset();

  /// Takes the socket away from this thread; then the stream is closed. Not while an operation is
  /// under way.
  DetachedStream detach();

 private:
  template <class Buffers>
  static std::span<const asio::const_buffer> span_of(const Buffers& buffers) {
    return {asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers)};
  }
  std::size_t read_tls(asio::mutable_buffer room, error_code& failure);
  std::size_t write_tls(std::span<const asio::const_buffer> buffers, error_code& failure);
  error_code failure_of(int result);

  // Attempts until one does not want to wait. Nothing completes within the call that begins it.
  template <class Attempt, class Handler>
  void begin(Attempt attempt, Handler handler) {
    error_code failure;
    const std::size_t count = attempt(failure);
    if (failure == asio::error::would_block) {
      return go_on(std::move(attempt), std::move(handler));
    }
    asio::post(socket_.get_executor(), [failure, count, handler = std::move(handler)]() mutable {
      std::move(handler)(failure, count);
    });
  }
  template <class Attempt, class Handler>
  void go_on(Attempt attempt, Handler handler) {
    socket_.async_wait(waits_for_, [this, attempt = std::move(attempt),
                                    handler = std::move(handler)](error_code failure) mutable {
      const std::size_t count = failure ? 0 : attempt(failure);
      if (failure == asio::error::would_block) {
        return go_on(std::move(attempt), std::move(handler));
      }
      std::move(handler)(failure, count);
    });
  }

  Socket socket_;
  TlsSession tls_;
  Socket::wait_type waits_for_ = Socket::wait_read;  // what the last attempt failed for
  bool failed_ = false;                              // TLS is over: nothing more can be said in it
  bool ended_ = false;                               // this side is
};

}  // namespace doctor::net
