#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/log.hpp"
#include "doctor/base/result.hpp"
#include "doctor/server/event_settings.hpp"
#include "doctor/server/tls_settings.hpp"
#include "doctor/store/store.hpp"

namespace doctor::server {

inline constexpr std::uint16_t port_max = 65'535;

/// Everything an operator can set, checked. A port of 0 turns its listener off.
struct Configuration {
  std::filesystem::path data_dir = "./data";
  std::optional<std::string> secret;  ///< none: unsecured
  std::string listen;                 ///< an IP address or "localhost"; never empty once loaded
  std::uint16_t api_port = 3000;
  std::uint16_t mqtt_port = 1883;
  std::uint16_t stomp_port = 61'613;
  bool clustered = true;  ///< one I/O thread per core; otherwise one
  bool allow_unsecured_remote = false;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> cors_origins;

  /// A listener of its own for /metrics, /healthz and /readyz, without credentials; port 0: none,
  /// and they are on the API's port only.
  std::string metrics_listen = "127.0.0.1";
  std::uint16_t metrics_port = 0;

  /// A further listener of each kind that speaks TLS.
  struct TlsListener {
    std::uint16_t port = 0;
    TlsSettings settings;  ///< complete if the port is not 0
  };
  std::string tls_listen;  ///< as `listen`; of the API's, MQTT's and STOMP's
  TlsListener api_tls;
  TlsListener mqtt_tls;
  TlsListener stomp_tls;
  TlsListener metrics_tls;  ///< on metrics_listen

  /// STOMP and the events that go over it.
  struct Stomp {
    enum class Compat : std::uint8_t { by_client, ovirt };

    bool plain_remote = false;            ///< without TLS beyond loopback
    std::string listen;                   ///< as `listen`, but loopback unless `plain_remote`
    std::vector<std::string> connectors;  ///< who they are by the names in their certificates
    bool check_peer_name = false;         ///< a certificate must name its client's address
    bool strict_destinations = false;     ///< a SEND that nobody hears is an error
    Compat compat = Compat::by_client;
    bool document_events = true;
    std::vector<std::string> event_queues{"jms.queue.events", "jms.topic.vdsm_responses"};
  };
  Stomp stomp;

  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;

  std::uint64_t store_map_size = store::Options{}.map_size;
  std::uint64_t store_reserve = store::Options{}.reserve;

  EventSettings events;

  Limits limits;

  /// What to tell the operator at the start: settings that were accepted and ignored, and the like.
  std::vector<std::string> notes;
};

/// What the command line gave; none: not given.
struct Flags {
  std::optional<std::string> data_dir;
  std::optional<std::string> config;
  std::optional<std::string> listen;
  std::optional<std::uint16_t> api_port;
  std::optional<std::uint16_t> mqtt_port;
  std::optional<std::uint16_t> stomp_port;
  std::optional<std::string> secret_file;
  std::optional<std::uint16_t> api_tls_port;
  std::optional<std::uint16_t> mqtt_tls_port;
  std::optional<std::uint16_t> stomp_tls_port;
  std::optional<std::string> tls_cert;
  std::optional<std::string> tls_key;
  std::optional<std::string> tls_ca;
  std::optional<std::string> tls_verify_client;
};

/// The value of an environment variable, or nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

/// Flags over environment over file over defaults. The file is `--config`, or else `doctor.toml` in
/// the working directory if there is one. A mistake is Errc::invalid, its detail saying where it is
/// (file and line, flag or variable), what was found and what was expected.
Result<Configuration> load_configuration(const Flags& flags, const Environment& environment);

/// Names of settings that differ and that only a restart can change.
std::vector<std::string> needing_restart(const Configuration& before, const Configuration& after);

}  // namespace doctor::server
