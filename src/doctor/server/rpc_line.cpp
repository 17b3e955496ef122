#include "doctor/server/rpc_line.hpp"

#include <algorithm>
#include <utility>

#include "doctor/base/log.hpp"
#include "doctor/server/revision_wait.hpp"
#include "doctor/server/stomp_service.hpp"

namespace doctor::server {
namespace {

using events::RpcRequest;
using events::RpcResponse;
using rpc::Answer;
using rpc::Service;

// Larger calls are understood, and longer lists of changes written, where they hold up nobody else.
constexpr std::size_t large_write = 32u << 10;
constexpr std::size_t large_query = 2u << 10;  // parsed, it takes some forty times its text
constexpr std::size_t many_changes = 1'000;
// Writes of one connection that are handed to the engine together.
constexpr std::size_t writes_together = 1'000;
// After so many calls everyone else on the thread has a turn.
constexpr std::size_t calls_of_a_turn = 16;
// How often it is looked whether a client has read enough of its answers.
constexpr std::chrono::milliseconds room_interval{10};
// What an answer has around what was asked for: names, revision, entity-tag.
constexpr std::size_t around_an_answer = 256;

Answer internal(std::string_view method, const std::exception& bug) {
  log::error("a bug: a call was given up", {{"method", std::string(method)}, {"what", bug.what()}});
  return Service::failed(error(Errc::internal, "a bug in Doctor; its log says more"));
}

/// Writes that were submitted together: the last to be done sends what came of all.
class Group {
 public:
  using Outcomes = std::vector<std::optional<Result<engine::Outcome>>>;

  Group(std::size_t size, std::shared_ptr<Reply<Outcomes>> reply)
      : outcomes_(size), left_(size), reply_(std::move(reply)) {}

  void done(std::size_t index, Result<engine::Outcome> outcome) {
    outcomes_[index] = std::move(outcome);
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) reply_->send(std::move(outcomes_));
  }

 private:
  Outcomes outcomes_;
  std::atomic<std::size_t> left_;
  std::shared_ptr<Reply<Outcomes>> reply_;
};

bool is_precondition_failed(const Service::Plan& plan) {
  const auto* answer = std::get_if<Answer>(&plan);
  const auto* error = answer == nullptr ? nullptr : std::get_if<events::RpcError>(answer);
  return error != nullptr && error->code == 412;
}

}  // namespace

void RpcLine::add(hub::Request asked, hub::Respond respond,
                  std::shared_ptr<const rpc::Service> service) {
  auto request = std::make_unique<Request>();
  request->asked = std::move(asked);
  request->respond = std::move(respond);
  request->service = std::move(service);
  request->began = Clock::now();
  request->answers.resize(request->asked.calls.calls.size());
  waiting_.push_back(std::move(request));
}

Task<void> RpcLine::run() {
  std::size_t calls = 0;
  while (!waiting_.empty()) {
    co_await wait_for_room();
    begun_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    Request& request = *begun_.back();
    for (std::size_t index = 0; index < request.answers.size(); ++index) {
      if (!std::holds_alternative<RpcRequest>(request.asked.calls.calls[index])) continue;
      co_await begin(request, index);
      if (writes_.size() >= writes_together) co_await finish_writes();
      if (++calls % calls_of_a_turn == 0) {
        co_await asio::post(runner_.thread().executor(), asio::use_awaitable_t<Executor>{});
      }
    }
    if (waiting_.empty()) co_await finish_writes();
    respond_to_finished();
  }
}

// One more message may have answers of a quarter of the queue: there is always room for that.
Task<void> RpcLine::wait_for_room() {
  const std::size_t max = rpc::answers_max(runner_.shared().limits);
  if (responded_ > max) {
    // What was posted before has then been done.
    co_await asio::post(runner_.thread().executor(), asio::use_awaitable_t<Executor>{});
    responded_ = 0;
  }
  const stomp::Broker& broker = runner_.shared().stomp->broker();
  if (broker.queued_bytes(connection_) <= max) co_return;
  co_await finish_writes();
  respond_to_finished();
  Timer timer(runner_.thread().context());
  while (broker.queued_bytes(connection_) > max &&
         runner_.shared().phase.load(std::memory_order_relaxed) == Phase::serving) {
    timer.expires_after(room_interval);
    co_await timer.async_wait(as_values);
  }
}

Task<void> RpcLine::begin(Request& request, std::size_t index) {
  if (runner_.shared().phase.load(std::memory_order_relaxed) == Phase::stopping) {
    answer(request, index, Service::failed(error(Errc::unavailable, "Doctor is stopping")));
    co_return;
  }
  // What a session asks for is for its connection alone, and changes nothing.
  const bool is_sessions = request.asked.principal.kind == document::Principal::Kind::session;
  if (is_sessions && !runner_.shared().stomp->broker().is_open(connection_)) co_return;
  const rpc::Method* method = rpc::find_method(request.call(index).method);
  const bool is_write = method != nullptr && method->is_write();
  const bool is_read = method != nullptr && method->is_request() && !is_write;
  if (is_read) co_await finish_writes();
  Plan planned = co_await plan(request, index, is_write);
  if (!writes_.empty() && is_precondition_failed(planned)) {
    // Judged by what is stored, and not by what the writes before it will have made of that.
    co_await finish_writes();
    planned = co_await plan(request, index, is_write);
  }
  if (auto* write = std::get_if<rpc::Write>(&planned)) {
    ++request.writes;
    writes_.push_back({&request, index, std::move(*write)});
  } else if (auto* reading = std::get_if<rpc::Read>(&planned)) {
    Answer done = co_await read(request, *reading);
    answer(request, index, std::move(done));
  } else {
    answer(request, index, std::move(std::get<Answer>(planned)));
  }
}

