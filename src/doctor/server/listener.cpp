#include "doctor/server/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>

#include "doctor/base/log.hpp"

namespace doctor::server {
namespace {

constexpr std::chrono::milliseconds pause_when_out_of_files{100};
constexpr std::chrono::minutes between_warnings{1};

}  // namespace

bool Listener::may_warn(std::optional<Clock::time_point>& last) {
  const auto now = Clock::now();
  if (last && now - *last < between_warnings) return false;
  last = now;
  return true;
}

std::string shown(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const bool bracketed = endpoint.address().is_v6();
  return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

std::optional<asio::ip::tcp::endpoint> peer_of(const Socket& socket) {
  error_code failure;
  const auto endpoint = socket.remote_endpoint(failure);
  if (failure) return std::nullopt;
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return {{asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()), endpoint.port()}};
  }
  return endpoint;
}

Listener::Listener(const asio::ip::tcp::endpoint& endpoint, std::string_view what, IoThread& home,
                   std::vector<IoThread*> turns, Shared& shared, Accepted accepted)
    : endpoint_(endpoint),
      what_(what),
      home_(home),
      turns_(std::move(turns)),
      shared_(shared),
      accepted_(std::move(accepted)),
      acceptor_(home.executor()) {}

Result<std::unique_ptr<Listener>> Listener::open(const asio::ip::tcp::endpoint& endpoint,
                                                 std::string_view what, IoThread& home,
                                                 std::vector<IoThread*> turns, Shared& shared,
                                                 Accepted accepted) {
  std::unique_ptr<Listener> listener(
      new Listener(endpoint, what, home, std::move(turns), shared, std::move(accepted)));
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
    std::string detail = "cannot listen on " + shown(endpoint) + " for " + listener->what_ + ": " +
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
  log::info("listening", {{"for", what_}, {"address", shown(endpoint_)}});
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

Task<void> Listener::accept() {
  for (std::size_t turn = 0;; turn = (turn + 1) % turns_.size()) {
    IoThread& thread = *turns_[turn];
    auto [failure, socket] = co_await acceptor_.async_accept(thread.executor(), as_values);
    if (!acceptor_.is_open()) co_return;
    if (!failure) {
      hand_over(thread, std::move(socket));
      continue;
    }
    if (failure == asio::error::no_descriptors || failure == asio::error::no_memory ||
        failure == asio::error::no_buffer_space) {
      shared_.accepts_failed.fetch_add(1, std::memory_order_relaxed);
      if (may_warn(last_failure_)) {
        log::warning("cannot accept a connection", {{"for", what_}, {"why", failure.message()}});
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
    if (may_warn(last_refusal_)) {
      log::warning("refusing connections: the limit `connections` is reached", {{"for", what_}});
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
    accepted_(thread, std::move(socket), std::move(peer), std::move(place));
  });
}

std::vector<asio::ip::tcp::endpoint> endpoints_of(const std::string& address, std::uint16_t port) {
  if (address == "localhost") {
    return {{asio::ip::address_v4::loopback(), port}, {asio::ip::address_v6::loopback(), port}};
  }
  error_code failure;
  const auto parsed = asio::ip::make_address(address, failure);
  if (failure) return {};
  return {{parsed, port}};
}

}  // namespace doctor::server
