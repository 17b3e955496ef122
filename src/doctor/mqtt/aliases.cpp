#include "doctor/mqtt/aliases.hpp"

namespace doctor::mqtt {

std::optional<Refusal> ReceivedAliases::resolve(Publish& publish, std::uint16_t maximum) {
  const auto alias = publish.properties.number(PropertyId::topic_alias);
  if (!alias) return std::nullopt;
  if (*alias == 0 || *alias > maximum) {
    return Refusal{Reason::topic_alias_invalid, "the topic alias is 0 or above the maximum"};
  }
  if (topics_.size() < *alias) topics_.resize(*alias);
  std::string& topic = topics_[*alias - 1];
  if (!publish.topic.empty()) topic = publish.topic;
  if (topic.empty()) return Refusal{Reason::protocol_error, "the topic alias was not set"};
  publish.topic = topic;
  return std::nullopt;
}

SentAliases::Alias SentAliases::use(std::string_view topic) {
  if (maximum_ == 0) return {};
  const auto found = aliases_.find(std::string(topic));
  if (found != aliases_.end()) return {found->second, true};
  if (aliases_.size() >= maximum_) return {};
  const auto number = static_cast<std::uint16_t>(aliases_.size() + 1);
  aliases_.emplace(topic, number);
  return {number, false};
}

}  // namespace doctor::mqtt
