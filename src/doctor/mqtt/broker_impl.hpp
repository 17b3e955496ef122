#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/client.hpp"
#include "doctor/mqtt/warnings.hpp"

namespace doctor::mqtt {

/// The broker, in five files: broker.cpp (connections, time, output), connect.cpp (CONNECT),
/// session.cpp (the packets after it), routing.cpp (who hears what), catch_up.cpp (who is behind).
class Broker::Impl {
 public:
  Impl(const Limits& limits, Login login, FailedLogin failed_login, ReadLog read_log,
       std::function<void(std::string_view)> log);

  ConnectionId accept(std::string peer, Clock::time_point now, Timestamp wall);
  void receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
               Timestamp wall);
  void closed(ConnectionId connection);
  void tick(Clock::time_point now, Timestamp wall);
  std::vector<Attention> attention();
  void output(ConnectionId connection, std::size_t max_bytes, std::string& out,
              Clock::time_point now);
  void taken(ConnectionId connection, Clock::time_point now);
  void shut_down();
  Figures figures() const;

  void announce(std::span<const document::CommitPtr> commits, Clock::time_point now);
  void advance(Clock::time_point now);
  bool unfinished() const;
  void set_revision(document::Revision revision);

 private:
  using Counter = std::uint64_t Figures::*;

  // broker.cpp
  Client* find(ConnectionId connection);
  void note_time(Clock::time_point now, Timestamp wall);
  Timestamp wall_at(Clock::time_point now) const;
  void mark(Client& client);
  /// Queues an answer if the client's Maximum Packet Size allows it, at need without reason string
  /// and user properties [MQTT-3.1.2-24]; false if it could not be.
  bool send(Client& client, Packet packet);
  /// The same for one that the client waits for: if it cannot be sent, the connection ends.
  void answer(Client& client, Packet packet);
  /// Says why (5.0: DISCONNECT, only after CONNACK [MQTT-3.14.0-1]) and ends the connection.
  void end(Client& client, Reason reason, std::string_view detail, Counter counter);
  /// Ends the connection without a word.
  void drop(Client& client);
  void detach(Client& client);
  void fail(Client& client, const Refusal& refusal);
  void end_expired(Client& client);
  bool has_expired(const Client& client, Clock::time_point now) const;
  void check_time(Client& client);
  void write_messages(Client& client, std::size_t limit, std::string& out);

  // connect.cpp
  void connect(Client& client, const Frame& frame);
  void refuse_connect(Client& client, const Frame& frame, const Refusal& refusal);
  void refuse_login(Client& client, bool with_credentials);
  /// CONNACK with a reason, then the end; no CONNACK if 3.1.1 has no code for it.
  void reject(Client& client, Reason reason, std::string_view detail);
  std::optional<Refusal> refused_will(const Client& client, const Will& will) const;
  std::optional<Refusal> refused_client_id(const Connect& connect) const;
  void welcome(Client& client, const Connect& connect);

  // session.cpp
  void handle(Client& client, const Frame& frame);
  void on(Client& client, const Publish& publish);
  void on(Client& client, const Puback& puback);
  void on(Client& client, const Pubrec& pubrec);
  void on(Client& client, const Pubrel& pubrel);
  void on(Client& client, const Pubcomp& pubcomp);
  void on(Client& client, const Subscribe& subscribe);
  void on(Client& client, const Unsubscribe& unsubscribe);
  void on(Client& client, const Pingreq& pingreq);
  void on(Client& client, const Disconnect& disconnect);
  template <class Unexpected>
  void on(Client& client, const Unexpected& packet);
  std::optional<Refusal> refused_publish(const Client& client, const Publish& publish) const;
  Reason subscribe(Client& client, const Subscribe::Request& request);

  // routing.cpp
  void apply_newest(const document::Commit& commit);
  /// What was announced up to here may be judged with the session as it was at this revision.
  void apply_edits(Client& client, document::Revision revision);
  void match();
  std::size_t route(const document::Change& change, const Place& place);
  void end_commit();
  void lose_place();
  /// Whether anyone had a subscription for it.
  bool route(const Publish& publish, const Client& publisher);
  void push(Client& client, Outbox::Entry entry);
  /// The same for an announcement; false if it is to be heard later.
  bool push_announcement(Client& client, Outbox::Entry entry);
  std::vector<SubscriberNumber> clients_of(const std::string& session_id) const;

  // catch_up.cpp
  void fall_behind(Client& client, const Place& place);
  /// Queues what the client is to hear next, if it has read what was before. @param changes  how
  /// many may still be looked at in this turn; what was is taken off
  void catch_up(Client& client, std::size_t& changes);
  bool offer(Client& client, const document::Change& change);
  void rejoin(Client& client);

  const Limits limits_;
  const Login login_;
  const FailedLogin failed_login_;
  Warnings warnings_;
  Figures figures_;

  // The time of the call that is being served, and what the wall clock showed when last told.
  Clock::time_point now_;
  Clock::time_point wall_told_at_;
  Timestamp wall_told_;
  Clock::time_point next_check_;

  // Clients by their place in a table; a place is used again, with another upper half of the id.
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<SubscriberNumber> free_places_;
  std::uint32_t accepted_ = 0;
  std::unordered_map<std::string_view, Client*> by_key_;
  std::unordered_map<std::string, std::vector<SubscriberNumber>> by_session_;
  Subscriptions subscriptions_;
  std::vector<ConnectionId> named_;     // for the next `attention`
  std::vector<ConnectionId> refusing_;  // logins whose answer waits

  Feed feed_;
  Place place_;                        // of what is matched next for those who are not behind
  std::vector<ConnectionId> touched_;  // whom the commit that is being matched has matched
  std::vector<ConnectionId> looking_;  // behind, and to go on without having been given anything
  std::size_t catching_up_ = 0;        // clients that are
  Subscriptions::Matches matches_;
};

}  // namespace doctor::mqtt
