#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doctor/base/time.hpp"
#include "doctor/mqtt/packet.hpp"

// Who hears what, said as plainly as it can be: lists that are looked through from their beginning.
// It shares no code with the broker. `visibility_property_test.cpp` holds the broker against it.
namespace doctor::mqtt::testing {

/// What a session of Doctor may read, and until when.
struct Allowed {
  bool everything = false;
  std::map<std::string, std::set<std::string>> ids;  ///< by collection; an empty set: all of it
  std::optional<Timestamp> expires;

  bool reads(const std::string& collection, const std::string& id) const {
    const auto found = ids.find(collection);
    return everything ||
           (found != ids.end() && (found->second.empty() || found->second.contains(id)));
  }

  std::string text() const {
    if (everything) return "\"*\"";
    std::string json;
    for (const auto& [collection, listed] : ids) {
      std::string list;
      for (const std::string& id : listed) list += (list.empty() ? "\"" : ",\"") + id + "\"";
      json += (json.empty() ? "\"" : ",\"") + collection + "\":";
      json += listed.empty() ? "\"*\"" : "[" + list + "]";
    }
    return "{" + json + "}";
  }
};

inline bool matches(const std::string& filter, const std::string& topic) {
  const auto levels = [](const std::string& text) {
    std::vector<std::string> all(1);
    for (const char c : text) {
      if (c == '/') {
        all.emplace_back();
      } else {
        all.back() += c;
      }
    }
    return all;
  };
  const auto wanted = levels(filter);
  const auto given = levels(topic);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;
    if (i == given.size() || (wanted[i] != "+" && wanted[i] != given[i])) return false;
  }
  return wanted.size() == given.size();
}

class Model {
 public:
  static constexpr std::uint64_t never = ~std::uint64_t{0};

  struct Change {
    std::string collection;
    std::string id;
    std::string topic;
    std::string payload;  // no other change has the same topic and payload
    std::uint64_t revision = 0;
  };

  /// What a client published.
  struct Post {
    std::string topic;
    std::string payload;  // no other post has the same, if it is not empty
    QoS qos{};
    bool retain = false;
    std::optional<std::uint32_t> seconds;  // Message Expiry Interval
    std::string publisher;                 // whose posts are heard in their order
    Clock::time_point expires = Clock::time_point::max();
  };

  struct Subscription {
    QoS qos{};
    bool no_local = false;
    bool as_published = false;
    std::optional<std::uint32_t> id;
    std::uint64_t since = never;  ///< every change after it is heard: as the SUBACK said
  };

  /// A message as a client hears it.
  struct Heard {
    std::string topic;
    std::string payload;
    QoS qos{};
    bool dup = false;
    bool retain = false;
    std::uint16_t packet_id = 0;
    std::multiset<std::uint32_t> ids;
    std::optional<std::uint32_t> expiry;
    std::optional<std::uint64_t> revision;
    bool commit_end = false;
  };

  struct Session {
    std::string key;        ///< names principal and client id
    std::string principal;  ///< "connector", or the id of a session of Doctor
    bool is_v5 = false;     ///< the client that is connected, as all to the next empty line
    bool connected = false;
    std::size_t receive_max = 0;
    std::uint64_t commit_ended = 0;
    bool delayed = false;   ///< what it hears may have been chosen for it some time ago
    bool restored = false;  ///< retained messages of QoS 0 may come again

    std::uint64_t since = 0;  ///< it hears changes after this revision
    std::uint64_t known = 0;  ///< the revision at which its permissions were read last
    Clock::duration expiry{};
    Clock::time_point ends_at;
    std::optional<Post> will;
    Clock::duration will_delay{};
    Clock::time_point will_at;

    std::map<std::string, Subscription> filters;
    std::vector<std::pair<std::string, std::uint64_t>> past;  ///< filters, until which revision
    std::uint64_t edited = 0;      ///< the revision at which its subscriptions changed last
    std::uint64_t away_until = 0;  ///< the revision at which a client came last

