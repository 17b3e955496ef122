#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doctor/mqtt/packet.hpp"

// What a client that keeps to the standard knows, whatever becomes of its connections and of the
// broker, and what it would complain of: nothing is lost that was acknowledged to its publisher or
// announced, nothing comes twice at QoS 2, nothing is sent above the QoS that was granted, out of
// order, or under an identifier in use.
namespace doctor::mqtt::testing {

/// The number in the payload of what was published or announced.
inline std::size_t number_of(std::string_view payload) {
  return std::stoull(std::string(payload.substr(payload.find_first_of("0123456789"))));
}

/// All that was published and announced.
struct Told {
  struct Post {
    int publisher = 0;
    std::string topic;
    QoS qos{};
    bool sent_again = false;
  };

  std::vector<Post> posts;
  std::vector<std::uint64_t> changes;  ///< their revisions
  std::size_t heard_posts = 0;         ///< everybody has heard those before
  std::size_t heard_changes = 0;

  /// Each gives the payload that stands for it.
  std::string post(Post post) {
    posts.push_back(std::move(post));
    return "post" + std::to_string(posts.size() - 1);
  }
  std::string change(std::uint64_t revision) {
    changes.push_back(revision);
    return "change" + std::to_string(changes.size() - 1);
  }
  void have_all_been_heard() {
    heard_posts = posts.size();
    heard_changes = changes.size();
  }
};

/// A client whose session outlives its connections. What judges gives a complaint, empty if all is
/// well.
struct Steadfast {
  Steadfast(int n, std::size_t receive_maximum) : number(n), receive_max(receive_maximum) {}

  /// Published and not acknowledged to the end.
  struct Sending {
    std::uint16_t id = 0;
    QoS qos{};
    std::string topic;
    std::string payload;
    bool retain = false;
    bool received = false;  ///< PUBREC came
  };

  const int number;
  const std::size_t receive_max;
  bool is_v5 = true;
  bool connected = false;  ///< CONNACK came
  bool had_session = false;

  std::deque<Sending> sending;  ///< in order
  std::uint16_t last_id = 0;

  // As a subscriber.
  std::optional<QoS> granted;
  std::uint64_t since = 0;                 ///< the revision that SUBACK told
  std::size_t posts_since = 0;             ///< what was published before this one it may miss
  std::set<std::uint16_t> received;        ///< QoS 2, until PUBREL
  std::map<std::uint16_t, QoS> to_answer;  ///< of this connection: what is owed an answer
  std::deque<std::uint16_t> order;         ///< of these
  std::set<std::uint16_t> released;        ///< PUBREL came: PUBCOMP is owed
  std::map<std::string, int> heard;        ///< payload, how often but for what it knows to be again
  std::map<std::string, std::size_t> last;  ///< by source and QoS: after the newest number

  bool is_session() const { return number % 3 == 2; }
  QoS asks_for() const { return static_cast<QoS>(number % 3); }

  void begin_connection() {
    connected = false;
    to_answer.clear();
    order.clear();
    released.clear();
  }

  // -- as a publisher -----------------------------------------------------------------------

  const Sending& begin_to_send(Sending message) {
    do {
      last_id = static_cast<std::uint16_t>(last_id % 9 + 1);
    } while (find(last_id) != sending.end());
    message.id = last_id;
    return sending.emplace_back(std::move(message));
  }

  /// PUBREC came; null: for nothing.
  const Sending* is_received(std::uint16_t id) {
    const auto found = find(id);
    if (found == sending.end()) return nullptr;
    found->received = true;
    return &*found;
  }

  /// PUBACK or PUBCOMP came.
  std::string has_sent(std::uint16_t id) {
    const auto found = find(id);
    if (found == sending.end()) return "an acknowledgement of nothing";
    sending.erase(found);
    return {};
  }

  // -- as a subscriber ----------------------------------------------------------------------

  void subscribed(QoS qos, std::uint64_t revision, const Told& told) {
    granted = qos;
    since = revision;
    posts_since = told.posts.size();
  }

  std::string hears(const Publish& publish, const Told& told) {
    const QoS qos = publish.qos;
    const std::string payload(publish.payload);
    const std::size_t at = number_of(payload);
    const bool is_post = payload.starts_with("post");
    if (at >= (is_post ? told.posts.size() : told.changes.size())) {
      return "neither published nor announced";
    }
    const Told::Post* post = is_post ? &told.posts[at] : nullptr;
    if (post != nullptr && post->topic != publish.topic) return "under another topic";
    if (qos > asks_for() || (post != nullptr && qos > post->qos)) {
      return "above the QoS that was granted";
    }
    if (qos != QoS::at_most_once) {
      const std::uint16_t id = publish.packet_id;
      if (to_answer.contains(id) || released.contains(id)) return "an identifier that is in use";
      to_answer[id] = qos;
      order.push_back(id);
      if (to_answer.size() > receive_max) return "over Receive Maximum";
      if (qos == QoS::exactly_once && !received.insert(id).second) {
        return publish.dup ? "" : "again, which it does not say";
      }
    }
    const int times = ++heard[payload];
    if (qos == QoS::exactly_once && times > 1) return "a second time";
    if (qos == QoS::at_most_once) return {};  // its publisher may have said it again
    const bool published_once = post == nullptr || post->qos == QoS::exactly_once;
    if (times > 1 && published_once && !publish.dup) return "a second time, which it does not say";
    if (times > 1) return {};
    return in_order(publish, post, at);
  }

  /// Answers what came first.
  std::pair<std::uint16_t, QoS> answer_first() {
    const std::uint16_t id = order.front();
    order.pop_front();
    const QoS qos = to_answer.at(id);
    to_answer.erase(id);
    return {id, qos};
  }

  /// PUBREL came.
  std::string is_released(std::uint16_t id) {
    if (to_answer.contains(id)) return "released, though it was not acknowledged";
    received.erase(id);
    released.insert(id);
    return {};
  }

  /// Once it has taken and acknowledged all that there is.
  std::string missing(const Told& told) const {
    if (!sending.empty()) return "not acknowledged: " + sending.front().payload;
    if (*granted == QoS::at_most_once) return {};
    for (std::size_t i = told.heard_changes; i < told.changes.size(); ++i) {
      const std::string payload = "change" + std::to_string(i);
      if (told.changes[i] > since && !heard.contains(payload)) return payload;
    }
    for (std::size_t i = std::max(posts_since, told.heard_posts); i < told.posts.size(); ++i) {
      const std::string payload = "post" + std::to_string(i);
      if (!heard.contains(payload)) return payload;
    }
    return {};
  }

 private:
  std::deque<Sending>::iterator find(std::uint16_t id) {
    return std::find_if(sending.begin(), sending.end(), [&](const auto& s) { return s.id == id; });
  }

  // The changes are, and what one client publishes to a topic at one QoS and has not sent again.
  std::string in_order(const Publish& publish, const Told::Post* post, std::size_t at) {
    if (post != nullptr && post->sent_again) return {};
    std::string source = std::to_string(static_cast<int>(publish.qos));
    if (post != nullptr) {
      source += " " + std::to_string(static_cast<int>(post->qos)) + " c" +
                std::to_string(post->publisher) + " " + post->topic;
    }
    std::size_t& before = last[source];
    if (at + 1 <= before) return "out of order";
    before = at + 1;
    return {};
  }
};

}  // namespace doctor::mqtt::testing
