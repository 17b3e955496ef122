#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace doctor::hub {

/// A destination whose messages are JSON-RPC requests to Doctor, as oVirt's programs name them.
struct RequestDestination {
  std::string_view name;
  std::string_view answers;  ///< where answers go without `reply-to`
  bool heeds_reply_to;
};

/// Where vdsm sends the answers to requests without `reply-to`, and its clients may listen.
inline constexpr std::string_view vdsm_answers = "jms.topic.vdsm_responses";

/// The one that a destination is, or is a child of; null: requests are not served there.
const RequestDestination* request_destination(std::string_view destination);
/// Whether a subscription hears requests.
bool requests_are_heard_by(std::string_view subscribed);

/// The destinations of events, the preferred one first. An event that is sent to any of them is
/// one of all: a connection hears it once, under the first name for which it has a subscription.
class EventDestinations {
 public:
  /// @param names  not empty
  explicit EventDestinations(std::vector<std::string> names) : names_(std::move(names)) {}

  const std::vector<std::string>& names() const { return names_; }
  /// Whether it is one of them.
  bool has(std::string_view destination) const;
  /// Whether it is one of them or a child of one.
  bool covers(std::string_view destination) const;
  /// Whether a subscription to it hears events.
  bool are_heard_by(std::string_view subscribed) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace doctor::hub
