#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "doctor/base/ring.hpp"
#include "doctor/base/time.hpp"
#include "doctor/client/deliveries.hpp"
#include "doctor/client/options.hpp"
#include "doctor/client/reactive.hpp"

namespace doctor::client {

/// One subscription: its buffer, its demand, and the order of its signals.
///
/// Three kinds of thread meet here. The one that reads the socket pushes events; whoever wants to
/// requests and cancels; and a delivery thread runs the flow, one at a time, which is what makes
/// the signals serial. The runner takes a handful of events under the lock at once and gives them
/// out by itself: so it does not meet the lock of the pusher at each event.
///
/// Those in the hand are still the oldest that wait. When some of them must be dropped, the pusher
/// notes how many the hand may keep, and the runner looks before it gives out the next one.
///
/// What was given out goes back to the pusher, which frees one for each event that it brings. It is
/// the one who allocates them: two threads in the same heap would wait for each other.
class Flow final : public Subscription, public Task, public std::enable_shared_from_this<Flow> {
 public:
  /// What a flow tells the owner of the socket; called on any thread, without the lock.
  struct Hooks {
    std::function<void()> ended;  ///< it takes no more events; once
    std::function<void()> room;   ///< it was full and is at most half full
    std::function<void()> threw;  ///< the subscriber did
  };

  Flow(std::shared_ptr<EventSubscriber> subscriber, const SubscriptionOptions& options,
       std::shared_ptr<Deliveries> deliveries, Hooks hooks);

  /// Calls on_subscribe, before any other signal; once.
  void start();

  void request(std::int64_t n) override;
  void cancel() override;

  /// Takes an event. It may be delivered at once, and will be after the next `wake`.
  void push(Event event);
  void wake();
  /// Signals ahead of the events that wait.
  void disconnected(Error reason);
  void reconnected(Gap gap);
  /// Drops what is too old, and frees what was given out.
  void purge(Clock::time_point now);
  /// Ends it with on_complete.
  void complete() { end(End::completed, {}); }
  /// Ends it with on_error.
  void fail(Error failure) { end(End::failed, std::move(failure)); }

  /// Whether another event would make it drop one, or have to pause; only with Overflow::pause.
  bool is_full() const { return full_.load(std::memory_order_relaxed); }
  std::uint64_t dropped();

  void run() override;

 private:
  enum class End : std::uint8_t { none, cancelled, completed, failed };
  using Notice = std::variant<Error, Gap>;
  static constexpr std::size_t hand_max = 256;

  bool is_runner() const { return runner_.load() == std::this_thread::get_id(); }
  void end(End how, Error failure);
  void notify(Notice notice);
  bool post_if_due();

  // The runner's steps.
  bool attend();
  void finish(End how, const Error& failure);
  bool refill();
  bool rest();
  std::vector<Event> give_back();
  void give_next();
  template <class Signal>
  bool signal(Signal call);

  // Under the lock.
  std::size_t in_hand() const;
  std::size_t waiting() const { return inbox_.size() + in_hand(); }
  std::size_t octets() const { return inbox_octets_ + hand_octets_[in_hand()]; }
  void drop_oldest();
  void drop_aged(Clock::time_point now);
  Event take_from_inbox();
  bool made_room();

  const SubscriptionOptions options_;
  const std::shared_ptr<Deliveries> deliveries_;
  const Hooks hooks_;

  std::atomic<std::int64_t> demand_{0};
  std::atomic<std::thread::id> runner_{};
  std::atomic<bool> attention_{false};     // a notice, an end, or a hand that must shrink
  std::atomic<bool> full_{false};          // changed under the lock
  std::atomic<std::size_t> hand_left_{0};  // written by the runner

  std::mutex mutex_;  // guards what follows, up to `finished_`
  Ring<Event> inbox_;
  std::size_t inbox_octets_ = 0;
  std::array<std::size_t, hand_max + 1> hand_octets_{};  // [n]: of the last n in the hand
  std::size_t hand_keeps_ = hand_max;                    // how many the hand may still have
  std::vector<Event> spent_;                             // given out, and not freed yet
  std::vector<Notice> notices_;
  std::uint64_t dropped_ = 0;
  std::uint64_t untold_ = 0;  // of these, what the runner has not seen yet
  End end_ = End::none;
  Error failure_;
  bool scheduled_ = true;  // posted, or running, or not started
  bool finished_ = false;  // nothing is signalled any more

  // The runner's own.
  std::shared_ptr<EventSubscriber> subscriber_;
  std::vector<Event> hand_;
  std::size_t hand_at_ = 0;
  std::uint64_t to_tell_ = 0;
};

}  // namespace doctor::client
