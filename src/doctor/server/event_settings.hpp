#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/rules/rule.hpp"
#include "doctor/server/settings_file.hpp"

namespace doctor::server {

/// A host whose events Doctor goes and gets.
struct UpstreamSettings {
  enum class Peer : std::uint8_t { vdsm, doctor };
  struct Tls {
    std::string ca;    ///< who signs the host's certificate; empty: those the system trusts
    std::string cert;  ///< what we show; empty: none
    std::string key;   ///< empty: in the same file
    bool check_peer_name = true;
  };

  std::string name;  ///< what rules call it: the receiver of its events
  std::string host;
  std::uint16_t port = 0;
  Peer peer = Peer::vdsm;
  std::optional<Tls> tls;
  std::optional<std::string> secret;  ///< of a Doctor, as a connector sends it
  std::string event_destination = "jms.queue.events";
  bool republish = false;  ///< its events, to our own event destinations
};

/// Which events become documents, and which hosts are listened to for them.
struct EventSettings {
  std::vector<rules::Rule> rules;
  std::vector<UpstreamSettings> upstreams;
  std::string written;  ///< both, as the file has them
};

/// Reads [[events.rule]] and [[events.upstream]].
/// @param events  the table [events]
EventSettings read_event_settings(SettingsTable& events);

}  // namespace doctor::server
