// How an HTTP connection waits for a revision, and how it streams an export.

#include <charconv>

#include "doctor/base/log.hpp"
#include "doctor/server/http_connection.hpp"
#include "doctor/server/revision_wait.hpp"

namespace doctor::server {
namespace {

constexpr std::size_t export_piece = 256u << 10;

std::string chunk_line(std::size_t size) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

}  // namespace

Task<HttpConnection::Step> HttpConnection::wait_for_revision() {
  request_.snapshot.reset();
  const auto& reading = std::get<rest::Read>(request_.next);
  co_await server::wait_for_revision(thread_, *shared_.engine, *reading.min_revision,
                                     shared_.limits.min_revision_wait);
  if (reading.large) co_return Step::read_large;
  request_.snapshot = shared_.engine->snapshot();
  request_.wall = wall_clock();
  co_return read();
}

Task<void> HttpConnection::send_export() {
  Share place(shared_.exports);
  if (!place.grow_to(1)) {
    answer(request_.service->failed(
        *request_.admitted,
        error(Errc::too_many, "as many exports as the limit `exports` allows are under way")));
    co_return;
  }
  const bool chunked = parser_.head().http_1_1;
  if (!chunked) close_ = true;  // the end of the connection is the end of the body
  std::shared_ptr<const store::Snapshot> snapshot = std::move(request_.snapshot);
  if (!snapshot) snapshot = shared_.engine->snapshot();
  const rest::Response response =
      request_.service->export_head(*request_.admitted, snapshot->revision());
  outbox_.add_head(response, persistence(), thread_.date_line(),
                   chunked ? "Transfer-Encoding: chunked\r\n" : "");
  note_answer(response.route, response.status);
  if (request_.head.method == "HEAD") co_return;

  rest::Export lines(std::move(snapshot),
                     std::move(std::get<rest::ExportRead>(request_.next).collections));
  const auto deadline = Clock::now() + shared_.limits.export_deadline;
  std::string piece;
  for (bool more = true; more;) {
    piece.clear();
    more = lines.next(export_piece, piece);
    if (!piece.empty()) {
      if (chunked) outbox_.add_raw(chunk_line(piece.size()));
      outbox_.add_raw(piece);
      if (chunked) outbox_.add_raw("\r\n");
    }
    bool sent = true;
    if (!outbox_.write_some(stream_)) sent = co_await flush(deadline);
    if (Clock::now() > deadline) {
      log::warning("an export took longer than export_deadline and was cut off", {{"peer", peer_}});
      sent = false;
    }
    if (!sent) {
      abort();
      co_return;
    }
    // Others on this thread have their turn between two pieces.
    co_await asio::post(thread_.executor(), as_values);
  }
  if (chunked) outbox_.add_raw("0\r\n\r\n");
}

}  // namespace doctor::server
