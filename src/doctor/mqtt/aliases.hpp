#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/mqtt/packet.hpp"

namespace doctor::mqtt {

/// The topic aliases that a client has set on this connection [MQTT-3.3.2-7]. Bounded by the Topic
/// Alias Maximum that it was told.
class ReceivedAliases {
 public:
  /// Puts the topic that an alias stands for into a PUBLISH with one, or notes it. The topic is
  /// valid until the next call.
  /// @return a refusal for an alias that is out of range [MQTT-3.3.2-8 -9] or not set
  std::optional<Refusal> resolve(Publish& publish, std::uint16_t maximum);

 private:
  std::vector<std::string> topics_;  // by alias - 1; empty: not set
};

/// The topic aliases that a client is sent: the first topics get one each, as many as it allows.
class SentAliases {
 public:
  struct Alias {
    std::uint16_t number = 0;  ///< 0: none
    bool known = false;        ///< the client has heard it with its topic
  };

  /// @param maximum  the client's Topic Alias Maximum, 0: none [MQTT-3.1.2-26 -27]
  explicit SentAliases(std::uint16_t maximum = 0) : maximum_(maximum) {}

  /// What to send a topic with.
  Alias use(std::string_view topic);

 private:
  std::uint16_t maximum_;
  std::unordered_map<std::string, std::uint16_t> aliases_;
};

}  // namespace doctor::mqtt
