#include <limits>
#include <map>
#include <set>

#include "doctor/json/scanner.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {

/// All records of one session, by number.
struct Broker::Impl::KeptSession {
  SessionRecord record;
  std::map<std::uint64_t, SubscriptionRecord> subscriptions;
  std::map<std::uint64_t, QueuedRecord> queued;
  std::map<document::Revision, document::Permissions> permissions;
};

/// All records, decoded and found to fit each other.
struct Broker::Impl::Plan {
  FeedPosition progress;
  std::map<std::uint64_t, KeptSession> sessions;
  std::map<std::uint64_t, PublicationPtr> messages;
  std::map<std::uint64_t, std::uint64_t> retained;  // message: when it was kept
};

namespace {

constexpr Outbox::Bounds no_bounds{std::numeric_limits<std::size_t>::max(),
                                   std::numeric_limits<std::size_t>::max()};

// Nothing counts up to here.
constexpr std::uint64_t largest_number = 1ull << 60;

// Whether its numbers are such as its kind has.
bool has_right_numbers(const RecordKey& key) {
  const auto given = [](std::uint64_t number) { return number > 0 && number <= largest_number; };
  switch (key.kind) {
    case RecordKind::progress:
      return key.first == 0 && key.second == 0;
    case RecordKind::session:
    case RecordKind::message:
    case RecordKind::retained:
      return given(key.first) && key.second == 0;
    case RecordKind::subscription:
    case RecordKind::queued:
      return given(key.first) && given(key.second);
    case RecordKind::permissions:
      return given(key.first) && key.second <= largest_number;
  }
  return false;
}

// Whether it names a principal and a client id (`key_of` in connect.cpp).
bool is_session_key(std::string_view key) {
  const auto end = key.find('\0');
  if (end == std::string_view::npos) return false;
  return key[0] == 's' ? end > 1 : end == 1 && (key[0] == 'c' || key[0] == 'a');
}

Result<std::uint64_t> decode_number(std::string_view bytes) {
  Reader reader(bytes);
  const std::uint64_t number = reader.eight_bytes();
  if (reader.failed() || !reader.at_end()) return invalid("a number is not whole");
  return number;
}

Result<document::Permissions> decode_permissions(std::string_view text) {
  constexpr std::uint32_t levels = 2;  // ids in an object
  const auto value = json::compact(text, levels);
  if (!value) return value.error();
  return document::Permissions::parse(*value);
}

}  // namespace

Result<Broker::Impl::Plan> Broker::Impl::plan(std::span<const StateRecord> records) const {
  Plan plan;
  const auto put = [](auto& table, const auto& key, auto decoded) -> Result<void> {
    if (!decoded) return decoded.error();
    table[key] = std::move(*decoded);
    return {};
  };
  const auto read = [&](const RecordKey& key, std::string_view value) -> Result<void> {
    switch (key.kind) {
      case RecordKind::progress: {
        const auto progress = Progress::decode(value);
        if (!progress) return progress.error();
        plan.progress = progress->place;
        return {};
      }
      case RecordKind::session: {
        auto session = SessionRecord::decode(value);
        if (!session) return session.error();
        plan.sessions[key.first].record = std::move(*session);
        return {};
      }
      case RecordKind::permissions:
        return put(plan.sessions[key.first].permissions, document::Revision(key.second),
                   decode_permissions(value));
      case RecordKind::subscription:
        return put(plan.sessions[key.first].subscriptions, key.second,
                   SubscriptionRecord::decode(value));
      case RecordKind::queued:
        return put(plan.sessions[key.first].queued, key.second, QueuedRecord::decode(value));
      case RecordKind::message: {
        PublicationPtr publication = Publication::restored(value, timeline_);
        if (!publication) return invalid("a record of a message is not whole");
        plan.messages[key.first] = std::move(publication);
        return {};
      }
      case RecordKind::retained:
        return put(plan.retained, key.first, decode_number(value));
    }
    return invalid("a record of a kind that is not known");
  };
  for (const StateRecord& record : records) {
    const auto key = RecordKey::decode(record.key);
    if (!key) return key.error();
    if (!has_right_numbers(*key)) return invalid("a number that was never given");
    if (const auto done = read(*key, record.value.value_or(std::string())); !done) {
      return done.error();
    }
  }
  if (const auto fits = check(plan); !fits) return fits.error();
  return plan;
}