    struct Copy {
      Post post;
      QoS qos{};
      bool retain = false;
      std::multiset<std::uint32_t> ids;
      bool may_be_lost = false;
    };
    struct Reading {  ///< retained messages for a new subscription
      std::string filter;
      Subscription subscription;
      std::map<std::string, std::string> payloads;  ///< by topic
      bool may_be_lost = false;
    };
    struct Sent {  ///< at QoS 1 or 2 and not acknowledged to the end
      Heard message;
      const Change* change = nullptr;  ///< null: a client's
      bool on_this_connection = true;  ///< it, or its PUBREL
      bool takes_quota = true;
      bool received = false;  ///< PUBREC was sent
      bool released = false;  ///< and PUBREL came
      bool may_be_lost = false;
    };
    struct Due {
      const Change* change = nullptr;
      bool passed = false;  ///< once before, when it need not be heard
    };
    std::deque<Due> changes;  ///< that it may still hear, in their order
    std::deque<Due> passed;   ///< since the last one that it heard at QoS 1 or 2
    std::list<Copy> posts;
    std::vector<Reading> readings;
    std::deque<Sent> sent;
  };

  // What happens.

  Session& connect(const std::string& key, const std::string& principal, bool clean,
                   bool& present) {
    if (const auto found = sessions.find(key); found != sessions.end()) {
      if (found->second.connected) leave(key);  // taken over
    }
    if (clean && sessions.contains(key)) end(key);
    present = sessions.contains(key);
    Session& session = sessions[key];
    if (!present) {
      session.key = key;
      session.principal = principal;
      session.since = revision;
    }
    session.known = session.away_until = revision;
    session.connected = true;
    session.will.reset();
    session.commit_ended = 0;
    for (Session::Sent& sent : session.sent) {
      sent.on_this_connection = sent.takes_quota = sent.released = false;
    }
    judge(session);
    return session;
  }

  void leave(const std::string& key) {
    Session& session = sessions.at(key);
    session.connected = false;
    if (session.expiry == Clock::duration{}) return end(key);
    session.ends_at = now + session.expiry;
    session.will_at = now + session.will_delay;
    if (session.will && session.will_delay == Clock::duration{}) publish_will(session);
    for (Session::Copy& copy : session.posts) copy.may_be_lost |= copy.qos == QoS::at_most_once;
    for (Session::Reading& reading : session.readings) reading.may_be_lost = true;
  }

  /// The process is killed, all that had happened being on the disk, and started again.
  void crash() {
    for (auto& [key, session] : sessions) {
      session.delayed = session.restored = true;
      // How far the session had come without hearing anything may be forgotten.
      session.changes.insert(session.changes.begin(), session.passed.begin(), session.passed.end());
      session.passed.clear();
      for (Session::Copy& copy : session.posts) copy.may_be_lost |= copy.qos == QoS::at_most_once;
      for (Session::Reading& reading : session.readings) reading.may_be_lost = true;
      if (!std::exchange(session.connected, false)) continue;
      session.ends_at = now + session.expiry;
      session.will_at = now + session.will_delay;
    }
    pass({});
  }

  void end(const std::string& key) {
    publish_will(sessions.at(key));
    sessions.erase(key);
  }

  void subscribe(Session& session, const std::string& filter, Subscription subscription,
                 unsigned retain_handling) {
    const auto before = session.filters.find(filter);
    const bool is_new = before == session.filters.end();
    if (!is_new) subscription.since = before->second.since;
    session.filters[filter] = subscription;
    session.edited = revision;
    if (filter.starts_with("$share/")) return;
    if (retain_handling == 2 || (retain_handling == 1 && !is_new)) return;
    std::erase_if(session.readings, [&](const auto& reading) { return reading.filter == filter; });
    Session::Reading reading{filter, subscription, {}, !newest(session).everything};
    for (const auto& [topic, post] : retained) {
      const bool is_own = subscription.no_local && post.publisher == session.key;
      if (matches(filter, topic) && !is_own) reading.payloads[topic] = post.payload;
    }
    session.readings.push_back(reading);
  }

  void unsubscribe(Session& session, const std::string& filter) {
    if (session.filters.erase(filter) == 0) return;
    session.past.emplace_back(filter, revision);
    session.edited = revision;
    std::erase_if(session.readings, [&](const auto& reading) { return reading.filter == filter; });
  }

  /// A commit, durable: its changes and what it did to sessions of Doctor.
  void commit(const std::vector<Change>& commit,
              const std::map<std::string, std::optional<Allowed>>& edits) {
    ++revision;
    for (const auto& [id, allowed] : edits) history[id][revision] = allowed;
    for (Change change : commit) {
      change.revision = revision;
      const std::pair text(change.topic, change.payload);
      const Change* made = &changes_.emplace(text, std::move(change)).first->second;
      for (auto& [key, session] : sessions) session.changes.push_back({made});
    }
  }

