#include "doctor/client/flow.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace doctor::client {
namespace {

constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t hand_octets_max = 1u << 20;
// After so many events others that share the thread come first.
constexpr int turn = 1024;
// A subscriber that does not return for many outages hears of the last ones.
constexpr std::size_t notices_max = 4;

}  // namespace

Flow::Flow(std::shared_ptr<EventSubscriber> subscriber, const SubscriptionOptions& options,
           std::shared_ptr<Deliveries> deliveries, Hooks hooks)
    : options_(options),
      deliveries_(std::move(deliveries)),
      hooks_(std::move(hooks)),
      subscriber_(std::move(subscriber)) {}

void Flow::start() {
  runner_ = std::this_thread::get_id();
  if (!signal([&] { subscriber_->on_subscribe(shared_from_this()); })) {
    end(End::failed, error(Code::internal, "on_subscribe threw"));
  }
  runner_ = std::thread::id();
  {
    const std::scoped_lock lock(mutex_);
    scheduled_ = false;
    if (!post_if_due()) return;
  }
  deliveries_->post(shared_from_this());
}

void Flow::request(std::int64_t n) {
  if (n <= 0) {
    return end(End::failed, error(Code::invalid_argument,
                                  "request(" + std::to_string(n) +
                                      "): Reactive Streams 3.9 wants a positive number"));
  }
  std::int64_t before = demand_.load();
  while (!demand_.compare_exchange_weak(before, n > unbounded - before ? unbounded : before + n)) {
  }
  if (is_runner()) return;  // it looks again
  wake();
}

void Flow::cancel() {
  end(End::cancelled, {});
}

void Flow::end(End how, Error failure) {
  Ring<Event> forgotten;
  bool due = false;
  {
    const std::scoped_lock lock(mutex_);
    if (end_ != End::none) return;
    end_ = how;
    failure_ = std::move(failure);
    std::swap(forgotten, inbox_);
    inbox_octets_ = 0;
    full_ = false;
    attention_ = true;
    due = post_if_due();
  }
  if (due) deliveries_->post(shared_from_this());
  hooks_.ended();
}

void Flow::push(Event event) {
  Event spent;  // freed without the lock
  const std::scoped_lock lock(mutex_);
  if (end_ != End::none) return;
  if (!spent_.empty()) {
    spent = std::move(spent_.back());
    spent_.pop_back();
  }
  inbox_octets_ += event.size();
  inbox_.push_back(std::move(event));
  while (waiting() > options_.max_events || octets() > options_.max_octets) drop_oldest();
  if (options_.overflow == Overflow::pause &&
      (waiting() >= options_.max_events || octets() >= options_.max_octets)) {
    full_ = true;
  }
}

void Flow::wake() {
  {
    const std::scoped_lock lock(mutex_);
    if (!post_if_due()) return;
  }
  deliveries_->post(shared_from_this());
}

void Flow::disconnected(Error reason) {
  notify(std::move(reason));
}

void Flow::reconnected(Gap gap) {
  notify(gap);
}

void Flow::notify(Notice notice) {
  {
    const std::scoped_lock lock(mutex_);
    if (end_ != End::none) return;
    // They come in turn: without the first two the rest is still in turn.
    if (notices_.size() == notices_max) notices_.erase(notices_.begin(), notices_.begin() + 2);
    notices_.push_back(std::move(notice));
    attention_ = true;
    if (!post_if_due()) return;
  }
  deliveries_->post(shared_from_this());
}

void Flow::purge(Clock::time_point now) {
  bool room = false;
  std::vector<Event> spent;
  {
    const std::scoped_lock lock(mutex_);
    spent.swap(spent_);
    drop_aged(now);
    room = made_room();
  }
  if (room) hooks_.room();
}

std::uint64_t Flow::dropped() {
  const std::scoped_lock lock(mutex_);
  return dropped_ + (hand_left_.load() - in_hand());
}

// Under the lock: whether the caller must post the flow.
bool Flow::post_if_due() {
  if (scheduled_ || finished_) return false;
  const bool has_event = !inbox_.empty() || hand_left_.load() > 0;
  if (!attention_.load() && !(has_event && demand_.load() > 0)) return false;
  scheduled_ = true;
  return true;
}

void Flow::run() {
  runner_ = std::this_thread::get_id();
  for (int given = 0; given < turn;) {
    if (attention_.load(std::memory_order_acquire)) {
      if (!attend()) return;
    } else if (demand_.load() > 0 && (hand_left_.load(std::memory_order_relaxed) > 0 || refill())) {
      give_next();
      ++given;
    } else if (rest()) {
      return;
    }
  }
  runner_ = std::thread::id();
  deliveries_->post(shared_from_this());
}

