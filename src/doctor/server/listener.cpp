#include "doctor/server/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>

#include "doctor/base/log.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

constexpr std::chrono::milliseconds pause_when_out_of_files{100};

}  // namespace

Listener::Listener(const asio::ip::tcp::endpoint& endpoint, Service service, IoThread& home,
                   Shared& shared)
    : endpoint_(endpoint),
      service_(std::move(service)),
      home_(home),
      shared_(shared),
      acceptor_(home.executor()) {}

Result<std::unique_ptr<Listener>> Listener::open(const asio::ip::tcp::endpoint& endpoint,
                                                 Service service, IoThread& home, Shared& shared) {
  std::unique_ptr<Listener> listener(new Listener(endpoint, std::move(service), home, shared));
  Acceptor& acceptor = listener->acceptor_;
  error_code failure;
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(Acceptor::reuse_address(true), failure);
  if (!failure && endpoint.address().is_v6()) {
    // "::" is every address, IPv4 ones too; "::1" is itself alone either way.
    acceptor.set_option(asio::ip::v6_only(false), failure);
  }
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(4096, failure);
  if (failure) {
    std::string detail = "cannot listen on " + shown(endpoint) + " for " + listener->what() + ": " +
                         failure.message();
    if (failure == asio::error::address_in_use) {
      detail += "; is another server, perhaps another Doctor, running there? Choose another port";
    }
    return error(Errc::unavailable, std::move(detail));
  }
  return listener;
}

void Listener::start() {
  asio::co_spawn(home_.executor(), accept(), asio::detached);
  log::info("listening", {{"for", service_.what}, {"address", shown(endpoint_)}});
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

Task<void> Listener::accept() {
  for (std::size_t turn = 0;; turn = (turn + 1) % service_.turns.size()) {
    IoThread& thread = *service_.turns[turn];
    auto [failure, socket] = co_await acceptor_.async_accept(thread.executor(), as_values);
    if (!acceptor_.is_open()) co_return;
    if (!failure) {
      hand_over(thread, std::move(socket));
      continue;
    }
    if (failure == asio::error::no_descriptors || failure == asio::error::no_memory ||
        failure == asio::error::no_buffer_space) {
      shared_.accepts_failed.fetch_add(1, std::memory_order_relaxed);
      if (failures_.due(Clock::now())) {
        log::warning("cannot accept a connection",
                     {{"for", service_.what}, {"why", failure.message()}});
      }
      Timer timer(home_.context(), pause_when_out_of_files);
      co_await timer.async_wait(as_values);
    }
  }
}

void Listener::hand_over(IoThread& thread, Socket socket) {
  Share place(shared_.connections);
  if (!place.grow_to(1)) {
    shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    if (refusals_.due(Clock::now())) {
      log::warning("refusing connections: the limit `connections` is reached",
                   {{"for", service_.what}});
    }
    return;  // which closes it
  }
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  // A peer that has vanished is found even where its protocol allows silence (MQTT keep alive 0).
  socket.set_option(Socket::keep_alive(true), ignored);
  const auto endpoint = peer_of(socket);
  std::string peer = endpoint ? endpoint->address().to_string() : "unknown";
  asio::post(thread.context(), [this, &thread, socket = std::move(socket), peer = std::move(peer),
                                place = std::move(place)]() mutable {
    if (service_.tls != nullptr) {
      std::make_shared<TlsHandshake>(thread, shared_, *service_.tls, std::move(socket),
                                     std::move(peer), std::move(place), service_.accepted)
          ->start();
    } else {
      service_.accepted(thread, Stream(std::move(socket), nullptr), std::move(peer),
                        std::move(place));
    }
  });
}

}  // namespace doctor::server
