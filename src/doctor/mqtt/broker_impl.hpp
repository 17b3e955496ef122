#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "doctor/base/timer_wheel.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/client.hpp"
#include "doctor/mqtt/state.hpp"
#include "doctor/mqtt/warnings.hpp"

namespace doctor::mqtt {

/// The broker, by files: broker.cpp (connections, time), connect.cpp (CONNECT), packets.cpp (the
/// packets after it), sessions.cpp (their lives, wills), routing.cpp (who hears what), catch_up.cpp
/// (who is behind), delivery.cpp (what is written next), keeping.cpp (what outlives the process),
/// restore.cpp (what another one left), system_topics.cpp ($SYS), clients.cpp (what operators see
/// and do).
class Broker::Impl {
 public:
  Impl(const Limits& limits, Login login, FailedLogin failed_login, HasUnread has_unread,
       document::ReadLog read_log, std::function<void(std::string_view)> log);

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
  Result<void> restore(std::span<const StateRecord> records, Clock::time_point now, Timestamp wall);
  std::optional<StateBatch> take_state();
  void persisted(std::uint64_t batch, Clock::time_point now);
  Figures figures() const;
  ClientPage clients(std::uint32_t from, std::size_t limit) const;
  std::optional<ClientView> client(std::string_view id) const;
  std::optional<Disconnected> disconnect(std::string_view id, bool end_its_session,
                                         Clock::time_point now);
  void publish_figures(std::string version, Clock::time_point now);

  void announce(std::span<const document::CommitPtr> commits, Clock::time_point now);
  void advance(Clock::time_point now);
  bool unfinished() const;
  void set_revision(document::Revision revision);

 private:
  using Counter = std::uint64_t Figures::*;

  struct DueWill {
    PublicationPtr publication;
    SubscriberNumber publisher = 0;
  };

  // broker.cpp
  Client* find(ConnectionId connection);
  void note_time(Clock::time_point now, Timestamp wall);
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
  /// Whether its CONNACK waits for nothing.
  bool is_welcome(const Client& client) const;
  /// Answers that the state no longer holds are held no longer.
  void release_held(Client& client);
  /// Forgets answers that wait for the state: to a connection that ends they are not said.
  void forget_held(Client& client);
  /// What stands in `answers` from here on waits for what has changed of the state just now.
  void hold(Client& client, std::size_t begin);
  void wait(Client& client);
  void fail(Client& client, const Refusal& refusal);
  void check_time(Client& client);
  /// Whether it has to take what is there for it.
  bool must_move(const Client& client) const;
  Clock::time_point next_check(const Client& client) const;
  /// Has it looked at when it may be due next, whatever was agreed on before; call it when that may
  /// have become earlier.
  void arm(Client& client);
  /// Before any call returns: publishes the wills that have become due, forgets ended sessions.
  void settle();

  // system_topics.cpp
  void publish_figures();
  /// All figures but those that need a look at every client.
  Figures counted() const;
  void publish_figure(std::string_view name, const std::string& value);

  // clients.cpp
  ClientView view_of(const Session& of, std::size_t filters_max, std::size_t bytes_max) const;
  Session* find_session(std::string_view id) const;

  // sessions.cpp
  Session& make_session(std::string key, const LoggedIn& login);
  /// The client goes on with the session. False if the session has to be ended instead, since what
  /// it would hear next has left the commit log.
  bool resume(Client& client, Session& session, LoggedIn login);
  /// The connection ends; its session stays or ends with it.
  void leave(Client& client);
  /// Forgets the session, whose client has gone.
  void end_session(Session& session);
  void publish_will(Session& session);
  void check_time(Session& session);
  Clock::time_point next_check(const Session& session) const;
  void arm(Session& session);
  bool has_expired(const Session& session, Clock::time_point now) const;
  /// The session of Doctor has expired, and with it this one.
  void end_expired(Session& session);
  Session* session_of(SubscriberNumber number) const { return sessions_[number].get(); }

