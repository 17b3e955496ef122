#include "doctor/server/http_connection.hpp"

#include "doctor/base/log.hpp"
#include "doctor/server/metrics.hpp"
#include "doctor/server/mqtt_service.hpp"
#include "doctor/server/tls_handshake.hpp"

namespace doctor::server {
namespace {

// How long, and how much, a client may go on sending after it was told that the connection ends:
// closing earlier would reset the connection, and it might never see the answer (RFC 9112 §9.6).
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_octets = 64u << 20;

rest::Response plain(std::string_view route, int status, std::string body) {
  rest::Response response;
  response.route = route;
  response.status = status;
  response.headers = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n";
  response.body = std::move(body);
  return response;
}

// Larger bodies are parsed, and longer lists of changes written, where they hold up nobody else.
constexpr std::size_t large_body = 32u << 10;
// So is a longer query: parsed, it takes some forty times the memory of its text, so it must not
// wait in that form for a thread that runs it.
constexpr std::size_t large_query = 2u << 10;
constexpr std::size_t many_changes = 1'000;

// Nothing throws on purpose but for want of memory: one request fails, the others go on.
Error internal(const std::exception& bug) {
  return error(Errc::internal,
               "this is a bug in Doctor, or it has no memory left: " + std::string(bug.what()));
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

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
      [](std::exception_ptr thrown) {
        if (!thrown) return;
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& failure) {
          log::error("an HTTP connection failed", {{"what", failure.what()}});
        }
      });
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
