#include "doctor/server/http_connection.hpp"

#include "doctor/server/thrown.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

// How long, and how much, a client may go on sending after it was told that the connection ends:
// closing earlier would reset the connection, and it might never see the answer (RFC 9112 §9.6).
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_octets = 64u << 20;

}  // namespace

HttpConnection::HttpConnection(IoThread& thread, Shared& shared, Stream stream, std::string peer,
                               Share place, Role role)
    : thread_(thread),
      shared_(shared),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      place_(std::move(place)),
      counted_(shared.http_connections),
      role_(role),
      parser_(shared.limits),
      outbox_(shared.answers) {}

void HttpConnection::start() {
  thread_.deadlines().add(*this);
  winding_up_ = shared_.phase == Phase::stopping;  // accepted before, begun after
  asio::co_spawn(
      thread_.executor(),
      [](std::shared_ptr<HttpConnection> self) -> Task<void> {
        co_await self->serve();
      }(shared_from_this()),
      [](std::exception_ptr thrown) { log_thrown("an HTTP connection failed", thrown); });
}

void HttpConnection::expired() {
  timed_out_ = true;
  stream_.cancel();
}

void HttpConnection::wind_up() {
  winding_up_ = true;
  if (idle_) stream_.cancel();
}

void HttpConnection::abort() {
  stream_.close();
}

// No co_await within && or ?: here and in what it calls: g++ 12 destroys the temporaries of the
// branch that was not taken.
Task<void> HttpConnection::serve() {
  while (!close_) {
    if (!take_head()) {
      // What was pipelined is answered: write it all at once, then wait for more.
      if (!outbox_.empty() && !outbox_.write_some(stream_)) {
        if (!co_await flush()) co_return;
      }
      if (winding_up_ && input_.empty()) co_return;
      const std::span<char> room = prepare_to_read_head();
      const auto [failure, count] =
          co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), as_values);
      if (!head_octets_came(failure, count)) co_return;
      continue;
    }
    if (close_) break;  // the head was refused
    try {
      const Step step = answer_as_before() ? Step::answered : begin();
      if (step != Step::answered) co_await complete(step);
    } catch (const std::exception& bug) {
      refuse(internal(bug));
    }
    if (!stream_.is_open()) co_return;  // it has gone to MQTT, or the server has ended it
    input_.consume(std::min(request_.size, input_.size()));
    request_ = Request();
    if (outbox_.full() && !outbox_.write_some(stream_)) {
      if (!co_await flush()) co_return;
    }
  }
  if (!co_await flush()) co_return;
  if (linger_ || stream_.secure()) co_await end();
  if (linger_) co_await linger();
}

// Whether a head is complete, or was refused; otherwise more must be read.
bool HttpConnection::take_head() {
  const Result<std::size_t> size = parser_.find_head(input_.view());
  if (!size) {
    note_misplaced_tls(shared_, stream_, input_.view());
    refuse(size.error());
    return true;
  }
  request_.size = *size;
  return *size > 0;
}

std::span<char> HttpConnection::prepare_to_read_head() {
  // A clock costs as much as a lookup in the store: the time of the last answer will do.
  const auto now = answered_ == Clock::time_point() ? Clock::now() : answered_;
  answered_ = {};
  idle_ = input_.empty();
  if (idle_) {
    input_.shrink();
    head_deadline_ = never;
    deadline_ = now + shared_.limits.idle_timeout;
  } else {
    if (head_deadline_ == never) head_deadline_ = now + shared_.limits.header_timeout;
    deadline_ = head_deadline_;
  }
  timed_out_ = false;
  return input_.prepare(input_.size() / 2 + 256);
}

bool HttpConnection::head_octets_came(const error_code& failure, std::size_t count) {
  deadline_ = never;
  if (timed_out_ && !idle_) {
    refuse(error(Errc::timed_out, "the head of the request took longer than header_timeout"));
    return true;
  }
  idle_ = false;
  input_.commit(count);
  return !failure;
}

Task<void> HttpConnection::complete(Step step) {
  while (step != Step::answered) {
    switch (step) {
      case Step::read_body:
        step = co_await read_body();
        break;
      case Step::plan_large:
        step = co_await plan_large();
        break;
      case Step::wait_for_revision:
        step = co_await wait_for_revision();
        break;
      case Step::delay_login:
        co_await delay_login();
        co_return;
      case Step::read_large:
        co_await read_large();
        co_return;
      case Step::write:
        co_await write();
        co_return;
      case Step::send_export:
        co_await send_export();
        co_return;
      case Step::send_metrics:
        co_await send_metrics();
        co_return;
      case Step::ask_broker:
        co_await ask_broker();
        co_return;
      case Step::upgrade:
        co_await upgrade();
        co_return;
      case Step::answered:
        break;
    }
  }
}

Task<bool> HttpConnection::flush(Clock::time_point until) {
  while (!outbox_.empty()) {
    deadline_ = std::min(until, Clock::now() + shared_.limits.write_timeout);
    const auto [failure, count] = co_await stream_.async_write_some(outbox_.buffers(), as_values);
    deadline_ = never;
    if (failure) co_return false;
    outbox_.consume(count);
  }
  co_return true;
}

Task<void> HttpConnection::end() {
  timed_out_ = false;
  deadline_ = Clock::now() + linger_time;
  while (!stream_.end() && !timed_out_) co_await stream_.async_wait_writable(as_values);
}

Task<void> HttpConnection::linger() {
  timed_out_ = false;
  idle_ = true;  // a server that stops does not wait for this
  deadline_ = Clock::now() + linger_time;
  std::size_t discarded = 0;
  while (discarded < linger_octets && !timed_out_) {
    input_ = InputBuffer();
    const std::span<char> room = input_.prepare(InputBuffer::idle_capacity);
    const auto [failure, count] =
        co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), as_values);
    if (failure) break;
    discarded += count;
  }
}

}  // namespace doctor::server
