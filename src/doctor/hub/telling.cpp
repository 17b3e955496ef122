#include <algorithm>
#include <utility>

#include "doctor/hub/hub_impl.hpp"

// Events: those about documents, those of Doctor, and what is kept of those that clients send.
namespace doctor::hub {
namespace {

// Changes that are told of in one call: others wait meanwhile. Fewer if many hear of them.
constexpr std::size_t changes_a_turn = 2'000;
constexpr std::size_t changes_a_turn_min = 20;
constexpr std::size_t messages_a_turn = 20'000;

std::size_t memory_of(const Event& event) {
  return sizeof(Event) + event.id.size() + event.params.size();
}

}  // namespace

void Hub::Impl::set_revision(document::Revision revision) {
  feed_.begin_after(revision);
  place_ = feed_.end();
}

void Hub::Impl::announce(std::span<const document::CommitPtr> commits, Clock::time_point now) {
  const bool was_behind = unfinished();
  for (const document::CommitPtr& commit : commits) {
    feed_.add(commit);
    if (!was_behind) advance(now);
    if (!commit->sessions.empty()) broker_.sessions_changed(commit->sessions, now);
  }
}

void Hub::Impl::advance(Clock::time_point now) {
  for (std::size_t done = 0; unfinished() && done < changes_a_turn;) {
    if (!has_listeners()) {
      place_ = feed_.end();
      break;
    }
    const auto stretch = feed_.read(place_, changes_a_turn - done);
    if (!stretch) {
      lose_place(now);
      break;
    }
    const std::size_t told = tell(stretch->changes, place_.revision, now);
    document::Feed::pass(place_, *stretch, told);
    if (told < stretch->changes.size()) break;
    done += told + 1;
  }
  feed_.forget_before(place_.revision);
}

bool Hub::Impl::has_listeners() const {
  const auto& names = events_.names();
  return settings_.document_events &&
         std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return broker_.is_heard(name); });
}

std::size_t Hub::Impl::tell(std::span<const document::Change> changes, document::Revision revision,
                            Clock::time_point now) {
  std::size_t told = 0;
  std::size_t messages = 0;
  for (const document::Change& change : changes) {
    const Event event = document_event(change, revision, now);
    stomp::Routing routing = to_events(event.id, stomp::Reach::subject_readers);
    routing.subject = stomp::Subject{change.collection, change.id};
    messages += broker_.publish(message_of(event, events_.names().front()), routing, now);
    if (++told >= changes_a_turn_min && messages >= messages_a_turn) break;
  }
  figures_.document_events += told;
  return told;
}

// More was announced than the commit log holds, before it was told: nobody can be told what.
void Hub::Impl::lose_place(Clock::time_point now) {
  ++figures_.document_events_lost;
  warnings_.warn(Warning::lost_events,
                 "STOMP: changes left the commit log before there were events of them "
                 "(events_backlog_bytes, log_size)",
                 now);
  place_ = feed_.end();
  stomp::Routing routing;
  routing.destinations = events_.names();
  routing.reach = stomp::Reach::subscribers;  // and none of them filters it out
  broker_.publish(message_of(lost_event(feed_.newest(), now), events_.names().front()), routing,
                  now);
}

stomp::Routing Hub::Impl::to_events(const std::string& id, stomp::Reach reach) const {
  stomp::Routing routing;
  routing.destinations = events_.names();
  routing.reach = reach;
  routing.events = {id};
  return routing;
}

void Hub::Impl::publish(const Event& event, Clock::time_point now) {
  broker_.publish(message_of(event, events_.names().front()),
                  to_events(event.id, stomp::Reach::all_readers), now);
}

void Hub::Impl::keep(Event event) {
  if (!keeps_events_) return;
  kept_bytes_ += memory_of(event);
  kept_.push_back(std::move(event));
  while (kept_.size() > limits_.events_waiting || kept_bytes_ > limits_.events_waiting_bytes) {
    kept_bytes_ -= memory_of(kept_.front());
    kept_.pop_front();
    ++figures_.events_not_kept;
  }
}

std::deque<Event> Hub::Impl::take_events() {
  kept_bytes_ = 0;
  return std::exchange(kept_, {});
}

}  // namespace doctor::hub