  /// All commits were announced: what they did to sessions takes effect.
  void announce() {
    for (const auto& [id, states] : history) {
      for (auto state = states.upper_bound(announced); state != states.end(); ++state) {
        if (!state->second) {
          end_all([&](const Session& s) { return s.principal == id && s.since < state->first; });
        }
      }
    }
    announced = revision;
    for (auto& [key, session] : sessions) judge(session);
    settle();
  }

  void publish(Post post) {
    if (post.seconds) post.expires = now + std::chrono::seconds(*post.seconds);
    if (post.retain) {
      if (post.payload.empty()) {
        retained.erase(post.topic);
      } else {
        retained[post.topic] = post;
      }
    }
    for (auto& [key, session] : sessions) {
      Session::Copy copy{post, QoS::at_most_once, false, {}, session.posts.size() >= crowd};
      bool heard = false;
      for (const auto& [filter, subscription] : session.filters) {
        if (!matches(filter, post.topic)) continue;
        if (subscription.no_local && post.publisher == key) continue;
        heard = true;
        copy.qos = std::max(copy.qos, std::min(post.qos, subscription.qos));
        copy.retain |= post.retain && subscription.as_published;
        if (subscription.id) copy.ids.insert(*subscription.id);
      }
      if (!heard || !newest(session).everything) continue;
      if (!session.connected && copy.qos == QoS::at_most_once) continue;
      session.posts.push_back(std::move(copy));
    }
    if (!post.payload.empty()) posts_[post.payload] = std::move(post);
  }

  void pass(Clock::duration time) {
    now += time;
    wall.value += std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    end_all([&](const Session& session) {
      const auto expires = newest(session).expires;
      return (expires && *expires <= wall) || (!session.connected && session.ends_at <= now);
    });
    for (auto& [key, session] : sessions) {
      if (!session.connected && session.will_at <= now) publish_will(session);
    }
    settle();
  }

  /// Wills that have become due are heard by whoever is there after what made them due.
  void settle() {
    for (const Post& will : std::exchange(due_, {})) publish(will);
  }

  // What may be heard, and what must be. Each gives a complaint, empty if all is well.

  std::string hear(const std::string& key, const Heard& message) {
    Session& session = sessions.at(key);
    const bool again = std::any_of(session.sent.begin(), session.sent.end(), [&](const auto& s) {
      return s.message.packet_id == message.packet_id;
    });
    if (message.dup && again) return hear_again(session, message);
    // It was to be sent before, but the socket took nothing more.
    if (message.dup && !session.delayed) return "again, though it was not heard before";
    forget_lost(session);
    for (const Session::Sent& sent : session.sent) {
      if (!sent.on_this_connection) return "before what is to be sent again";
      if (message.packet_id == sent.message.packet_id && message.packet_id != 0) {
        return "a packet identifier that is in use";
      }
    }
    const auto change = changes_.find({message.topic, message.payload});
    const Change* changed = change == changes_.end() ? nullptr : &change->second;
    const bool shared =
        !session.filters.empty() && session.filters.begin()->first.starts_with("$share/");
    std::string complaint = shared               ? hear_in_group(session, changed, message)
                            : changed != nullptr ? hear_change(session, *changed, message)
                                                 : hear_post(session, message);
    if (!complaint.empty()) return complaint;
    if (message.qos == QoS::at_most_once) return {};
    session.sent.emplace_back();
    session.sent.back().message = message;
    session.sent.back().change = changed;
    return over_quota(session);
  }

  /// PUBREL came.
  std::string released(Session& session, std::uint16_t packet_id) {
    forget_lost(session, packet_id);
    for (Session::Sent& sent : session.sent) {
      if (sent.message.packet_id != packet_id) {
        if (!sent.on_this_connection) return "PUBREL before what is to be sent again first";
        continue;
      }
      if (!sent.received) return "PUBREL without PUBREC";
      sent.on_this_connection = sent.released = true;
      return {};
    }
    return "PUBREL of nothing";
  }

