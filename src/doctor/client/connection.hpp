#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/base/time.hpp"
#include "doctor/client/calls.hpp"
#include "doctor/client/event.hpp"
#include "doctor/client/expected.hpp"
#include "doctor/client/options.hpp"
#include "doctor/client/reactive.hpp"
#include "doctor/events/json_rpc.hpp"
#include "doctor/stomp/frame.hpp"
#include "doctor/stomp/heart_beat.hpp"
#include "doctor/stomp/splitter.hpp"

namespace doctor::client {

// What a connection asks of its owner, or has to tell.

/// Make a connection, with its TLS if there is any; then call `opened`, or `closed`.
struct Connect {};
/// End the connection, or the attempt at one, without calling `closed`.
struct Disconnect {};
/// Requests are answered and events come from now on.
struct Up {
  std::optional<Gap> gap;  ///< since what Down told; none: Down was not told
};
/// There is no connection; told once until the next Up.
struct Down {
  Error reason;
};
/// Nothing will be tried any more. After it come only events and answers that were heard before,
/// and failures of requests that are made too late.
struct Ended {
  Error reason;
};
struct Answer {
  CallId call;
  Expected<std::string> result;  ///< JSON
};
struct Warning {
  std::string text;
};
using Occurrence = std::variant<Connect, Disconnect, Up, Down, Ended, Event, Answer, Warning>;

/// The client's end of the protocol: octets and time in, octets and occurrences out. It decides
/// when to connect, what to say, what is too late, and what becomes of requests when a connection
/// is lost.
///
/// The owner calls what happened, then fetches `next` until there is nothing, then `output`, and
/// calls `tick` when `deadline` has come. One thread.
class Connection {
 public:
  /// @param unique  as of Calls; names the reply queue, too
  /// @param chance  a number from [0, 1): spreads the attempts of many clients
  Connection(const Options& options, const std::string& unique, std::function<double()> chance);

  /// Errc::invalid_argument: these options cannot be used.
  static Expected<void> check(const Options& options);

  void start(Clock::time_point now);
  /// Says goodbye and ends. Requests without an answer fail at once.
  void stop(Clock::time_point now);

  void opened(Clock::time_point now);
  void received(std::string_view octets, Clock::time_point now);
  /// Octets have come that have not been read yet: the peer is not silent.
  void heard(Clock::time_point now) { last_read_ = judged(now); }
  void closed(Error reason, Clock::time_point now);

  /// A request. While there is no connection it waits for one. Its Answer comes once, whatever
  /// happens.
  /// @param params  JSON, an array or an object; empty: none
  void call(CallId call, std::string_view method, std::string_view params,
            const CallOptions& options, Clock::time_point now);
  /// A notification for other clients; false: too much waits already.
  bool publish(std::string_view method, std::string_view params, Clock::time_point now);
  /// Whether events are wanted at all.
  void listen(bool wanted, Clock::time_point now);

  /// While paused no events and answers are given out; neither the peer's silence nor the time of
  /// requests is judged, since the owner does not read. Heart-beats go on.
  void pause(Clock::time_point now);
  void resume(Clock::time_point now);
  bool is_paused() const { return paused_since_.has_value(); }

  void tick(Clock::time_point now);
  Clock::time_point deadline() const;

  std::optional<Occurrence> next(Clock::time_point now);
  /// What is to be written to the connection; to be taken whole.
  std::string& output() { return output_; }

  /// Octets that wait to be written, but for those of requests.
  std::size_t unsent() const { return output_.size() + unsent_octets_; }
  /// Answers that nobody waits for, and messages that are neither answers nor events.
  std::uint64_t unmatched() const { return unmatched_; }

 private:
  enum class State : std::uint8_t { idle, opening, greeting, up, waiting, stopping, ended };
  struct Publication {
    std::string frame;
  };
  using Unsent = std::variant<CallId, Publication>;

  void connect(Clock::time_point now);
  void fail(Error reason, Clock::time_point now);
  void fail_to_read(const stomp::Refusal& refusal, Clock::time_point now);
  void lose(Error reason, Clock::time_point now);
  void end(Error reason);
  void answer_all(const Error& failure);

  void read(Clock::time_point now);
  void take(const stomp::Frame& frame, Clock::time_point now);
  void take_connected(const stomp::Frame& frame, Clock::time_point now);
  void take_message(const stomp::Frame& frame, Clock::time_point now);
  void take_error(const stomp::Frame& frame, Clock::time_point now);

  void say_connect();
  void say_subscribe(const std::string& id, const std::string& destination, bool filtered);
  std::string request_frame(std::string_view body, const std::string& flow_id) const;
  void send(Unsent unsent);
  bool is_room_for(std::size_t octets) const;
  void wrote(Clock::time_point now) { last_written_ = now; }

  // Time as it is judged: it stands still while paused.
  Clock::time_point judged(Clock::time_point now) const;

  const Options options_;
  const std::string receiver_;
  const std::string reply_queue_;
  const std::function<double()> chance_;
  Calls calls_;
  State state_ = State::idle;
  std::deque<Occurrence> control_;  // given out first, also while paused
  std::deque<Occurrence> inbound_;
  std::string output_;
  std::string input_;
  std::size_t input_read_ = 0;
  stomp::Splitter splitter_;

  std::deque<Unsent> unsent_;  // until there is a connection
  std::size_t unsent_octets_ = 0;
  bool listening_ = false;
  std::uint64_t subscription_ = 0;  // the last id that was used
  std::string event_subscription_;  // its id; empty: none

  Error ended_;              // why, once it has
  Clock::time_point due_{};  // of the attempt, the next attempt, or the end
  std::uint32_t failures_ = 0;
  std::uint32_t unreadable_ = 0;  // connections that soon ended since the peer could not be read
  Clock::time_point up_since_{};
  bool told_down_ = false;
  Clock::time_point down_since_{};
  Clock::duration beat_every_{};  // 0: no beats
  Clock::duration dead_after_{};  // 0: not judged
  Clock::time_point last_written_{};
  Clock::time_point last_read_{};  // judged time
  Clock::duration stood_still_{};
  std::optional<Clock::time_point> paused_since_;
  std::uint64_t unmatched_ = 0;
};

}  // namespace doctor::client