Result<void> Broker::Impl::check(const Plan& plan) const {
  const FeedPosition end{document::Revision(feed_.newest().value + 1), 0};
  if (plan.progress > end) return invalid("it is of later revisions than the store has");
  std::set<std::string_view> keys;
  for (const auto& [number, kept] : plan.sessions) {
    const SessionRecord& record = kept.record;
    if (!is_session_key(record.key)) return invalid("a session has no name");
    if (!keys.insert(record.key).second) return invalid("two sessions have one name");
    if (record.key.starts_with('s') == kept.permissions.empty()) {
      return invalid("permissions are of sessions of Doctor alone, and each has some");
    }
    if (record.place.value_or(plan.progress) > end) {
      return invalid("it is of later revisions than the store has");
    }
    std::set<std::uint64_t> sent;
    if (record.next_sent > largest_number) return invalid("a number that was never given");
    for (const auto& [_, queued] : kept.queued) {
      if (queued.sent > largest_number) return invalid("a number that was never given");
      const bool is_sent = queued.stage != QueuedRecord::Stage::waiting;
      if (is_sent && !sent.insert(queued.sent).second) {
        return invalid("two messages were sent under one number");
      }
      const bool has_message = queued.stage != QueuedRecord::Stage::received;
      if (has_message && !plan.messages.contains(queued.message)) {
        return invalid("a message that waits for a session is missing");
      }
    }
    for (const auto& [_, subscription] : kept.subscriptions) {
      if (!is_topic_filter(subscription.filter)) return invalid("a subscription has no filter");
    }
    if (record.will && !Publication::restored(record.will->publication, timeline_)) {
      return invalid("a will is not whole");
    }
  }
  for (const auto& [message, _] : plan.retained) {
    if (!plan.messages.contains(message)) return invalid("a retained message is missing");
  }
  return {};
}

Result<void> Broker::Impl::restore(std::span<const StateRecord> records, Clock::time_point now,
                                   Timestamp wall) {
  note_time(now, wall);
  const auto plan = this->plan(records);
  if (!plan) return plan.error();
  for (const auto& [number, publication] : plan->messages) state_.note_number(number);
  for (const auto& [number, kept_at] : plan->retained) {
    const PublicationPtr& publication = plan->messages.at(number);
    state_.adopt(publication, number);
    retained_.restore(publication, kept_at);
  }
  for (const auto& [number, kept] : plan->sessions) {
    state_.note_number(number);
    for (const auto& [record, _] : kept.subscriptions) state_.note_number(record);
    for (const auto& [record, _] : kept.queued) state_.note_number(record);
  }
  for (const auto& [number, kept] : plan->sessions) restore_session(*plan, number);
  for (const auto& [number, publication] : plan->messages) {
    if (state_.number_of(publication) == 0) state_.erase({RecordKind::message, number, 0});
  }
  // Some ended with their connections, and were kept for their wills; others' wills are due.
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i]) check_time(*sessions_[i]);
  }
  settle();
  state_.ask();
  return {};
}

// Who may still be what the session's key says; nothing: nobody.
std::optional<LoggedIn> Broker::Impl::principal_of(const std::string& key) const {
  using Kind = document::Principal::Kind;
  if (key[0] == 'c') return LoggedIn{{Kind::connector, nullptr}, feed_.newest()};
  Credentials credentials;
  if (key[0] == 's') {
    credentials.user_name = "session";
    credentials.password = key.substr(1, key.find('\0') - 1);
  }
  auto login = login_(credentials);
  const Kind kind = key[0] == 's' ? Kind::session : Kind::anyone;
  if (!login || login->principal.kind != kind) return std::nullopt;
  return login;
}

