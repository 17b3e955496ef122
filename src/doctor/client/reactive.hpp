#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "doctor/client/event.hpp"
#include "doctor/client/expected.hpp"

// Publisher, Subscriber and Subscription as in Reactive Streams, for events;
// docs/reactive-streams.md goes through its rules.
namespace doctor::client {

/// What a subscriber steers its events with. Any thread, also from inside a signal; nothing here
/// blocks or calls the subscriber back before it returns.
class Subscription {
 public:
  virtual ~Subscription() = default;

  /// Asks for `n` more events, on top of those asked for before; beyond 2^63-1 in total there is no
  /// bound. With n <= 0 the subscription ends with on_error.
  virtual void request(std::int64_t n) = 0;

  /// Ends it: what waits is forgotten, no further event comes. A signal that is running on another
  /// thread finishes. Cancelling again, or after the end, does nothing.
  virtual void cancel() = 0;
};

/// Gets signals, one at a time, in order: on_subscribe once, then events, never more than were
/// asked for, then at most one of on_error and on_complete, which is the end. Signals come on the
/// library's threads, but for on_subscribe, which comes inside Publisher::subscribe. They should
/// return soon: a subscriber that takes long holds up those that share its thread.
///
/// What a signal throws is caught and counted, and the event that it was called with is taken for
/// handled. A throw from on_subscribe ends the subscription with on_error.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  virtual void on_subscribe(std::shared_ptr<Subscription> subscription) = 0;
  virtual void on_next(const Event& event) = 0;
  virtual void on_error(const Error& failure) = 0;
  /// No event comes any more: the client was closed, or the subscription was cancelled. (Reactive
  /// Streams is silent after a cancel: see SubscriptionOptions::complete_on_cancel.)
  virtual void on_complete() = 0;
};

/// Events may have been lost: those between the end of one connection and the next.
struct Gap {
  std::chrono::milliseconds
      duration{};  ///< from the loss, or the first failure, to the reconnection
};

/// A subscriber that also hears of its connection. These signals come ahead of events that wait and
/// take nothing of what was asked for.
class EventSubscriber : public Subscriber {
 public:
  /// The connection was lost, or cannot be made. Told once until it is there again, also to those
  /// who subscribe meanwhile; the library goes on trying.
  virtual void on_disconnect(const Error& reason) = 0;
  /// The connection is there again, and all subscriptions with it. What the events of the meantime
  /// would have told must be asked for.
  virtual void on_reconnect(const Gap& gap) = 0;
  /// The oldest `count` events that waited were dropped to keep within SubscriptionOptions; told
  /// before the next event.
  virtual void on_dropped(std::uint64_t count) = 0;
};

/// Gives its events to any number of subscribers, each with its own demand and its own buffer.
/// Any thread.
class Publisher {
 public:
  virtual ~Publisher() = default;

  /// Events that arrive from now on. A null pointer is ignored. The same subscriber given twice
  /// gets two subscriptions. One that is no EventSubscriber is made one by `lenient`.
  virtual void subscribe(std::shared_ptr<Subscriber> subscriber) = 0;
};

/// Makes of a lost connection an on_error that is not the end, as oVirt's Java client does: the
/// subscription lives on. Reconnections and drops are not told.
std::shared_ptr<EventSubscriber> lenient(std::shared_ptr<Subscriber> subscriber);

/// Makes of a lost connection, and of dropped events, the on_error that is the end, as Reactive
/// Streams has it: whoever hears nothing has missed nothing.
std::shared_ptr<EventSubscriber> strict(std::shared_ptr<Subscriber> subscriber);

}  // namespace doctor::client
