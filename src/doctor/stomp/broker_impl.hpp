#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "doctor/stomp/broker.hpp"
#include "doctor/stomp/connection.hpp"
#include "doctor/stomp/destinations.hpp"
#include "doctor/stomp/warnings.hpp"

namespace doctor::stomp {

/// With `strict_destinations`, of a SEND.
inline constexpr Refusal unheard{Fault::protocol, "Subscription not available"};

/// The broker, by files: broker.cpp (connections, endings), connect.cpp (CONNECT), commands.cpp
/// (the frames after it), acknowledging.cpp (ACK, NACK), transactions.cpp, routing.cpp (who hears
/// what, overflow), delivery.cpp (what is written next), timing.cpp (heart-beats and time limits).
class Broker::Impl {
 public:
  Impl(const Limits& limits, Options options, Application& application,
       std::function<void(std::string_view)> log);

  ConnectionId accept(std::string peer, std::optional<std::string> certificate,
                      Clock::time_point now, Timestamp wall);
  void receive(ConnectionId connection, std::string_view bytes, Clock::time_point now,
               Timestamp wall);
  void closed(ConnectionId connection, Clock::time_point now);
  bool is_open(ConnectionId connection);
  std::size_t queued_bytes(ConnectionId connection);
  bool is_heard(std::string_view destination) const { return destinations_.hears(destination); }
  std::size_t publish(Message message, const Routing& routing, Clock::time_point now);
  std::size_t answer(const Answer& answer, Clock::time_point now);
  void sessions_changed(std::span<const document::SessionChange> changes, Clock::time_point now);
  void tick(Clock::time_point now, Timestamp wall);
  std::optional<Clock::time_point> wake() const { return wake_; }
  std::vector<Attention> attention();
  void output(ConnectionId connection, std::size_t max_bytes, std::string& out,
              Clock::time_point now);
  void taken(ConnectionId connection, Clock::time_point now);
  void shut_down();
  Figures figures() const;

 private:
  using Counter = std::uint64_t Figures::*;

  // broker.cpp
  Connection* find(ConnectionId connection);
  void mark(Connection& connection);
  void process(Connection& connection, std::string_view bytes);
  void note_partial(Connection& connection);
  /// ERROR, then the end. @param receipt  the header of the frame that is to blame
  void fail(Connection& connection, const Refusal& refusal,
            std::optional<std::string_view> receipt = std::nullopt);
  void end_with_error(Connection& connection, std::string_view message, Counter counter,
                      std::optional<Header> more = std::nullopt);
  void end_overflown(Connection& connection);
  /// Its subscriptions and transactions end at once; what is in the outbox but for messages is
  /// still written.
  void end(Connection& connection);
  void leave(Connection& connection);
  /// Queues a frame that is no message.
  void send(Connection& connection, Command command, std::initializer_list<Header> headers,
            std::string_view body = {});
  /// Before any call returns: ends whose outboxes overflowed, goes on with who was blocked.
  void settle();

  // connect.cpp
  void connect(Connection& connection, const RawFrame& raw);
  void hold(Connection& connection, const RawFrame& raw);
  void refuse_login(Connection& connection, bool with_credentials);
  void welcome(Connection& connection, const Frame& frame, document::Principal principal);

  // commands.cpp
  void handle(Connection& connection, const RawFrame& raw);
  Decoded<void> perform(Connection& connection, const Frame& frame);
  Decoded<void> send(Connection& connection, const Frame& frame);
  Decoded<void> subscribe(Connection& connection, const Frame& frame);
  Decoded<void> unsubscribe(Connection& connection, const Frame& frame);
  void end_subscription(Subscription& subscription);
  Decoded<std::string> destination_of(const Frame& frame, std::string_view missing) const;

  // acknowledging.cpp
  Decoded<void> acknowledge(Connection& connection, const Frame& frame);
  Decoded<Settlement> settlement_of(Connection& connection, const Frame& frame) const;
  void settle(const Settlement& settlement);

  // transactions.cpp
  Decoded<Transaction*> transaction_of(Connection& connection, const Frame& frame);
  Decoded<void> keep(Connection& connection, Transaction& transaction,
                     std::variant<Message, Settlement> frame);
  /// Takes an open transaction out; nothing if none has this name.
  std::optional<Transaction> close(Connection& connection, std::string_view name);
  Decoded<void> begin(Connection& connection, const Frame& frame);
  Decoded<void> commit(Connection& connection, const Frame& frame);
  Decoded<void> abort(Connection& connection, const Frame& frame);
  /// @return whether anybody heard it, or acts on it
  bool take_effect(Connection& connection, Message message);

  // routing.cpp
  /// Whether anybody would hear it, or act on it.
  bool would_be_heard(const Connection& connection, const Message& message);
  template <class Hear>
  void each_receiver(const Publication& publication, const Routing& routing, const Hear& hear);
  std::size_t deliver(const PublicationPtr& publication, const Routing& routing,
                      Connection* publisher);
  /// Queues a message for a subscription, or does what its policy says.
  bool offer(const SubscriptionPtr& subscription, const PublicationPtr& publication,
             Connection* publisher);
  void overflow(const SubscriptionPtr& subscription, Outbox::Entry entry, Connection* publisher);
  /// Drops what may be dropped until the entry fits, if it can.
  /// @return the bound that it passes all the same
  Bound make_room(Connection& connection, const Outbox::Entry& entry);
  Bound unacked_bound(const Subscription& subscription, const Publication& publication) const;
  void give_up(Connection& connection, Bound passed);
  void push(Connection& connection, Outbox::Entry entry);
  void drop(Subscription& subscription, Bound passed);
  void block(Connection& publisher, Connection& receiver);
  void unblock(Connection& receiver);
  void tell_of_dropped(Connection& connection);

  // delivery.cpp
  enum class Wrote : std::uint8_t { nothing, piece, frame };
  Wrote write_next(Connection& connection, std::string& out);
  Outbox::Entry* next_entry(Connection& connection);
  void write_head(Connection& connection, const Outbox::Entry& entry, std::string& out);
  void note_written(Connection& connection, bool is_frame);

  // timing.cpp
  void check_time(Connection& connection);
  void check_beats(Connection& connection);
  bool is_silent(Connection& connection, Clock::duration time);
  void check_owed(Connection& connection);

  Outbox::Bounds outbox_bounds() const {
    return {limits_.stomp_outbox_frames, limits_.stomp_outbox_bytes, limits_.stomp_outboxes_bytes};
  }

  const Limits limits_;
  const Options options_;
  Application& application_;
  Warnings<Warning> warnings_;
  Figures figures_;

  Clock::time_point now_;  // of the call that is being served
  Timestamp wall_;
  Clock::time_point next_check_;
  std::optional<Clock::time_point> wake_;

  Outboxes outboxes_;

  // Connections by their place in a table; a place is used again, with another upper half of the
  // id.
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_places_;
  std::uint32_t accepted_ = 0;
  std::size_t partial_bytes_ = 0;        // of frames that have come in part
  std::vector<ConnectionId> named_;      // for the next `attention`
  std::vector<ConnectionId> refusing_;   // logins whose answer waits
  std::vector<ConnectionId> owing_;      // lone LFs
  std::vector<ConnectionId> overflown_;  // to be ended
  std::vector<ConnectionId> unblocked_;  // with a stash

  Destinations destinations_;
  std::uint64_t last_serial_ = 0;
  std::uint64_t last_message_ = 0;
  std::uint64_t last_delivery_ = 0;
};

}  // namespace doctor::stomp
