#include "doctor/server/stomp_connection.hpp"

#include "doctor/server/read_more.hpp"
#include "doctor/server/thrown.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

using stomp::End;

// For taking the last octets.
constexpr std::chrono::seconds ending_time{2};

}  // namespace

StompConnection::StompConnection(StompService& service, IoThread& thread, stomp::ConnectionId id,
                                 Stream stream, Share place)
    : service_(service),
      thread_(thread),
      id_(id),
      stream_(std::move(stream)),
      place_(std::move(place)),
      counted_(service.shared().stomp_connections),
      timer_(thread.context()),
      writer_(*this, stream_, service.slow_writes()) {}

StompConnection::~StompConnection() = default;

void StompConnection::start() {
  thread_.deadlines().add_without_deadline(*this);
  asio::co_spawn(
      thread_.executor(),
      [](std::shared_ptr<StompConnection> self) -> Task<void> {
        co_await self->read();
      }(shared_from_this()),
      [self = shared_from_this()](std::exception_ptr thrown) {
        self->close();
        self->service_.forget(self->id_);
        self->service_.broker().closed(self->id_, Clock::now());
        self->service_.pump();
        log_thrown("a STOMP connection failed", thrown);
      });
}

Task<void> StompConnection::read() {
  const auto take = [this](std::string_view octets) {
    service_.broker().receive(id_, octets, Clock::now(), wall_clock());
    return true;
  };
  for (bool first = true;; first = false) {
    while (paused_ && end_ == End::none) {
      timer_.expires_at(Timer::time_point::max());
      co_await timer_.async_wait(as_values);
      if (!stream_.is_open()) co_return;
    }
    const auto [failure, count] = co_await stream_.async_read_some(asio::buffer(input_), as_values);
    if (failure) co_return;
    if (end_ != End::none) continue;  // it is read only so that the end reaches the client
    const std::string_view octets(input_.data(), count);
    if (first) note_misplaced_tls(service_.shared(), stream_, octets);
    take(octets);
    if (count == input_.size()) read_more(stream_, service_.scratch_input(), take);
    service_.pump_soon();
    // Behind it: the next read finds nothing as a rule, which the receivers need not wait for.
    co_await asio::post(thread_.executor(), as_values);
  }
}

void StompConnection::attend(const stomp::Attention& attention) {
  paused_ = attention.pause;
  if (!paused_ && !writer_.ended()) timer_.cancel();
  if (attention.end != End::none && end_ == End::none) {
    end_ = attention.end;
    deadline_ = Clock::now() + ending_time;
    thread_.deadlines().add(*this);
  }
  writer_.write();
}

std::string_view StompConnection::next_piece() {
  std::string& piece = service_.scratch_output();
  piece.clear();
  service_.broker().output(id_, writer_.piece_size, piece, Clock::now());
  return piece;
}

// If the client is to go, all has been written that the broker had for it: ends this side, and
// waits a little for the client to end its own, since a close would destroy what is still on its
// way. A reset must be the first thing that a client hears of the end: who has been told of an
// orderly one reads no other.
void StompConnection::nothing_left() {
  if (end_ == End::none) return;
  if (end_ == End::reset) {
    writer_.stop();
  } else if (!writer_.end()) {
    return;
  }
  linger();
}

void StompConnection::taken() {
  service_.broker().taken(id_, Clock::now());
}

// There is room again, for which somebody may have waited.
void StompConnection::resumed() {
  service_.pump_soon();
}

void StompConnection::linger() {
  deadline_ = never;
  timer_.expires_after(stomp::linger_time);
  timer_.async_wait([self = shared_from_this()](const error_code& failure) {
    if (!failure) self->close();
  });
}

void StompConnection::close() {
  timer_.cancel();
  if (end_ == End::reset) return stream_.reset();
  stream_.close();
}

}  // namespace doctor::server
