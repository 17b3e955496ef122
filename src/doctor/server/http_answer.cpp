// How a request is answered, and what is kept and noted of that.

#include "doctor/base/log.hpp"
#include "doctor/server/http_connection.hpp"

namespace doctor::server {

// A request whose very octets were answered before, and nothing has changed since: state is a value
// with a number, and a read depends on nothing else but its head and the time.
bool HttpConnection::answer_as_before() {
  if (role_ != Role::api || winding_up_) return false;
  const std::string_view head = input_.view().substr(0, request_.size);
  const Repeat* const before = thread_.repeats().find(head, shared_.engine->revision());
  if (before == nullptr) return false;
  if (before->when.until && *before->when.until <= wall_clock()) return false;
  auto large = before->large.lock();
  if (before->is_large && large == nullptr) return false;
  begin_figures();
  if (!outbox_.add_again(before->text, std::move(large), thread_.date_line())) return false;
  request_.head.method = "GET";
  note_answer(before->route, before->status);
  return true;
}

void HttpConnection::begin_figures() {
  request_.began = Clock::now();
  request_.number = shared_.request_number.fetch_add(1, std::memory_order_relaxed) + 1;
}

HttpConnection::Step HttpConnection::refuse(const Error& error) {
  close_ = linger_ = true;
  return answer(request_.admitted ? request_.service->failed(*request_.admitted, error)
                                  : rest::Service::problem(error));
}

HttpConnection::Step HttpConnection::answer(rest::Response response) {
  request_.snapshot.reset();  // before anything is written
  if (request_.body_unread && !skip_unread_body()) close_ = linger_ = true;
  if (request_.head.method == "HEAD") response.send_body = false;
  if (response.status == 500) response.add("X-Request-Id", std::to_string(request_.number));
  const std::size_t size_before = outbox_.size();
  if (!outbox_.add(response, persistence(), thread_.date_line())) {
    const Error used_up =
        error(Errc::unavailable, "too many bytes of answers are under way: answers_under_way");
    response = request_.admitted ? request_.service->failed(*request_.admitted, used_up)
                                 : rest::Service::problem(used_up);
    outbox_.add(response, persistence(), thread_.date_line());
  }
  if (response.repeatable) keep_answer(response, outbox_.added_at(size_before));
  if (response.status == 500) {
    log::error("a request failed", {{"request", std::to_string(request_.number)},
                                    {"route", std::string(response.route)},
                                    {"answer", response.body.substr(0, 500)}});
  }
  note_answer(response.route, response.status);
  return Step::answered;
}

void HttpConnection::keep_answer(const rest::Response& response, std::string_view text) {
  const HttpHead& head = parser_.head();
  if (head.method != "GET" || head.has_body()) return;
  if (persistence() != Persistence::keep || request_.service != thread_.service()) return;
  thread_.repeats().keep(input_.view().substr(0, request_.size), response, text,
                         outbox_.large_body());
}

void HttpConnection::note_answer(std::string_view route, int status) {
  answered_ = Clock::now();
  const auto took =
      request_.began == Clock::time_point() ? Clock::duration::zero() : answered_ - request_.began;
  thread_.figures().record(route, request_.head.method, status, took);
  if (!log::enabled(log::Level::debug)) return;
  log::write(log::Level::debug, "request",
             {{"request", std::to_string(request_.number)},
              {"peer", peer_},
              {"method", std::string(request_.head.method)},
              {"route", std::string(route)},
              {"status", std::to_string(status)},
              {"us", std::to_string(took / std::chrono::microseconds(1))}});
}

Persistence HttpConnection::persistence() {
  const HttpHead& head = parser_.head();
  if (!head.keep_alive || winding_up_) close_ = true;
  if (close_) return Persistence::close;
  return head.http_1_1 ? Persistence::keep : Persistence::keep_and_tell;
}

// The body of a refused request is not read. If all of it has come already, as small ones do, it is
// passed over, and the connection can go on.
bool HttpConnection::skip_unread_body() {
  const HttpHead& head = parser_.head();
  if (head.chunked || *head.content_length > input_.size() - request_.size) return false;
  request_.size += *head.content_length;
  request_.body_unread = false;
  return true;
}

// Nothing throws on purpose but for want of memory: one request fails, the others go on.
Error HttpConnection::internal(const std::exception& bug) {
  return error(Errc::internal,
               "this is a bug in Doctor, or it has no memory left: " + std::string(bug.what()));
}

}  // namespace doctor::server
