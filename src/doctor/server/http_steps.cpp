// The steps of a request, from its head to its answer.

#include "doctor/server/http_connection.hpp"
#include "doctor/server/metrics.hpp"
#include "doctor/server/mqtt_service.hpp"

namespace doctor::server {
namespace {

// Larger bodies are parsed, and longer lists of changes written, where they hold up nobody else.
constexpr std::size_t large_body = 32u << 10;
// So is a longer query: parsed, it takes some forty times the memory of its text, so it must not
// wait in that form for a thread that runs it.
constexpr std::size_t large_query = 2u << 10;
constexpr std::size_t many_changes = 1'000;

rest::Response plain(std::string_view route, int status, std::string body) {
  rest::Response response;
  response.route = route;
  response.status = status;
  response.headers = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n";
  response.body = std::move(body);
  return response;
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

HttpConnection::Step HttpConnection::begin() {
  begin_figures();
  const std::string_view octets = input_.view().substr(0, request_.size);
  if (auto read = parser_.read_head(octets); !read) return refuse(read.error());
  const HttpHead& head = parser_.head();
  request_.head = head.request(peer_);
  request_.wall = wall_clock();
  request_.body_unread = head.has_body();
  if (role_ == Role::operations) return begin_operations();
  request_.service = thread_.service();
  if (head.wants_websocket && is_for_mqtt()) return Step::upgrade;

  request_.snapshot = shared_.engine->snapshot();
  auto decision = request_.service->admit(request_.head, *request_.snapshot, request_.wall);
  if (auto* refused = std::get_if<rest::Response>(&decision)) return answer(std::move(*refused));
  if (auto* failed = std::get_if<rest::FailedLogin>(&decision)) {
    request_.next = std::move(*failed);
    return Step::delay_login;
  }
  if (const auto* mine = std::get_if<rest::Own>(&decision)) return own(*mine);
  request_.admitted = std::move(std::get<rest::Admitted>(decision));
  return head.has_body() ? Step::read_body : plan({});
}

HttpConnection::Step HttpConnection::begin_operations() {
  const bool get = request_.head.method == "GET" || request_.head.method == "HEAD";
  const std::string_view path = path_of(request_.head.target);
  if (get && path == "/healthz") return own(rest::Own::healthz);
  if (get && path == "/readyz") return own(rest::Own::readyz);
  if (get && path == "/metrics") return own(rest::Own::metrics);
  return refuse(
      error(Errc::not_found, "this listener serves GET of /metrics, /healthz and /readyz"));
}

HttpConnection::Step HttpConnection::own(rest::Own own) {
  switch (own) {
    case rest::Own::healthz:
      return answer(plain("/healthz", 200, "ok\n"));
    case rest::Own::readyz:
      switch (shared_.phase.load(std::memory_order_relaxed)) {
        case Phase::starting:
          return answer(plain("/readyz", 503, "starting\n"));
        case Phase::serving:
          if (!shared_.engine->store().takes_writes()) {
            return answer(plain("/readyz", 503,
                                "reads only: writing to the disk failed, start Doctor again\n"));
          }
          return answer(plain("/readyz", 200, "ready\n"));
        case Phase::stopping:
          return answer(plain("/readyz", 503, "stopping\n"));
      }
      break;
    case rest::Own::metrics:
      return Step::send_metrics;
  }
  return Step::answered;
}

HttpConnection::Step HttpConnection::plan(std::string body) {
  const std::size_t large = request_.admitted->is_read() ? large_query : large_body;
  if (std::max(body.size(), request_.head.target.size()) > large) {
    request_.body = std::move(body);
    return Step::plan_large;
  }
  return planned(request_.service->plan(*request_.admitted, std::move(body), request_.wall));
}

HttpConnection::Step HttpConnection::planned(Planned planned) {
  if (auto* response = std::get_if<rest::Response>(&planned)) return answer(std::move(*response));
  if (auto* writing = std::get_if<rest::Write>(&planned)) {
    request_.next = std::move(*writing);
    return Step::write;
  }
  if (auto* exporting = std::get_if<rest::ExportRead>(&planned)) {
    request_.next = std::move(*exporting);
    return Step::send_export;
  }
  if (auto* asking = std::get_if<rest::ClientsRequest>(&planned)) {
    request_.next = std::move(*asking);
    return Step::ask_broker;
  }
  const auto& reading = request_.next.emplace<rest::Read>(std::move(std::get<rest::Read>(planned)));
  if (!request_.snapshot) request_.snapshot = shared_.engine->snapshot();
  if (reading.min_revision && request_.snapshot->revision() < *reading.min_revision) {
    return Step::wait_for_revision;
  }
  return reading.large ? Step::read_large : read();
}

HttpConnection::Step HttpConnection::read() {
  return answer(request_.service->read(*request_.admitted, *request_.snapshot, request_.wall));
}

Task<void> HttpConnection::delay_login() {
  request_.snapshot.reset();
  const auto delay = shared_.failed_logins.note(FailedLogins::Over::http, peer_, Clock::now());
  Timer timer(thread_.context(), delay);
  co_await timer.async_wait(as_values);
  answer(std::move(std::get<rest::FailedLogin>(request_.next).response));
}

// Has a reader thread do what may take long, and waits: the request stays as it is meanwhile.
template <class T, class Work>
Task<T> HttpConnection::by_reader(Work work) {
  return reply_of<T>(thread_.mailbox(), [this, work](std::shared_ptr<Reply<T>> reply) {
    shared_.readers.submit([this, work, reply = std::move(reply)] {
      try {
        reply->send(work());
      } catch (const std::exception& bug) {
        reply->send(request_.service->failed(*request_.admitted, internal(bug)));
      }
    });
  });
}

// A read is run at once, unless it waits for a revision.
Task<HttpConnection::Step> HttpConnection::plan_large() {
  request_.snapshot.reset();
  Planned plan = co_await by_reader<Planned>([this]() -> Planned {
    Planned made =
        request_.service->plan(*request_.admitted, std::move(request_.body), wall_clock());
    const auto* reading = std::get_if<rest::Read>(&made);
    if (reading == nullptr) return made;
    const auto snapshot = shared_.engine->snapshot();
    if (reading->min_revision && snapshot->revision() < *reading->min_revision) return made;
    return request_.service->read(*request_.admitted, *snapshot, wall_clock());
  });
  co_return planned(std::move(plan));
}

Task<void> HttpConnection::read_large() {
  request_.snapshot.reset();
  rest::Response response = co_await by_reader<rest::Response>([this] {
    const auto snapshot = shared_.engine->snapshot();
    return request_.service->read(*request_.admitted, *snapshot, wall_clock());
  });
  answer(std::move(response));
}

Task<void> HttpConnection::write() {
  request_.snapshot.reset();
  const Result<engine::Outcome> outcome = co_await reply_of<Result<engine::Outcome>>(
      thread_.mailbox(), [this](std::shared_ptr<Reply<Result<engine::Outcome>>> reply) {
        shared_.engine->submit(std::move(std::get<rest::Write>(request_.next).command),
                               [reply = std::move(reply)](Result<engine::Outcome> done) {
                                 reply->send(std::move(done));
                               });
      });
  if (!outcome || outcome->changes.size() <= many_changes) {
    answer(request_.service->written(*request_.admitted, outcome));
    co_return;
  }
  rest::Response response = co_await by_reader<rest::Response>(
      [this, &outcome] { return request_.service->written(*request_.admitted, outcome); });
  answer(std::move(response));
}

Task<void> HttpConnection::send_metrics() {
  request_.snapshot.reset();
  const std::string text = co_await shared_.metrics->collect(thread_.mailbox());
  rest::Response response = plain("/metrics", 200, text);
  response.headers =
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Cache-Control: no-store\r\n";
  answer(std::move(response));
}

Task<void> HttpConnection::ask_broker() {
  request_.snapshot.reset();
  const rest::ClientsReply reply = co_await shared_.mqtt->clients(
      thread_.mailbox(), std::move(std::get<rest::ClientsRequest>(request_.next)));
  answer(request_.service->told(*request_.admitted, reply));
}

}  // namespace doctor::server
