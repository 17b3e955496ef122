#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "doctor/base/warnings.hpp"
#include "doctor/document/feed.hpp"
#include "doctor/hub/destinations.hpp"
#include "doctor/hub/hub.hpp"

namespace doctor::hub {

enum class Warning : std::uint8_t { refused_calls, large_answers, lost_events, count_of_kinds };

/// The hub, by files: application.cpp (what a frame means), calling.cpp (requests and answers),
/// telling.cpp (events).
class Hub::Impl final : public stomp::Application {
 public:
  Impl(const Limits& limits, Options options, Settings settings, Surroundings surroundings);

  stomp::Broker& broker() { return broker_; }
  void use(Settings settings) { settings_ = std::move(settings); }

  // application.cpp
  std::optional<document::Principal> log_in(const stomp::Credentials& credentials) override;
  std::chrono::milliseconds failed_login(std::string_view peer, Clock::time_point now) override;
  stomp::Decoded<stomp::Terms> subscribing(const stomp::Subscribing& subscribing) override;
  stomp::Decoded<void> sending(const stomp::Sending& sending) override;
  stomp::Routing route(const stomp::Sending& sending) const override;
  stomp::Routing sent(const stomp::Sending& sending) override;
  bool has_unread(stomp::ConnectionId connection) const override {
    return surroundings_.has_unread(connection);
  }
  std::optional<stomp::Message> overflowed(const stomp::Subscription& subscription,
                                           std::uint64_t dropped, Clock::time_point now) override;

  // calling.cpp
  std::vector<Request> take_requests(Clock::time_point now);
  void answer(RequestNumber number, std::vector<events::RpcResponse> responses,
              Clock::time_point now);

  // telling.cpp
  void set_revision(document::Revision revision);
  void announce(std::span<const document::CommitPtr> commits, Clock::time_point now);
  bool unfinished() const { return place_ != feed_.end(); }
  void advance(Clock::time_point now);
  void publish(const Event& event, Clock::time_point now);
  std::deque<Event> take_events();

  Figures figures() const { return figures_; }

 private:
  /// A request that came.
  struct Asked {
    Request request;
    std::size_t bytes = 0;
    std::vector<std::string> reply_to;
  };
  /// One that is being carried out.
  struct Pending {
    stomp::ConnectionId connection;
    bool for_connectors = false;
    bool is_batch = false;
    std::size_t calls = 0;
    std::size_t bytes = 0;
    std::vector<std::string> reply_to;  ///< the first is what the answer names
    std::string flow_id;
  };

  // application.cpp
  std::optional<stomp::Refusal> fault_of_request(const stomp::Sending& sending,
                                                 const RequestDestination& destination) const;
  /// The notifications in what is sent to an event destination; elsewhere nobody looks.
  std::vector<Event> notifications_in(const stomp::Message& message) const;
  stomp::Routing route(const stomp::Message& message, const std::vector<Event>& told) const;

  // calling.cpp
  void ask(const stomp::Sending& sending, const RequestDestination& destination);
  events::RpcCalls calls_of(const stomp::Message& message);
  bool begin(Asked& asked, Clock::time_point now);
  std::optional<events::RpcError> fault_of_load(const Asked& asked) const;
  std::string body_of(std::vector<events::RpcResponse> responses, bool is_batch,
                      Clock::time_point now);

  // telling.cpp
  /// @return how many of them: fewer when that was enough for one turn
  std::size_t tell(std::span<const document::Change> changes, document::Revision revision,
                   Clock::time_point now);
  void lose_place(Clock::time_point now);
  bool has_listeners() const;
  void keep(Event event);
  stomp::Routing to_events(const std::string& id, stomp::Reach reach) const;

  const Limits limits_;
  const Surroundings surroundings_;
  const EventDestinations events_;
  const bool keeps_events_;
  Settings settings_;
  Warnings<Warning> warnings_;
  Figures figures_;

  std::vector<Asked> asked_;
  std::size_t asked_bytes_ = 0;
  std::unordered_map<RequestNumber, Pending> pending_;
  std::unordered_map<stomp::ConnectionId, std::size_t> calls_;  // under way, of each connection
  std::size_t sessions_bytes_ = 0;  // of figures_.calls_bytes, what sessions asked for
  std::uint64_t last_request_ = 0;

  document::Feed feed_;
  document::FeedPlace place_;  // of the change that is told next

  std::deque<Event> kept_;
  std::size_t kept_bytes_ = 0;

  stomp::Broker broker_;
};

}  // namespace doctor::hub