  /// Of a client that has taken all that it could be given.
  std::string missing(Session& session) {
    forget_lost(session);
    for (const Session::Sent& sent : session.sent) {
      if (!sent.on_this_connection) return "not sent again: " + sent.message.payload;
    }
    for (; !session.changes.empty(); session.changes.pop_front()) {
      const Session::Due& due = session.changes.front();
      if (due.change->revision > announced) break;
      if (must_hear(session, due)) return due.change->topic + " " + due.change->payload;
      session.passed.push_back({due.change, true});
    }
    for (; !session.posts.empty(); session.posts.pop_front()) {
      if (!may_be_lost(session.posts.front())) return session.posts.front().post.payload;
    }
    for (const Session::Reading& reading : session.readings) {
      for (const auto& [topic, payload] : reading.payloads) {
        const auto now_there = retained.find(topic);
        if (reading.may_be_lost || !newest(session).everything) continue;
        if (now_there == retained.end() || now_there->second.payload != payload) continue;
        if (now_there->second.expires > now) return "retained " + topic + " " + payload;
      }
    }
    session.readings.clear();
    session.delayed = session.restored = false;
    session.past.clear();
    return {};
  }

  std::map<std::string, Session> sessions;  ///< MQTT's, by principal and client id
  std::map<std::string, std::map<std::uint64_t, std::optional<Allowed>>> history;  ///< Doctor's
  std::map<std::string, Post> retained;
  std::uint64_t revision = 0;
  std::uint64_t announced = 0;
  Clock::time_point now;
  Timestamp wall;
  std::size_t crowd = 0;  ///< so many posts may wait for each without any being lost

 private:
  // What waits and is forbidden now may be lost, though it were allowed again later.
  void judge(Session& session) const {
    for (Session::Sent& sent : session.sent) {
      sent.may_be_lost |= !sent.on_this_connection && !sent.received && forbidden(session, sent);
    }
    if (newest(session).everything) return;
    for (Session::Copy& copy : session.posts) copy.may_be_lost = true;
    for (Session::Reading& reading : session.readings) reading.may_be_lost = true;
  }

  // A session of Doctor as it was from the commit with this revision on; there was one.
  const Allowed& as_of(const Session& session, std::uint64_t at) const {
    static const Allowed all{true, {}, {}};
    if (session.principal == "connector") return all;
    return *std::prev(history.at(session.principal).upper_bound(at))->second;
  }
  const Allowed& newest(const Session& session) const {
    return as_of(session, std::max(session.known, announced));
  }

  bool always_allowed(const Session& session, const Change& change) const {
    if (session.principal == "connector") return true;
    const auto& states = history.at(session.principal);
    for (auto state = std::prev(states.upper_bound(change.revision)); state != states.end();
         ++state) {
      if (state->second && !state->second->reads(change.collection, change.id)) return false;
    }
    return true;
  }

  bool must_hear(const Session& session, const Session::Due& due) const {
    const Change& change = *due.change;
    if (due.passed || change.revision > announced) return false;
    bool subscribed = false;
    bool acknowledges = false;
    for (const auto& [filter, subscription] : session.filters) {
      if (subscription.since >= change.revision || !matches(filter, change.topic)) continue;
      subscribed = true;
      acknowledges |= subscription.qos != QoS::at_most_once && session.edited < change.revision;
    }
    const bool was_away = change.revision <= session.away_until;
    return subscribed && (acknowledges || !was_away) && always_allowed(session, change);
  }

  bool may_be_lost(const Session::Copy& copy) const {
    return copy.may_be_lost || copy.post.expires <= now || copy.post.payload.empty();
  }

  std::string hear_change(Session& session, const Change& change, const Heard& message) {
    if (const auto wrong = not_for(session, change, message); !wrong.empty()) return wrong;
    std::multiset<std::uint32_t> ids;
    std::optional<QoS> granted;
    for (const auto& [filter, subscription] : session.filters) {
      if (!matches(filter, change.topic)) continue;
      granted = std::max(granted.value_or(QoS::at_most_once), subscription.qos);
      if (subscription.id) ids.insert(*subscription.id);
    }
    if (session.edited < change.revision && !session.delayed) {
      if (!granted) return "not subscribed to";
      if (message.qos != *granted) return "at another QoS than granted";
      if (session.is_v5 && message.ids != ids)
        return "with other identifiers than those of its subscriptions";
    } else if (!granted) {
      const bool was = std::any_of(session.past.begin(), session.past.end(), [&](const auto& p) {
        return p.second >= change.revision && matches(p.first, change.topic);
      });
      if (!was) return "not subscribed to";
    }
    for (; !session.changes.empty(); session.changes.pop_front()) {
      const Session::Due next = session.changes.front();
      if (next.change == &change) {
        session.changes.pop_front();
        if (message.qos != QoS::at_most_once) session.passed.clear();
        return {};
      }
      if (must_hear(session, next)) {
        return "without " + next.change->topic + " " + next.change->payload;
      }
      session.passed.push_back({next.change, true});
    }
    return "a second time, or out of order";
  }

