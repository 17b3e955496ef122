#pragma once

#include "doctor/mqtt/identifiers.hpp"
#include "doctor/mqtt/publication.hpp"

namespace doctor::mqtt {

/// A publication as it goes to one receiver.
struct Message {
  PublicationPtr publication;
  QoS qos = QoS::at_most_once;  ///< granted: what was published or less
  bool retain = false;          ///< [MQTT-3.3.1-8 -12 -13]
  bool commit_end = false;      ///< of an announcement: the last one of its commit
  IdentifiersPtr identifiers;   ///< null: none
  std::uint64_t record = 0;  ///< its number in the state that outlives the process, if it has one
};

}  // namespace doctor::mqtt
