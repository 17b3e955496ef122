#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/hub/credentials.hpp"
#include "doctor/hub/event.hpp"
#include "doctor/hub/requests.hpp"
#include "doctor/stomp/broker.hpp"

namespace doctor::hub {

struct Options {
  stomp::Options broker;
  /// See EventDestinations; not empty.
  std::vector<std::string> event_queues{"jms.queue.events", "jms.topic.vdsm_responses"};
  bool keeps_events = false;  ///< for `take_events`
};

/// What may be set anew while it runs.
struct Settings {
  std::vector<std::string> connectors;  ///< names in certificates
  bool document_events = true;
};

/// What the hub asks of its owner, inside any call.
struct Surroundings {
  Authority authority;
  /// Notes and logs a failed login from an address, and says how long its answer must wait.
  std::function<std::chrono::milliseconds(std::string_view peer, Clock::time_point now)>
      failed_login;
  /// As of stomp::Application.
  std::function<bool(stomp::ConnectionId connection)> has_unread;
  document::ReadLog read_log;
  /// What a gzip body is, if that is at most so long.
  std::function<Result<std::string>(std::string_view body, std::size_t size_max)> gunzip;
  /// A warning for a person, at most a line; never a secret.
  std::function<void(std::string_view)> log;
};

/// Counters since the start, by cause; names as /metrics shows them.
struct Figures {
  std::uint64_t calls = 0;            ///< of JSON-RPC, notifications too
  std::uint64_t calls_under_way = 0;  ///< now
  std::uint64_t calls_bytes = 0;      ///< now: of requests under way
  std::uint64_t calls_refused = 0;    ///< over rpc_calls or rpc_calls_bytes
  std::uint64_t answers_too_large = 0;
  std::uint64_t events = 0;                ///< that clients sent
  std::uint64_t events_not_kept = 0;       ///< over events_waiting or events_waiting_bytes
  std::uint64_t document_events = 0;       ///< made of changes, whoever heard
  std::uint64_t document_events_lost = 0;  ///< times that changes left the commit log unread
};

/// What STOMP messages mean: who may do what, the destinations of oVirt's programs, requests of
/// JSON-RPC, events, and events about documents. A value around the broker, as pure as that is, and
/// for one thread.
///
/// Requests are given out and their answers taken; who carries them out is not known here. Changes
/// of documents become events when they are announced, in the order of revisions, each for those
/// who may read the document: first when it is queued, and again when it is written. What a commit
/// did to sessions takes effect behind what it did to documents, or at once while events are
/// behind.
class Hub {
 public:
  Hub(const Limits& limits, Options options, Settings settings, Surroundings surroundings);
  ~Hub();

  /// For the owner of the sockets: all but `publish`, `answer` and `sessions_changed`.
  stomp::Broker& broker();
  void use(Settings settings);

  /// Before the first commit is announced: the revision up to which there is nothing to tell.
  void set_revision(document::Revision revision);
  /// Durable commits, in order.
  void announce(std::span<const document::CommitPtr> commits, Clock::time_point now);
  /// Whether there are changes that `advance` has yet to tell of.
  bool unfinished() const;
  /// Goes on with it for a bounded time.
  void advance(Clock::time_point now);

  /// Requests that came since the last call and are to be carried out. What is to be refused has
  /// been answered by then: look at the broker's `attention` afterwards. Call it after each call
  /// into the broker that takes input, and after `output`, which may go on with what was kept.
  std::vector<Request> take_requests(Clock::time_point now);
  /// The responses to one of them, once.
  void answer(RequestNumber number, std::vector<events::RpcResponse> responses,
              Clock::time_point now);

  /// An event that no client sent, for all who may read everything.
  void publish(const Event& event, Clock::time_point now);
  /// What clients have sent to event destinations since the last call; over `events_waiting` or
  /// `events_waiting_bytes` the oldest are missing.
  std::deque<Event> take_events();

  Figures figures() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::hub