  // keeping.cpp
  /// Whether the session outlives its connection, and so the process.
  bool is_kept(const Session& session) const;
  void keep(Session& session);
  void forget(Session& session);
  /// Its record has changed. Who waits for that asks the state.
  void touch(Session& session);
  void keep_permissions(Session& session, const document::SessionChange& change,
                        document::Revision revision);
  void keep_subscription(Session& session, Session::Own& own);
  void forget_subscription(Session& session, const Session::Own& own);
  /// A message waits in its outbox.
  void keep_waiting(Session& session, Message& message);
  /// A message is in its inflight.
  void keep_sent(Session& session, const Inflight::Sent& sent);
  /// PUBREC came for it.
  void keep_received(Session& session, const Inflight::Sent& sent);
  void forget_message(Session& session, const Message& message);
  void keep_retained(const PublicationPtr& publication, std::optional<std::uint64_t> kept);
  std::optional<FeedPosition> position_of(const Session& session) const;
  SessionRecord record_of(const Session& session) const;
  void prune_permissions(Session& session);

  // restore.cpp
  struct Plan;
  struct KeptSession;
  Result<Plan> plan(std::span<const StateRecord> records) const;
  Result<void> check(const Plan& plan) const;
  std::optional<LoggedIn> principal_of(const std::string& key) const;
  void restore_session(const Plan& plan, std::uint64_t number);
  void restore_permissions(Session& session, const KeptSession& kept, document::Revision reached);
  void restore_subscriptions(Session& session, const KeptSession& kept);
  void restore_messages(Session& session, const Plan& plan, const KeptSession& kept);
  void restore_readings(Session& session, const SessionRecord& record);
  void erase_records(std::uint64_t number, const KeptSession& kept);

  // delivery.cpp
  void write_messages(Client& client, std::size_t limit, std::string& out);
  void write_sending(Client& client, std::size_t limit, std::string& out);
  /// Writes one retained message of those that the session is still to hear, if its client takes
  /// one now.
  bool write_retained(Client& client, std::string& out);
  /// Writes a message, or drops and counts it. At QoS 1 and 2 the client must have quota; to a
  /// session that outlives the process it is then written by `write_sending`.
  void write(Client& client, Message message, std::string& out);
  /// Why a copy cannot be sent; null: it can.
  Counter obstacle(const Client& client, const Message& message) const;
  void write_copy(Client& client, const Message& message, std::uint16_t packet_id, bool dup,
                  std::string& out);
  /// Whether its client may be given one more message at this QoS now.
  bool may_send(const Client& client, QoS qos) const;
  bool is_waiting(const Client& client) const;

  // connect.cpp
  void connect(Client& client, const Frame& frame);
  void refuse_connect(Client& client, const Frame& frame, const Refusal& refusal);
  void refuse_login(Client& client, bool with_credentials);
  /// CONNACK with a reason, then the end; no CONNACK if 3.1.1 has no code for it.
  void reject(Client& client, Reason reason, std::string_view detail);
  std::optional<Refusal> refused_will(const document::Principal& principal, const Will& will) const;
  std::optional<Refusal> refused_client_id(const Connect& connect) const;
  void welcome(Client& client, const Connect& connect, LoggedIn login);
  std::uint16_t keep_alive_of(const Connect& connect) const;
  Clock::duration expiry_of(std::uint32_t seconds) const;
  Session::Will will_of(const Will& will, std::uint64_t publisher) const;

  // packets.cpp
  void handle(Client& client, const Frame& frame);
  void on(Client& client, Publish& publish);
  Reason publish(Client& client, const Publish& publish);
  bool cannot_keep(const Publish& publish) const;
  void refuse_to_keep(Client& client, const Publish& publish);
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
  /// A filter that the session may subscribe to; nothing for a malformed share.
  std::optional<Session::Own> own_filter(const Session& session, std::string_view filter) const;
  std::vector<Session::Own>::iterator find_own(Session& session, std::string_view filter) const;
  /// The client has acknowledged it to the end: if it was sent on this connection, one more may be.
  void complete(Client& client, const Inflight::Sent& sent);
  Reason subscribe(Client& client, const Subscribe::Request& request,
                   const IdentifiersPtr& identifiers);
  bool unsubscribe(Session& session, std::string_view filter);