void Broker::Impl::restore_session(const Plan& plan, std::uint64_t number) {
  const KeptSession& kept = plan.sessions.at(number);
  const SessionRecord& record = kept.record;
  const auto login = principal_of(record.key);
  // An edit in the moment of the crash has left no record: what was announced before it cannot be
  // judged any more.
  const bool is_known =
      login && (!login->principal.session ||
                login->principal.session->permissions == kept.permissions.rbegin()->second);
  if (!is_known) return erase_records(number, kept);

  Session& session = make_session(record.key, *login);
  session.since = record.since;
  session.record = number;
  ++kept_;
  ++away_;
  session.expiry = std::chrono::seconds(record.expiry);
  session.ends_at = record.ends ? timeline_.time_of(*record.ends) : now_ + session.expiry;
  if (record.will) {
    session.will = {Publication::restored(record.will->publication, timeline_),
                    std::chrono::seconds(record.will->delay)};
    session.will_at =
        record.will->due ? timeline_.time_of(*record.will->due) : now_ + session.will->delay;
  }
  const FeedPosition position = record.place.value_or(plan.progress);
  if (session.principal.session) restore_permissions(session, kept, position.revision);
  restore_subscriptions(session, kept);
  fall_behind(session, {position.revision, static_cast<std::size_t>(position.index), {}, {}});
  restore_messages(session, plan, kept);
  session.received.insert(record.received.begin(), record.received.end());
  restore_readings(session, record);
  touch(session);
  arm(session);
}

void Broker::Impl::erase_records(std::uint64_t number, const KeptSession& kept) {
  ++figures_.sessions_ended_restart;
  state_.erase({RecordKind::session, number, 0});
  for (const auto& [record, _] : kept.subscriptions) {
    state_.erase({RecordKind::subscription, number, record});
  }
  for (const auto& [record, _] : kept.queued) state_.erase({RecordKind::queued, number, record});
  for (const auto& [revision, _] : kept.permissions) {
    state_.erase({RecordKind::permissions, number, revision.value});
  }
}

void Broker::Impl::restore_permissions(Session& session, const KeptSession& kept,
                                       document::Revision reached) {
  for (const auto& [revision, permissions] : kept.permissions) {
    auto as_it_was = std::make_shared<document::Session>(*session.principal.session);
    as_it_was->permissions = permissions;
    session.permission_records.push_back(revision);
    if (revision <= reached || session.permission_records.size() == 1) {
      session.matched.session = std::move(as_it_was);
    } else {
      session.edits.push_back({revision, std::move(as_it_was)});
    }
  }
}

void Broker::Impl::restore_subscriptions(Session& session, const KeptSession& kept) {
  for (const auto& [number, record] : kept.subscriptions) {
    auto own = own_filter(session, record.filter);
    if (!own) {  // of a standard that is stricter now
      state_.erase({RecordKind::subscription, session.record, number});
      continue;
    }
    own->record = number;
    subscriptions_.add({session.number, record.options, Identifiers::restored(record.identifiers)},
                       own->key());
    session.filters.push_back(std::move(*own));
  }
}

void Broker::Impl::restore_messages(Session& session, const Plan& plan, const KeptSession& kept) {
  std::map<std::uint64_t, Message> sent;
  std::map<std::uint64_t, bool> received;
  for (const auto& [number, record] : kept.queued) {
    Message message{nullptr,
                    record.qos,
                    record.retain,
                    record.commit_end,
                    Identifiers::restored(record.identifiers),
                    number};
    if (record.stage != QueuedRecord::Stage::received) {
      message.publication = plan.messages.at(record.message);
      state_.adopt(message.publication, record.message);
    }
    if (record.stage == QueuedRecord::Stage::waiting) {
      session.outbox.push(std::move(message), no_bounds);
    } else {
      sent[record.sent] = std::move(message);
      received[record.sent] = record.stage == QueuedRecord::Stage::received;
    }
  }
  for (auto& [number, message] : sent) {
    session.inflight.restore(number, std::move(message), received[number]);
  }
  session.inflight.set_next(std::max(session.inflight.next(), kept.record.next_sent));
}

void Broker::Impl::restore_readings(Session& session, const SessionRecord& record) {
  for (const SessionRecord::Reading& reading : record.readings) {
    for (const Session::Own& own : session.filters) {
      if (own.record != reading.subscription) continue;
      const auto* subscriber = subscriptions_.find(session.number, own.key());
      session.retained.push_back({own.filter,
                                  own.record,
                                  subscriber->options.qos,
                                  subscriber->options.no_local,
                                  subscriber->identifiers,
                                  {reading.after, reading.kept_before, false},
                                  session.outbox.pushed()});
    }
  }
}

}  // namespace doctor::mqtt