  // What is the same however it was subscribed to.
  std::string not_for(Session& session, const Change& change, const Heard& message) const {
    if (!as_of(session, change.revision).reads(change.collection, change.id)) {
      return "forbidden at its own revision";
    }
    if (!newest(session).reads(change.collection, change.id)) return "forbidden now";
    if (change.revision > announced) return "not yet announced";
    if (message.retain) return "as if it were retained";
    if (session.is_v5 && message.revision != change.revision) return "with another revision";
    if (change.revision <= session.commit_ended) return "after the end of its commit";
    if (message.commit_end) session.commit_ended = change.revision;
    return {};
  }

  std::string hear_post(Session& session, const Heard& message) {
    if (!newest(session).everything) return "what clients publish is not for everybody";
    // Without payload there may be several.
    const auto fits = [&](const Session::Copy& copy) {
      return copy.qos == message.qos && copy.retain == message.retain &&
             (!session.is_v5 || copy.ids == message.ids);
    };
    const auto is_it = [&](const Session::Copy& copy) {
      return copy.post.topic == message.topic && copy.post.payload == message.payload &&
             (!message.payload.empty() ||
              (fits(copy) && expiry_of(session, copy.post, message).empty()));
    };
    const auto found = std::find_if(session.posts.begin(), session.posts.end(), is_it);
    if (found == session.posts.end()) return hear_retained(session, message);
    const Session::Copy copy = *found;
    for (Session::Reading& reading : session.readings) {  // or was it one of these?
      reading.may_be_lost |= message.retain && may_be_lost(copy);
    }
    if (!fits(copy) && (may_be_lost(copy) || session.delayed))
      return hear_retained(session, message);
    if (message.qos != copy.qos) return "at another QoS than granted";
    if (message.retain != copy.retain) return "retained or not, but as it should not be";
    if (session.is_v5 && message.ids != copy.ids)
      return "with other identifiers than those of its subscriptions";
    if (const auto wrong = expiry_of(session, copy.post, message); !wrong.empty()) return wrong;
    for (auto before = session.posts.begin(); before != found;) {
      if (before->post.publisher != copy.post.publisher) {
        ++before;
        continue;
      }
      if (!may_be_lost(*before)) return "before " + before->post.payload;
      before = session.posts.erase(before);
    }
    session.posts.erase(found);
    return {};
  }

  std::string hear_retained(Session& session, const Heard& message) {
    const std::string wrong = hear_of_reading(session, message);
    const bool again = message.qos == QoS::at_most_once ? session.restored : session.delayed;
    if (!again || !message.retain) return wrong;
    const auto post = posts_.find(message.payload);
    return post != posts_.end() && post->second.topic == message.topic ? "" : wrong;
  }

  std::string hear_of_reading(Session& session, const Heard& message) {
    const auto there = retained.find(message.topic);
    if (there == retained.end() || there->second.payload != message.payload) {
      return "neither published nor retained";
    }
    if (!message.retain) return "a retained message that does not say so";
    if (const auto wrong = expiry_of(session, there->second, message); !wrong.empty()) return wrong;
    std::vector<Session::Reading*> asking;
    for (Session::Reading& reading : session.readings) {
      const auto due = reading.payloads.find(message.topic);
      if (due == reading.payloads.end() || due->second != message.payload) continue;
      std::multiset<std::uint32_t> ids;
      if (reading.subscription.id) ids.insert(*reading.subscription.id);
      if (session.is_v5 && message.ids != ids) continue;
      if (message.qos != std::min(there->second.qos, reading.subscription.qos)) continue;
      asking.push_back(&reading);
    }
    if (asking.size() > 1 && !session.is_v5) {  // nobody can tell which of them has heard it
      for (Session::Reading* reading : asking) reading->may_be_lost = true;
      return {};
    }
    // The first that must hear it, or else the first.
    std::stable_partition(asking.begin(), asking.end(),
                          [](const Session::Reading* reading) { return !reading->may_be_lost; });
    if (!asking.empty()) {
      asking.front()->payloads.erase(message.topic);
      return {};
    }
    return "a retained message, though no new subscription asks for it like this";
  }

