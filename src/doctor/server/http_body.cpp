// How an HTTP connection reads the body of a request that was let in.

#include "doctor/server/http_connection.hpp"

namespace doctor::server {
namespace {

constexpr std::size_t first_piece = 64u << 10;  // memory grows with what comes, not with promises
constexpr std::size_t read_piece = 16u << 10;

Error no_room() {
  return error(Errc::unavailable,
               "too many bytes of request bodies are under way: bodies_under_way");
}

}  // namespace

Task<HttpConnection::Step> HttpConnection::read_body() {
  const HttpHead& head = parser_.head();
  request_.body_max = request_.admitted->body_max(shared_.limits);
  if (head.content_length && *head.content_length > request_.body_max) {
    co_return answer(request_.service->body_too_large(*request_.admitted));
  }
  request_.snapshot.reset();
  request_.memory = input_.split(request_.size);
  request_.size = 0;
  if (head.expects_continue && input_.empty()) {
    outbox_.add_raw("HTTP/1.1 100 Continue\r\n\r\n");
  }
  // Answers to what was pipelined before must not wait for this body.
  if (!outbox_.write_some(stream_)) {
    if (!co_await flush()) {
      abort();
      co_return Step::answered;
    }
  }
  request_.body_share = Share(shared_.bodies);
  std::string body;
  Result<bool> received = false;
  if (head.chunked) {
    received = co_await receive_chunked(body);
  } else {
    received = co_await receive_sized(body);
  }
  if (!received) {
    if (received.error().code != Errc::too_large) co_return refuse(received.error());
    close_ = linger_ = true;
    co_return answer(request_.service->body_too_large(*request_.admitted));
  }
  if (!*received) {
    abort();
    co_return Step::answered;
  }
  request_.body_unread = false;
  if (!request_.admitted->wants_body()) body.clear();
  request_.wall = wall_clock();
  co_return plan(std::move(body));
}

// How many octets came; 0 at the end of the stream or when the connection failed.
Task<Result<std::size_t>> HttpConnection::receive(std::span<char> room) {
  timed_out_ = false;
  deadline_ = Clock::now() + shared_.limits.body_timeout;
  const auto [failure, count] =
      co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), as_values);
  deadline_ = never;
  if (timed_out_) {
    co_return error(Errc::timed_out, "nothing of the body came for longer than body_timeout");
  }
  co_return failure ? 0 : count;
}

Task<Result<bool>> HttpConnection::receive_sized(std::string& body) {
  const std::size_t length = *parser_.head().content_length;
  std::size_t filled = std::min(length, input_.size());
  const std::size_t piece = std::min(length, std::max(first_piece, filled));
  if (!request_.body_share.grow_to(piece)) co_return no_room();
  body.reserve(piece);
  body.assign(input_.view().substr(0, filled));
  input_.consume(filled);
  while (filled < length) {
    if (filled == body.size()) {
      const std::size_t larger = std::min(length, std::max(first_piece, 2 * filled));
      if (!request_.body_share.grow_to(larger)) co_return no_room();
      body.resize(larger);
    }
    const Result<std::size_t> count =
        co_await receive({body.data() + filled, body.size() - filled});
    if (!count) co_return count.error();
    if (*count == 0) co_return false;
    filled += *count;
  }
  co_return true;
}

Task<Result<bool>> HttpConnection::receive_chunked(std::string& body) {
  ChunkedBody chunks(request_.body_max, shared_.limits.request_headers);
  for (;;) {
    const Result<std::size_t> taken = chunks.take(input_.view(), body);
    if (!taken) co_return taken.error();
    input_.consume(*taken);
    if (!request_.body_share.grow_to(body.capacity())) co_return no_room();
    if (chunks.complete()) co_return true;
    const std::span<char> room = input_.prepare(read_piece);
    const Result<std::size_t> count = co_await receive(room);
    if (!count) co_return count.error();
    if (*count == 0) co_return false;
    input_.commit(*count);
  }
}

}  // namespace doctor::server
