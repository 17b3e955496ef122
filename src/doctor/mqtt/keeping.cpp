#include <algorithm>

#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/topic.hpp"

// What outlives the process leaves it as records. A session's own record and how far commits have
// been matched are made when a batch is taken; all others as things change. A message that was
// announced is in the commit log, so it gets a record only once it is sent; until then the
// session's place in the feed stands for it.
namespace doctor::mqtt {
namespace {

// How often progress is recorded while nothing else changes.
constexpr std::chrono::seconds progress_interval{10};

std::uint32_t seconds_of(Clock::duration time) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

std::string identifiers_of(const IdentifiersPtr& identifiers) {
  return identifiers ? identifiers->properties() : std::string();
}

QueuedRecord queued_record(const Message& message, std::uint64_t publication) {
  QueuedRecord record;
  record.qos = message.qos;
  record.retain = message.retain;
  record.commit_end = message.commit_end;
  record.message = publication;
  record.identifiers = identifiers_of(message.identifiers);
  return record;
}

}  // namespace

bool Broker::Impl::is_kept(const Session& session) const {
  return session.record != 0 && session.expiry != Clock::duration{};
}

void Broker::Impl::keep(Session& session) {
  if (session.record == 0) {
    session.record = state_.new_number();
    ++kept_;
    if (session.principal.session) {
      session.permission_records.push_back(session.since);
      state_.create({RecordKind::permissions, session.record, session.since.value},
                    session.principal.session->permissions.text());
    }
  }
  touch(session);
  state_.ask();
}

void Broker::Impl::forget(Session& session) {
  if (session.record == 0) return;
  for (Session::Own& own : session.filters) {
    forget_subscription(session, own);
    own.record = 0;
  }
  for (const document::Revision revision : session.permission_records) {
    state_.erase({RecordKind::permissions, session.record, revision.value});
  }
  for (const Message& message : session.outbox) forget_message(session, message);
  session.inflight.for_each(
      [&](const Inflight::Sent& sent) { forget_message(session, sent.message); });
  // For its will it may get a record again.
  session.outbox.forget_records();
  session.inflight.forget_records();
  state_.erase({RecordKind::session, session.record, 0});
  state_.ask();
  session.permission_records.clear();
  session.record = 0;
  --kept_;
}

void Broker::Impl::touch(Session& session) {
  if (session.record == 0 || session.record_changed) return;
  session.record_changed = true;
  changed_records_.push_back(session.number);
}

void Broker::Impl::keep_permissions(Session& session, const document::SessionChange& change,
                                    document::Revision revision) {
  if (session.record == 0) return;
  const auto& newest =
      session.edits.empty() ? session.matched.session : session.edits.back().session;
  if (newest->permissions == change.session->permissions) return;
  session.permission_records.push_back(revision);
  state_.create({RecordKind::permissions, session.record, revision.value},
                change.session->permissions.text());
  state_.ask();
}

void Broker::Impl::keep_subscription(Session& session, Session::Own& own) {
  if (!is_kept(session)) return;
  const Subscriptions::Subscriber& subscriber = *subscriptions_.find(session.number, own.key());
  const std::string value =
      SubscriptionRecord{own.filter, subscriber.options, identifiers_of(subscriber.identifiers)}
          .bytes();
  const bool is_new = own.record == 0;
  if (is_new) own.record = state_.new_number();
  const RecordKey key{RecordKind::subscription, session.record, own.record};
  is_new ? state_.create(key, value) : state_.replace(key, value);
  touch(session);
  state_.ask();
}

void Broker::Impl::forget_subscription(Session& session, const Session::Own& own) {
  if (own.record == 0) return;
  state_.erase({RecordKind::subscription, session.record, own.record});
  touch(session);
  state_.ask();
}

void Broker::Impl::keep_waiting(Session& session, Message& message) {
  if (!is_kept(session) || message.qos == QoS::at_most_once) return;
  message.record = state_.new_number();
  const std::uint64_t publication = state_.hold(message.publication, timeline_);
  state_.create({RecordKind::queued, session.record, message.record},
                queued_record(message, publication).bytes());
  touch(session);
  state_.ask();
}

void Broker::Impl::keep_sent(Session& session, const Inflight::Sent& sent) {
  const Message& message = sent.message;
  QueuedRecord record = queued_record(message, state_.number_of(message.publication));
  record.stage = QueuedRecord::Stage::sent;
  record.sent = sent.number;
  state_.replace({RecordKind::queued, session.record, message.record}, record.bytes());
  touch(session);
  state_.ask();
}

void Broker::Impl::keep_received(Session& session, const Inflight::Sent& sent) {
  const Message& message = sent.message;
  if (message.record == 0) return;
  QueuedRecord record = queued_record(message, 0);
  record.stage = QueuedRecord::Stage::received;
  record.sent = sent.number;
  state_.replace({RecordKind::queued, session.record, message.record}, record.bytes());
  state_.release(message.publication);
  state_.ask();
}

void Broker::Impl::forget_message(Session& session, const Message& message) {
  if (message.record == 0) return;
  state_.erase({RecordKind::queued, session.record, message.record});
  if (message.publication) state_.release(message.publication);
  state_.ask();
}

void Broker::Impl::keep_retained(const PublicationPtr& publication,
                                 std::optional<std::uint64_t> kept) {
  if (is_reserved(publication->topic())) return;  // our own figures
  if (kept) {
    std::string value;
    append_eight_bytes(value, *kept);
    const std::uint64_t number = state_.hold(publication, timeline_);
    state_.create({RecordKind::retained, number, 0}, std::move(value));
  } else if (const std::uint64_t number = state_.number_of(publication)) {
    state_.erase({RecordKind::retained, number, 0});
    state_.release(publication);
  }
  state_.ask();
}

// Where the session would have to read on if nothing of its queue but what has records were left;
// nothing: where all others do.
std::optional<FeedPosition> Broker::Impl::position_of(const Session& session) const {
  const auto announced =
      std::find_if(session.outbox.begin(), session.outbox.end(), [](const Message& message) {
        return message.record == 0 && message.qos != QoS::at_most_once &&
               !message.publication->is_of_client();
      });
  if (announced != session.outbox.end()) return announced->publication->position();
  if (!session.catching_up) return std::nullopt;
  const document::FeedPlace& place = session.catching_up->place;
  return FeedPosition{place.revision, place.index};
}

SessionRecord Broker::Impl::record_of(const Session& session) const {
  SessionRecord record;
  record.key = session.key;
  record.since = session.since;
  record.expiry = seconds_of(session.expiry);
  if (session.client == nullptr) record.ends = timeline_.wall_of(session.ends_at);
  record.place = position_of(session);
  record.next_sent = session.inflight.next();
  record.received.assign(session.received.begin(), session.received.end());
  if (session.will) {
    SessionRecord::Will will;
    will.delay = seconds_of(session.will->delay);
    if (session.client == nullptr) will.due = timeline_.wall_of(session.will_at);
    session.will->publication->store(timeline_, will.publication);
    record.will = std::move(will);
  }
  for (const Session::RetainedReading& reading : session.retained) {
    record.readings.push_back(
        {reading.subscription, reading.position.kept_before, reading.position.after});
  }
  return record;
}

// Permissions that no change will be judged with any more.
void Broker::Impl::prune_permissions(Session& session) {
  auto& all = session.permission_records;
  const document::Revision reached = position_of(session).value_or(progress_).revision;
  while (all.size() > 1 && all[1] <= reached) {
    state_.erase({RecordKind::permissions, session.record, all[0].value});
    all.erase(all.begin());
  }
}

std::optional<StateBatch> Broker::Impl::take_state() {
  const FeedPosition reached{place_.revision, place_.index};
  const bool is_due = kept_ > 0 && now_ >= next_progress_ &&
                      (reached != progress_ || !changed_records_.empty() || !state_.is_empty());
  if (!state_.is_asked() && !is_due) return std::nullopt;
  next_progress_ = now_ + progress_interval;
  progress_ = reached;
  for (const SubscriberNumber number : changed_records_) {
    Session* session = session_of(number);
    if (session == nullptr || !session->record_changed) continue;
    session->record_changed = false;
    if (session->record == 0) continue;
    prune_permissions(*session);
    state_.replace({RecordKind::session, session->record, 0}, record_of(*session).bytes());
  }
  changed_records_.clear();
  state_.replace({RecordKind::progress, 0, 0}, Progress{progress_}.bytes());
  return state_.take();
}

void Broker::Impl::persisted(std::uint64_t batch, Clock::time_point now) {
  now_ = now;
  state_.durable(batch);
  for (; !waiting_.empty() && waiting_.front().first <= batch; waiting_.pop_front()) {
    Client* client = find(waiting_.front().second);
    if (client == nullptr) continue;
    client->moved_at = now;
    mark(*client);
  }
}

}  // namespace doctor::mqtt