  std::string expiry_of(const Session& session, const Post& post, const Heard& message) const {
    const bool begun = message.dup && session.delayed;
    if (post.expires <= now && !begun) return "expired";
    if (!session.is_v5) return {};
    if (message.expiry.has_value() != post.seconds.has_value()) return "with or without an expiry";
    if (!post.seconds) return {};
    const auto until = std::max(post.expires, now);
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - now).count();
    return left == *message.expiry ? "" : "with another Message Expiry Interval than what is left";
  }

  // One member of a group hears it, whoever it is.
  std::string hear_in_group(const Session& session, const Change* change, const Heard& message) {
    const auto post = posts_.find(message.payload);
    if (change != nullptr) {
      auto& mutable_session = const_cast<Session&>(session);
      if (const auto wrong = not_for(mutable_session, *change, message); !wrong.empty()) {
        return wrong;
      }
    } else if (message.payload.empty()) {
      return newest(session).everything ? "" : "what clients publish is not for everybody";
    } else {
      if (post == posts_.end() || post->second.topic != message.topic) return "never published";
      if (!newest(session).everything) return "what clients publish is not for everybody";
      if (const auto wrong = expiry_of(session, post->second, message); !wrong.empty()) {
        return wrong;
      }
    }
    for (const auto& [filter, subscription] : session.filters) {
      const std::string topics = filter.substr(filter.find('/', std::string("$share/").size()) + 1);
      if (!matches(topics, message.topic)) continue;
      const QoS most = change == nullptr ? post->second.qos : QoS::exactly_once;
      if (message.qos != std::min(most, subscription.qos)) continue;
      const std::string group = session.principal + " " + filter;
      if (heard_in_groups_.insert({group, message.topic + " " + message.payload}).second) return {};
    }
    return "not for this group, or a second time";
  }

  std::string hear_again(Session& session, const Heard& message) {
    forget_lost(session, message.packet_id);
    for (Session::Sent& sent : session.sent) {
      if (sent.on_this_connection) continue;
      if (sent.message.packet_id != message.packet_id) return "again, but not in the first order";
      if (sent.received) return "again, after PUBREC";
      if (forbidden(session, sent)) return "again, though it is forbidden now";
      const bool same = sent.message.topic == message.topic &&
                        sent.message.payload == message.payload && sent.message.qos == message.qos;
      if (!same) return "under the identifier of another message";
      sent.on_this_connection = sent.takes_quota = true;
      sent.may_be_lost = false;
      return over_quota(session);
    }
    return "again, though nothing is to be sent again";
  }

  bool forbidden(const Session& session, const Session::Sent& sent) const {
    const Allowed& allowed = newest(session);
    if (sent.change == nullptr) return !allowed.everything;
    return !allowed.reads(sent.change->collection, sent.change->id);
  }

  // What need not be sent again: of what is before this one.
  static void forget_lost(Session& session, std::uint16_t until = 0) {
    bool reached = false;
    std::erase_if(session.sent, [&](const Session::Sent& sent) {
      reached = reached || sent.message.packet_id == until;
      return !reached && !sent.on_this_connection && sent.may_be_lost;
    });
  }

  static std::string over_quota(const Session& session) {
    const auto count = std::count_if(session.sent.begin(), session.sent.end(),
                                     [](const Session::Sent& sent) { return sent.takes_quota; });
    return static_cast<std::size_t>(count) <= session.receive_max ? "" : "over Receive Maximum";
  }

  void publish_will(Session& session) {
    if (session.will) due_.push_back(*session.will);
    session.will.reset();
  }

  template <class Which>
  void end_all(Which which) {
    std::vector<std::string> keys;
    for (const auto& [key, session] : sessions) {
      if (which(session)) keys.push_back(key);
    }
    for (const std::string& key : keys) end(key);
  }

  std::map<std::pair<std::string, std::string>, Change> changes_;
  std::map<std::string, Post> posts_;
  std::set<std::pair<std::string, std::string>> heard_in_groups_;
  std::vector<Post> due_;
};

}  // namespace doctor::mqtt::testing