// Has a reader thread do what may take long, and waits: everything stays as it is meanwhile.
template <class Work>
Task<RpcLine::Plan> RpcLine::by_reader(Work work) {
  return reply_of<Plan>(
      runner_.thread().mailbox(), [this, work](std::shared_ptr<Reply<Plan>> reply) {
        runner_.shared().readers.submit([work, reply = std::move(reply)] { reply->send(work()); });
      });
}

Task<RpcLine::Plan> RpcLine::plan(const Request& request, std::size_t index, bool is_write) {
  const RpcRequest& call = request.call(index);
  const std::size_t room = room_for(request, index);
  const auto make = [this, &request, &call, room]() -> Plan {
    try {
      const auto snapshot = runner_.shared().engine->snapshot();
      return request.service->plan(call, request.asked.principal, room, *snapshot, wall_clock());
    } catch (const std::exception& bug) {
      return internal(call.method, bug);
    }
  };
  if (call.params.size() <= (is_write ? large_write : large_query)) co_return make();
  co_return co_await by_reader(make);
}

Task<Answer> RpcLine::read(const Request& request, const rpc::Read& reading) {
  engine::Engine& engine = *runner_.shared().engine;
  if (reading.min_revision && engine.revision() < *reading.min_revision) {
    co_await wait_for_revision(runner_.thread(), engine, *reading.min_revision,
                               runner_.shared().limits.min_revision_wait);
  }
  const auto run = [&engine, &request, &reading]() -> Plan {
    try {
      const auto snapshot = engine.snapshot();
      return request.service->read(reading.call, *snapshot, wall_clock());
    } catch (const std::exception& bug) {
      return internal(reading.call.method(), bug);
    }
  };
  if (!reading.large) co_return std::get<Answer>(run());
  Plan done = co_await by_reader(run);
  co_return std::get<Answer>(std::move(done));
}

Task<void> RpcLine::finish_writes() {
  if (writes_.empty()) co_return;
  std::vector<Writing> writes = std::exchange(writes_, {});
  const Group::Outcomes outcomes = co_await reply_of<Group::Outcomes>(
      runner_.thread().mailbox(), [&](std::shared_ptr<Reply<Group::Outcomes>> reply) {
        const auto group = std::make_shared<Group>(writes.size(), std::move(reply));
        for (std::size_t i = 0; i < writes.size(); ++i) {
          runner_.shared().engine->submit(
              std::move(writes[i].write.command),
              [group, i](Result<engine::Outcome> outcome) { group->done(i, std::move(outcome)); });
        }
      });
  for (std::size_t i = 0; i < writes.size(); ++i) {
    Request& request = *writes[i].request;
    const std::size_t room = room_for(request, writes[i].index);
    const Result<engine::Outcome>& outcome = *outcomes[i];
    const auto written = [&request, &outcome, &call = writes[i].write.call, room]() -> Plan {
      try {
        return request.service->written(call, outcome, room);
      } catch (const std::exception& bug) {
        return internal(call.method(), bug);
      }
    };
    const bool is_long = outcome && outcome->changes.size() > many_changes;
    --request.writes;
    if (is_long) {
      Plan done = co_await by_reader(written);
      answer(request, writes[i].index, std::get<Answer>(std::move(done)));
    } else {
      answer(request, writes[i].index, std::get<Answer>(written()));
    }
  }
}

// What is left for the answer to a call of what may be sent for its request.
std::size_t RpcLine::room_for(const Request& request, std::size_t index) const {
  const std::size_t id = request.call(index).id.value_or("").size();
  const std::size_t used = request.answers_size + id + around_an_answer;
  const std::size_t max = rpc::answers_max(runner_.shared().limits);
  return max - std::min(max, used);
}

void RpcLine::answer(Request& request, std::size_t index, Answer answer) {
  const RpcRequest& call = request.call(index);
  runner_.record(call.method, answer, request.began);
  if (call.is_notification()) return;
  if (const auto* result = std::get_if<std::string>(&answer)) {
    request.answers_size += call.id->size() + result->size() + around_an_answer;
  }
  request.answers[index] = std::move(answer);
}

// In their order, which is also that of their answers.
void RpcLine::respond_to_finished() {
  while (!begun_.empty() && begun_.front()->writes == 0) {
    Request& request = *begun_.front();
    std::vector<RpcResponse> responses;
    for (std::size_t index = 0; index < request.answers.size(); ++index) {
      auto& asked = request.asked.calls.calls[index];
      if (auto* response = std::get_if<RpcResponse>(&asked)) {
        responses.push_back(std::move(*response));
      } else if (auto& made = request.answers[index]) {
        responses.push_back({*request.call(index).id, std::move(*made)});
      }
    }
    responded_ += request.answers_size;
    request.respond(std::move(responses));
    runner_.responded();
    begun_.pop_front();
  }
}

}  // namespace doctor::server
