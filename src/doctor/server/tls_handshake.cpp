#include "doctor/server/tls_handshake.hpp"

#include <array>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "doctor/base/log.hpp"
#include "doctor/server/thrown.hpp"

namespace doctor::server {
namespace {

// How long, and how much, a client may go on sending after it was refused: closing earlier would
// reset the connection, and it might never see the alert that says why.
constexpr std::chrono::seconds refusal_time{1};
constexpr std::size_t refusal_octets = 256u << 10;

constexpr std::string_view answer_to_http =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 44\r\nConnection: close\r\n\r\nThis port speaks HTTPS: begin with https://\n";

}  // namespace

TlsHandshake::TlsHandshake(IoThread& thread, Shared& shared, TlsEndpoint& endpoint, Socket socket,
                           std::string peer, Share place, const Listener::Accepted& done)
    : thread_(thread),
      shared_(shared),
      endpoint_(endpoint),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      place_(std::move(place)),
      done_(done) {}

void TlsHandshake::start() {
  if (shared_.phase == Phase::stopping) return;  // accepted before, begun after
  error_code ignored;  // on a socket that is already dead the first step tells
  socket_.non_blocking(true, ignored);
  tls_ = endpoint_.context()->begin(socket_.native_handle());
  if (tls_ == nullptr) return endpoint_.failed(peer_, tls_reason(), false);
  thread_.deadlines().add(*this);
  asio::co_spawn(
      thread_.executor(),
      [](std::shared_ptr<TlsHandshake> self) -> Task<void> {
        co_await self->run();
      }(shared_from_this()),
      [](std::exception_ptr thrown) { log_thrown("a TLS handshake failed", thrown); });
}

void TlsHandshake::expired() {
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void TlsHandshake::abort() {
  error_code ignored;
  socket_.close(ignored);
}

Task<void> TlsHandshake::run() {
  deadline_ = Clock::now() + shared_.limits.tls_handshake_timeout;
  Step step = advance();
  while (step == Step::wait_to_read || step == Step::wait_to_write) {
    const auto what = step == Step::wait_to_read ? Socket::wait_read : Socket::wait_write;
    co_await socket_.async_wait(what, as_values);
    if (!socket_.is_open()) co_return;  // the server ends
    if (timed_out_) {
      endpoint_.failed(peer_, "it took longer than tls_handshake_timeout", true);
      co_return;
    }
    step = advance();
  }
  deadline_ = never;
  if (step == Step::failed) {
    co_await refuse();
    co_return;
  }
  endpoint_.handshakes().done.fetch_add(1, std::memory_order_relaxed);
  done_(thread_, Stream(std::move(socket_), std::move(tls_)), std::move(peer_), std::move(place_));
}

TlsHandshake::Step TlsHandshake::advance() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(tls_.get());
  if (result == 1) return Step::done;
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::wait_to_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wait_to_write;
    case SSL_ERROR_SYSCALL:
    case SSL_ERROR_ZERO_RETURN:
      note_failure(true);
      return Step::failed;
    default:
      note_failure(ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
      return Step::failed;
  }
}

// The client has gone, or OpenSSL has found something wrong and told the client by an alert.
void TlsHandshake::note_failure(bool gone) {
  if (gone) {
    // Without a single octet it was somebody who looks whether the port is open.
    const bool silent = SSL_get_state(tls_.get()) == TLS_ST_BEFORE;
    return endpoint_.failed(peer_, silent ? "" : "the client went away", false);
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  spoke_http_ = reason == SSL_R_HTTP_REQUEST;
  std::string why = tls_reason();
  const long verified = SSL_get_verify_result(tls_.get());
  if (verified != X509_V_OK) {
    why += std::string(": ") + X509_verify_cert_error_string(verified);
  }
  if (spoke_http_) why = "the client spoke HTTP without TLS";
  endpoint_.failed(peer_, why, false);
}

Task<void> TlsHandshake::refuse() {
  error_code failure;
  if (spoke_http_) socket_.write_some(asio::buffer(answer_to_http), failure);
  socket_.shutdown(Socket::shutdown_send, failure);
  deadline_ = Clock::now() + refusal_time;
  std::array<char, 1024> discarded;
  for (std::size_t total = 0; total < refusal_octets && !timed_out_;) {
    const auto [ended, count] =
        co_await socket_.async_read_some(asio::buffer(discarded), as_values);
    if (ended) co_return;
    total += count;
  }
}

void note_misplaced_tls(Shared& shared, const Stream& stream, std::string_view octets) {
  if (stream.secure() || !octets.starts_with("\x16\x03")) return;  // RFC 8446 §5.1
  const auto unsaid = shared.tls_without_tls.due(Clock::now());
  if (!unsaid) return;
  const auto peer = stream.peer();
  log::warning(
      "a client begins TLS on a port without it: it may have the wrong port, or there is none with "
      "TLS yet (api_tls_port, mqtt_tls_port, stomp_tls_port); further ones are told once a minute",
      {{"peer", peer ? shown(*peer) : "unknown"},
       {"untold since the last", std::to_string(*unsaid)}});
}

}  // namespace doctor::server