  // routing.cpp
  void apply_newest(const document::Commit& commit);
  void apply_newest(Session& session, const document::SessionChange& change,
                    document::Revision revision);
  /// What was announced up to here may be judged with the session as it was at this revision.
  void apply_edits(Session& session, document::Revision revision);
  void match();
  std::size_t route(const document::Change& change, const document::FeedPlace& place);
  /// False if it is to be heard later, or by another member of its group.
  /// @param shared  by a shared subscription: then it is for this session alone to tell
  bool route(const Subscriptions::Subscriber& match, bool shared, Session& session,
             const document::Change& change, const document::FeedPlace& place,
             PublicationPtr& publication);
  void end_commit();
  void lose_place();
  /// Whether anyone had a subscription for it.
  bool route(const PublicationPtr& publication, QoS qos, std::optional<SubscriberNumber> publisher);
  /// Queues what a client has published; without room at QoS 1 and 2 the receiver is disconnected.
  void push(Session& session, Message message);
  /// The same for an announcement; false if there is no room.
  bool push_announcement(Session& session, Message message);
  /// Keeps a retained message; false if there is no room.
  bool retain(const PublicationPtr& publication);
  std::vector<SubscriberNumber> sessions_of(const std::string& session_id) const;

  // catch_up.cpp
  void fall_behind(Session& session, const document::FeedPlace& place);
  /// Queues what the client is to hear next, if it has read what was before. @param changes  how
  /// many may still be looked at in this turn; what was is taken off
  void catch_up(Client& client, std::size_t& changes);
  bool offer(Session& session, const document::Change& change, const FeedPosition& position);
  void rejoin(Session& session);

  const Limits limits_;
  const Login login_;
  const FailedLogin failed_login_;
  const HasUnread has_unread_;
  Warnings<Warning> warnings_;
  Figures figures_;

  Clock::time_point now_;  // of the call that is being served
  Timeline timeline_;
  // When clients and sessions are to be looked at. What has become of one since is told by its
  // `check_at`: a key that comes back at another time has been overtaken.
  TimerWheel<ConnectionId> client_checks_;
  TimerWheel<SubscriberNumber> session_checks_;

  // Clients by their place in a table; a place is used again, with another upper half of the id.
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::uint32_t> free_places_;
  std::uint32_t accepted_ = 0;
  std::vector<ConnectionId> named_;  // for the next `attention`

  std::vector<std::unique_ptr<Session>> sessions_;  // by number
  std::vector<SubscriberNumber> free_numbers_;
  std::unordered_map<std::string_view, Session*> by_key_;
  std::unordered_map<std::string, std::vector<SubscriberNumber>> by_session_;  // of Doctor
  std::size_t away_ = 0;  // sessions without a client
  // A session may end while a message is on its way to it, and its will may go to anyone.
  std::vector<std::unique_ptr<Session>> ended_;
  std::vector<DueWill> due_wills_;

  // What stands under `$SYS/broker/`, by name, and since when; no version: nothing does.
  std::string version_;
  Clock::time_point started_;
  Clock::time_point next_figures_;
  std::unordered_map<std::string, std::string> figures_told_;

  Subscriptions subscriptions_;
  Retained retained_;
  std::vector<PublicationPtr> retained_read_;

  State state_;
  std::vector<SubscriberNumber> changed_records_;               // of sessions
  std::size_t kept_ = 0;                                        // sessions with a record
  std::uint64_t asks_before_ = 0;                               // the packet that is being handled
  std::deque<std::pair<std::uint64_t, ConnectionId>> waiting_;  // for a batch, in order
  FeedPosition progress_;                                       // as last taken
  Clock::time_point next_progress_;

  document::Feed feed_;
  document::FeedPlace place_;              // of what is matched next for those who are not behind
  std::vector<SubscriberNumber> touched_;  // whom the commit that is being matched has matched
  std::vector<ConnectionId> looking_;  // behind, and to go on without having been given anything
  std::size_t catching_up_ = 0;        // sessions that are, with a client
  Subscriptions::Matches matches_;
};

}  // namespace doctor::mqtt
