#include "doctor/server/stomp_connection.hpp"

#include "doctor/base/log.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

using stomp::End;

constexpr std::size_t output_piece = 64u << 10;
constexpr int reads_in_a_turn = 16;
// A client that reads as fast as it is written to must not keep the others waiting.
constexpr int writes_in_a_turn = 4;
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
      timer_(thread.context()) {}

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
        if (!thrown) return;
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& failure) {
          log::error("a STOMP connection failed", {{"what", failure.what()}});
        }
      });
}

Task<void> StompConnection::read() {
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
    service_.broker().receive(id_, octets, Clock::now(), wall_clock());
    if (count == input_.size()) take_more();
    service_.pump_soon();
    // Behind it: the next read finds nothing as a rule, which the receivers need not wait for.
    co_await asio::post(thread_.executor(), as_values);
  }
}

// The small buffer was full: takes what else is there in large pieces, a bounded number in a turn.
void StompConnection::take_more() {
  std::string& input = service_.scratch_input();
  for (int i = 0; i < reads_in_a_turn; ++i) {
    error_code failure;
    const std::size_t count = stream_.read_some(asio::buffer(input), failure);
    if (failure) return;  // would block, or what the next read will tell
    service_.broker().receive(id_, {input.data(), count}, Clock::now(), wall_clock());
    if (count < input.size()) return;
  }
}

void StompConnection::attend(const stomp::Attention& attention) {
  paused_ = attention.pause;
  if (!paused_ && !finished_) timer_.cancel();
  if (attention.end != End::none && end_ == End::none) {
    end_ = attention.end;
    deadline_ = Clock::now() + ending_time;
    thread_.deadlines().add(*this);
  }
  write();
}

// Writes until the socket takes no more, the turn is over or there is nothing left; what the socket
// has not taken waits in pending_. Each piece is a write of its own.
void StompConnection::write() {
  for (int turn = 0; !writing_ && !finished_ && stream_.is_open(); ++turn) {
    if (turn == writes_in_a_turn) {
      writing_ = true;
      asio::post(thread_.context(), [self = shared_from_this()] { self->written(); });
      return;
    }
    std::string& output = service_.scratch_output();
    output.clear();
    service_.broker().output(id_, output_piece, output, Clock::now());
    if (output.empty()) {
      if (end_ != End::none) finish();
      return;
    }
    error_code failure;
    const std::size_t count = stream_.write_some(asio::buffer(std::as_const(output)), failure);
    if (failure && failure != asio::error::would_block) return close();
    if (count == output.size()) continue;
    pending_ = output.substr(count);
    pending_at_ = 0;
    write_pending();
  }
}

void StompConnection::write_pending() {
  writing_ = true;
  service_.look_at_progress_of(*this);
  stream_.async_write_some(
      asio::buffer(std::as_const(pending_)) + pending_at_,
      [self = shared_from_this()](const error_code& failure, std::size_t count) {
        if (failure) {
          self->writing_ = false;
          return self->close();
        }
        self->service_.broker().taken(self->id_, Clock::now());
        self->pending_at_ += count;
        if (self->pending_at_ < self->pending_.size()) return self->write_pending();
        self->pending_ = std::string();
        self->written();
      });
}

// There is room again, for which somebody may have waited.
void StompConnection::written() {
  writing_ = false;
  write();
  service_.pump_soon();
}

bool StompConnection::look_at_progress() {
  const auto unsent = writing_ ? stream_.unsent() : std::nullopt;
  if (!unsent) return false;
  if (*unsent < unsent_) service_.broker().taken(id_, Clock::now());
  unsent_ = *unsent;
  return true;
}

// All has been written that the broker had for the client: ends this side, and waits a little for
// the client to end its own, since a close would destroy what is still on its way. A reset must be
// the first thing that a client hears of the end: who has been told of an orderly one reads no
// other.
void StompConnection::finish() {
  finished_ = end_ == End::reset || stream_.end();
  if (finished_) return linger();
  writing_ = true;
  stream_.async_wait_writable([self = shared_from_this()](const error_code& failure) {
    self->writing_ = false;
    if (!failure) self->finish();
  });
}

void StompConnection::linger() {
  deadline_ = never;
  timer_.expires_after(stomp::linger_time);
  timer_.async_wait([self = shared_from_this()](const error_code& failure) {
    if (!failure) self->close();
  });
}

void StompConnection::close() {
  finished_ = true;
  timer_.cancel();
  if (end_ == End::reset) return stream_.reset();
  stream_.close();
}

}  // namespace doctor::server
