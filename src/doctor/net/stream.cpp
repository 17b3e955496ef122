#include "doctor/net/stream.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "doctor/net/peer_names.hpp"

namespace doctor::net {
namespace {

constexpr std::size_t record_size = 16u << 10;  // of plain text (RFC 8446 §5.1)
// A peer that reads as fast as it is written to must not keep the others waiting.
constexpr std::size_t written_at_once = 1u << 20;

asio::ip::tcp protocol_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

// What stands `at` octets behind the beginning of all buffers, at most a record of it. Small
// buffers, like a head before its body, are joined: a record costs 22 octets and a cipher's start.
std::string_view piece_at(std::size_t at, std::span<const asio::const_buffer> buffers) {
  thread_local std::array<char, record_size> joined;
  std::size_t size = 0;
  for (std::size_t i = 0; i < buffers.size() && size < record_size; ++i) {
    const asio::const_buffer buffer = buffers[i] + at;
    at -= std::min(at, buffers[i].size());
    const std::string_view octets(static_cast<const char*>(buffer.data()),
                                  std::min(buffer.size(), record_size));
    const bool alone = octets.size() == record_size || i + 1 == buffers.size();
    if (size == 0 && alone) return octets;
    size += octets.copy(joined.data() + size, record_size - size);
  }
  return {joined.data(), size};
}

}  // namespace

DetachedStream::~DetachedStream() {
  if (socket_ >= 0) ::close(socket_);
}

Stream::Stream(Socket socket, TlsSession tls) : socket_(std::move(socket)), tls_(std::move(tls)) {
  error_code ignored;  // on a socket that is already dead the first read tells
  socket_.non_blocking(true, ignored);
}

Stream::Stream(Executor executor, DetachedStream detached)
    : socket_(executor), tls_(std::move(detached.tls_)) {
  error_code failure;
  socket_.assign(protocol_of(detached.socket_), detached.socket_, failure);
  if (failure) return;  // then it is not open, and the first read tells
  detached.socket_ = -1;
  socket_.non_blocking(true, failure);
}

Stream::~Stream() {
  if (tls_ && socket_.is_open()) end();
}

std::optional<int> Stream::unsent() {
  int count = 0;
  if (!is_open() || ioctl(socket_.native_handle(), TIOCOUTQ, &count) != 0) return std::nullopt;
  return count;
}

std::optional<Endpoint> Stream::peer() const {
  return peer_of(socket_);
}

std::vector<std::string> Stream::certified_names() const {
  if (!tls_) return {};
  return peer_names(*tls_);
}

void Stream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

bool Stream::end() {
  if (ended_) return true;
  if (tls_ && !failed_) {
    ERR_clear_error();
    const int result = SSL_shutdown(tls_.get());
    if (result < 0 && failure_of(result) == asio::error::would_block) return false;
  }
  ended_ = true;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  return true;
}

void Stream::reset() {
  error_code ignored;
  socket_.set_option(Socket::linger(true, 0), ignored);
  close();
}

DetachedStream Stream::detach() {
  error_code failure;
  const int socket = socket_.release(failure);
  return {failure ? -1 : socket, std::move(tls_)};
}

std::size_t Stream::read_tls(asio::mutable_buffer room, error_code& failure) {
  if (ended_) {
    waits_for_ = Socket::wait_read;
    return socket_.read_some(room, failure);
  }
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(tls_.get(), room.data(), room.size(), &count);
  failure = result == 1 ? error_code() : failure_of(result);
  return count;
}

std::size_t Stream::write_tls(std::span<const asio::const_buffer> buffers, error_code& failure) {
  failure = {};
  std::size_t written = 0;
  while (written < written_at_once) {
    const std::string_view piece = piece_at(written, buffers);
    if (piece.empty()) break;
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(tls_.get(), piece.data(), piece.size(), &count);
    if (result != 1) {
      if (written == 0) failure = failure_of(result);
      break;
    }
    written += count;
  }
  return written;
}

error_code Stream::failure_of(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      waits_for_ = Socket::wait_read;
      return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE:
      waits_for_ = Socket::wait_write;
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    default:
      failed_ = true;
      ERR_clear_error();
      return asio::error::connection_aborted;
  }
}

}  // namespace doctor::net
