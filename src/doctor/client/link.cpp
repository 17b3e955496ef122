#include "doctor/client/link.hpp"

#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "doctor/client/tls.hpp"
#include "doctor/net/addresses.hpp"

namespace doctor::client {
namespace {

namespace asio = net::asio;
using net::as_values;
using net::error_code;

Error failed(std::string why) {
  return error(Code::communication, std::move(why));
}

}  // namespace

Link::Link(net::Executor executor, const Options& options, std::shared_ptr<Owner> owner)
    : options_(options),
      owner_(std::move(owner)),
      socket_(executor),
      resolver_(executor),
      reading_on_(executor) {}

void Link::open() {
  asio::co_spawn(
      socket_.get_executor(),
      [](std::shared_ptr<Link> self) -> net::Task<void> {
        co_await self->run();
      }(shared_from_this()),
      asio::detached);
}

net::Task<void> Link::run() {
  const std::string to = options_.host + " port " + std::to_string(options_.port) + ": ";
  Expected<void> done = co_await connect();
  if (done && options_.tls) done = co_await shake_hands();
  if (!done) co_return close(to + done.error().message);
  if (owner_ == nullptr) co_return;
  stream_.emplace(std::move(socket_), std::move(tls_));
  owner_->opened();
  co_await read();
}

net::Task<Expected<void>> Link::connect() {
  std::vector<net::Endpoint> endpoints = net::endpoints_of(options_.host, options_.port);
  if (endpoints.empty()) {
    const auto [failure, found] =
        co_await resolver_.async_resolve(options_.host, std::to_string(options_.port), as_values);
    if (failure) co_return failed("its name is not known: " + failure.message());
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  error_code last;
  for (const net::Endpoint& endpoint : endpoints) {
    if (owner_ == nullptr) break;
    error_code ignored;
    socket_.close(ignored);
    std::tie(last) = co_await socket_.async_connect(endpoint, as_values);
    if (last) continue;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    co_return Expected<void>();
  }
  co_return failed(last.message());
}

net::Task<Expected<void>> Link::shake_hands() {
  // Read anew for each connection: certificates are renewed.
  const auto setup = load_tls(*options_.tls);
  if (!setup) co_return failed(setup.error().detail);
  tls_ = begin_tls(**setup, *options_.tls, options_.host, socket_.native_handle());
  if (tls_ == nullptr) co_return failed("TLS: " + net::tls_reason());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) co_return Expected<void>();
    const int what = SSL_get_error(tls_.get(), result);
    if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) {
      co_return failed(why_handshake_failed(*tls_));
    }
    const auto wait =
        what == SSL_ERROR_WANT_READ ? net::Socket::wait_read : net::Socket::wait_write;
    const auto [failure] = co_await socket_.async_wait(wait, as_values);
    if (failure) co_return failed(failure.message());
  }
}

net::Task<void> Link::read() {
  while (owner_ != nullptr) {
    if (!reads_) {
      reading_on_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await reading_on_.async_wait(as_values);
      continue;
    }
    const auto [failure, size] = co_await stream_->async_read_some(asio::buffer(input_), as_values);
    if (failure) {
      co_return close(failure == asio::error::eof
                          ? "the peer ended the connection"
                          : "the connection was lost: " + failure.message());
    }
    if (owner_ != nullptr) owner_->received({input_.data(), size});
  }
}

void Link::write(std::string octets) {
  output_ = std::move(octets);
  writing_ = true;
  asio::co_spawn(
      socket_.get_executor(),
      [](std::shared_ptr<Link> self) -> net::Task<void> {
        co_await self->write_all();
      }(shared_from_this()),
      asio::detached);
}

net::Task<void> Link::write_all() {
  for (std::size_t written = 0; written < output_.size();) {
    if (!stream_->is_open()) co_return;
    const auto [failure, size] = co_await stream_->async_write_some(
        asio::buffer(std::as_const(output_)) + written, as_values);
    if (failure) co_return close("the connection was lost: " + failure.message());
    written += size;
  }
  writing_ = false;
  if (owner_ != nullptr) {
    owner_->written();
  } else {
    stream_->end();
    stream_->close();
  }
}

void Link::read_on(bool wanted) {
  if (std::exchange(reads_, wanted) == wanted || !wanted) return;
  reading_on_.cancel();
}

void Link::close(std::string why) {
  const auto owner = std::exchange(owner_, nullptr);
  if (stream_) stream_->close();
  reading_on_.cancel();
  if (owner != nullptr) owner->closed(failed(std::move(why)));
}

void Link::abandon() {
  owner_ = nullptr;
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  reading_on_.cancel();
  if (stream_) {
    stream_->end();
    stream_->close();
  }
}

}  // namespace doctor::client