// What came beside the events. False: that was the end.
bool Flow::attend() {
  End how = End::none;
  Error failure;
  std::optional<Notice> notice;
  std::vector<Event> spent;
  bool room = false;
  {
    const std::scoped_lock lock(mutex_);
    attention_ = false;
    const std::size_t left = hand_left_.load(std::memory_order_relaxed);
    if (left > hand_keeps_) {
      const std::size_t excess = left - hand_keeps_;
      std::fill_n(hand_.begin() + static_cast<std::ptrdiff_t>(hand_at_), excess, Event());
      hand_at_ += excess;
      hand_left_.store(hand_keeps_, std::memory_order_release);
      dropped_ += excess;
      untold_ += excess;
    }
    to_tell_ += std::exchange(untold_, 0);
    if (end_ != End::none) {
      how = end_;
      failure = std::move(failure_);
      finished_ = true;
      hand_left_ = 0;
      spent.swap(spent_);
    } else if (!notices_.empty()) {
      notice = std::move(notices_.front());
      notices_.erase(notices_.begin());
      attention_ = !notices_.empty();
    }
    room = made_room();
  }
  if (room) hooks_.room();
  if (how != End::none) {
    finish(how, failure);
    return false;
  }
  if (!notice) return true;
  if (const auto* reason = std::get_if<Error>(&*notice)) {
    signal([&] { subscriber_->on_disconnect(*reason); });
  } else {
    signal([&] { subscriber_->on_reconnect(std::get<Gap>(*notice)); });
  }
  return true;
}

void Flow::finish(End how, const Error& failure) {
  hand_.clear();
  if (how == End::failed) {
    signal([&] { subscriber_->on_error(failure); });
  } else if (how == End::completed || options_.complete_on_cancel) {
    signal([&] { subscriber_->on_complete(); });
  }
  subscriber_.reset();
  runner_ = std::thread::id();
}

// Takes a handful out of the inbox. False: there is none.
bool Flow::refill() {
  bool room = false;
  bool filled = false;
  std::vector<Event> spent;
  {
    const std::scoped_lock lock(mutex_);
    spent = give_back();
    drop_aged(deliveries_->now());
    std::size_t octets = 0;
    while (!inbox_.empty() && hand_.size() < hand_max && octets < hand_octets_max) {
      hand_.push_back(take_from_inbox());
      octets += hand_.back().size();
    }
    filled = !hand_.empty();
    for (std::size_t n = 1; n <= hand_.size(); ++n) {
      hand_octets_[n] = hand_octets_[n - 1] + hand_[hand_.size() - n].size();
    }
    hand_keeps_ = hand_.size();
    hand_left_ = hand_.size();
    room = made_room();
    to_tell_ += std::exchange(untold_, 0);
  }
  if (room) hooks_.room();
  return filled;
}

// False: there is something to do after all.
bool Flow::rest() {
  bool room = false;
  std::vector<Event> spent;
  {
    const std::scoped_lock lock(mutex_);
    const bool has_event = !inbox_.empty() || hand_left_.load() > 0;
    if (attention_.load() || (has_event && demand_.load() > 0)) return false;
    runner_ = std::thread::id();
    scheduled_ = false;
    if (hand_left_.load() == 0) spent = give_back();
    room = made_room();
  }
  if (room) hooks_.room();
  return true;
}

// Under the lock: leaves what was given out to the pusher, unless that still has some. Then it is
// the result, for the caller to free without the lock.
std::vector<Event> Flow::give_back() {
  std::vector<Event> left;
  if (!hand_.empty()) hand_.swap(spent_.empty() ? spent_ : left);
  hand_at_ = 0;
  return left;
}

// There is an event in the hand, and demand.
void Flow::give_next() {
  if (deliveries_->now() - hand_[hand_at_].arrived() > options_.max_age) {
    ++hand_at_;
    hand_left_.store(hand_.size() - hand_at_, std::memory_order_release);
    const std::scoped_lock lock(mutex_);
    ++dropped_;
    ++to_tell_;
    return;
  }
  if (to_tell_ > 0) {
    const std::uint64_t count = std::exchange(to_tell_, 0);
    signal([&] { subscriber_->on_dropped(count); });
    return;  // it may have cancelled
  }
  const Event& event = hand_[hand_at_++];
  hand_left_.store(hand_.size() - hand_at_, std::memory_order_release);
  if (demand_.load() != unbounded) demand_.fetch_sub(1);
  signal([&] { subscriber_->on_next(event); });
}

// A subscriber's exception must not end the thread that others share. False: there was one.
template <class Signal>
bool Flow::signal(Signal call) {
  try {
    call();
    return true;
  } catch (...) {
    hooks_.threw();
    return false;
  }
}

std::size_t Flow::in_hand() const {
  return std::min(hand_left_.load(std::memory_order_acquire), hand_keeps_);
}

void Flow::drop_oldest() {
  if (const std::size_t kept = in_hand(); kept > 0) {
    hand_keeps_ = kept - 1;
    attention_ = true;
    return;
  }
  take_from_inbox();
  ++dropped_;
  ++untold_;
}

void Flow::drop_aged(Clock::time_point now) {
  while (!inbox_.empty() && now - inbox_.front().arrived() > options_.max_age) {
    take_from_inbox();
    ++dropped_;
    ++untold_;
  }
}

Event Flow::take_from_inbox() {
  Event event = inbox_.pop_front();
  inbox_octets_ -= event.size();
  return event;
}

bool Flow::made_room() {
  if (!full_.load() || waiting() > options_.max_events / 2 || octets() > options_.max_octets / 2) {
    return false;
  }
  full_ = false;
  return true;
}

}  // namespace doctor::client
