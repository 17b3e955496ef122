#include "doctor/client/connection.hpp"

#include <algorithm>
#include <utility>

#include "doctor/client/back_off.hpp"
#include "doctor/stomp/writer.hpp"

// How the connection lives; connection_frames.cpp says what is said over it.
namespace doctor::client {
namespace {

constexpr std::chrono::seconds goodbye_time{2};

stomp::FrameLimits limits_of(const Options& options) {
  stomp::FrameLimits limits;
  limits.body = options.frame_max;
  return limits;
}

Error lost(std::string why) {
  return error(Code::communication, std::move(why));
}

}  // namespace

Connection::Connection(const Options& options, const std::string& unique,
                       std::function<double()> chance)
    : options_(options),
      receiver_(options.receiver.empty() ? options.host : options.receiver),
      reply_queue_("replies-" + unique),
      chance_(std::move(chance)),
      calls_(unique),
      splitter_(limits_of(options)) {}

void Connection::start(Clock::time_point now) {
  if (state_ == State::idle) connect(now);
}

void Connection::connect(Clock::time_point now) {
  state_ = State::opening;
  due_ = now + options_.connect_timeout;
  control_.emplace_back(Connect());
}

void Connection::opened(Clock::time_point now) {
  if (state_ != State::opening) return;
  state_ = State::greeting;
  splitter_ = stomp::Splitter(limits_of(options_));
  splitter_.set_version(stomp::Version::v1_2);
  input_.clear();
  input_read_ = 0;
  say_connect();
  wrote(now);
}

void Connection::closed(Error reason, Clock::time_point now) {
  if (state_ != State::idle && state_ != State::waiting && state_ != State::ended) {
    lose(std::move(reason), now);
  }
}

// The connection is to be given up by us.
void Connection::fail(Error reason, Clock::time_point now) {
  control_.emplace_back(Disconnect());
  lose(std::move(reason), now);
}

// What it says now it may say on the next connection too: unless this one has lasted, it is one
// more that failed, though it came about.
void Connection::fail_to_read(const stomp::Refusal& refusal, Clock::time_point now) {
  if (now - up_since_ >= options_.back_off_max) unreadable_ = 0;
  failures_ = std::max(failures_, unreadable_++);
  if (refusal.fault == stomp::Fault::limit) {
    return fail(client::error(Code::too_large, "the peer sent a frame with more than " +
                                                   std::to_string(options_.frame_max) +
                                                   " octets, or too long headers"),
                now);
  }
  fail(lost("the peer speaks no STOMP: " + std::string(refusal.message)), now);
}

void Connection::lose(Error reason, Clock::time_point now) {
  if (state_ == State::stopping) return end(lost("the client was closed"));
  output_.clear();
  input_.clear();
  input_read_ = 0;
  event_subscription_.clear();
  Calls::Lost lost_calls = calls_.connection_lost();
  for (const CallId call : lost_calls.lost) control_.emplace_back(Answer{call, reason});
  // They were made before all that has not been sent.
  unsent_.insert(unsent_.begin(), lost_calls.again.begin(), lost_calls.again.end());
  ++failures_;
  if (!std::exchange(told_down_, true)) {
    down_since_ = now;
    control_.emplace_back(Down{reason});
  }
  if (options_.attempts && failures_ >= *options_.attempts) return end(std::move(reason));
  state_ = State::waiting;
  due_ = now + back_off(options_, failures_, chance_());
}

void Connection::stop(Clock::time_point now) {
  if (state_ == State::stopping || state_ == State::ended) return;
  const Error closed = lost("the client was closed");
  answer_all(closed);
  if (state_ != State::up) {
    if (state_ == State::opening || state_ == State::greeting) control_.emplace_back(Disconnect());
    return end(closed);
  }
  stomp::write_frame(stomp::Command::disconnect, {{"receipt", "goodbye"}}, {}, stomp::Version::v1_2,
                     output_);
  state_ = State::stopping;
  due_ = now + goodbye_time;
}

void Connection::end(Error reason) {
  answer_all(reason);
  output_.clear();
  input_.clear();
  input_read_ = 0;
  state_ = State::ended;
  ended_ = reason;
  control_.emplace_back(Ended{std::move(reason)});
}

void Connection::answer_all(const Error& failure) {
  for (const CallId call : calls_.clear()) control_.emplace_back(Answer{call, failure});
  unsent_.clear();
  unsent_octets_ = 0;
}

void Connection::pause(Clock::time_point now) {
  if (!paused_since_) paused_since_ = now;
}

void Connection::resume(Clock::time_point now) {
  if (!paused_since_) return;
  stood_still_ += now - *paused_since_;
  paused_since_.reset();
}

Clock::time_point Connection::judged(Clock::time_point now) const {
  return paused_since_.value_or(now) - stood_still_;
}

void Connection::tick(Clock::time_point now) {
  switch (state_) {
    case State::idle:
    case State::ended:
      break;
    case State::opening:
    case State::greeting:
      if (now >= due_) fail(lost("there was no connection within the connect time-out"), now);
      break;
    case State::waiting:
      if (now >= due_) connect(now);
      break;
    case State::stopping:
      if (now < due_) break;
      control_.emplace_back(Disconnect());
      end(lost("the client was closed"));
      break;
    case State::up:
      if (dead_after_ > Clock::duration() && judged(now) - last_read_ >= dead_after_) {
        fail(lost("the peer was silent for longer than its heart-beat allows"), now);
        break;
      }
      if (beat_every_ > Clock::duration() && now - last_written_ >= beat_every_) {
        // What has not been written yet is as good as a beat.
        if (output_.empty()) output_ += '\n';
        wrote(now);
      }
  }
  const Calls::Overdue overdue = calls_.overdue(judged(now));
  for (const CallId call : overdue.given_up) {
    control_.emplace_back(Answer{call, lost("there was no answer within the time-out")});
  }
  for (const CallId call : overdue.again) {
    if (state_ == State::up) wrote(now);
    send(call);
  }
}

Clock::time_point Connection::deadline() const {
  // Of judged times none comes while paused.
  const auto unjudged = [&](Clock::time_point time) {
    if (paused_since_ || time == Clock::time_point::max()) return Clock::time_point::max();
    return time + stood_still_;
  };
  Clock::time_point next = unjudged(calls_.deadline());
  if (state_ == State::up) {
    if (dead_after_ > Clock::duration()) next = std::min(next, unjudged(last_read_ + dead_after_));
    if (beat_every_ > Clock::duration()) next = std::min(next, last_written_ + beat_every_);
  } else if (state_ != State::idle && state_ != State::ended) {
    next = std::min(next, due_);
  }
  return next;
}

std::optional<Occurrence> Connection::next(Clock::time_point now) {
  const auto front_of = [](std::deque<Occurrence>& queue) {
    Occurrence front = std::move(queue.front());
    queue.pop_front();
    return front;
  };
  while (control_.empty()) {
    if (is_paused()) return std::nullopt;
    if (!inbound_.empty()) return front_of(inbound_);
    if (input_read_ == input_.size()) return std::nullopt;
    read(now);
  }
  return front_of(control_);
}

}  // namespace doctor::client
