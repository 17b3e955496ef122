#pragma once

#include <optional>
#include <string>

#include "doctor/base/result.hpp"
#include "doctor/server/configuration.hpp"
#include "doctor/server/tls_settings.hpp"

namespace doctor::server {

/// What a file says of settings that depend on other sources.
struct FileSettings {
  std::optional<std::string> listen;
  std::optional<std::string> secret;
  std::optional<std::string> secret_file;
  bool stomp_port = false;
  std::optional<std::string> tls_listen;
  TlsChoice tls;  // of all listeners, but for what one has of its own
  TlsChoice api_tls;
  TlsChoice mqtt_tls;
  TlsChoice stomp_tls;
  TlsChoice metrics_tls;
};

/// Reads a doctor.toml into `configuration`, but for what is returned. Errc::invalid: the first
/// mistake in it, or that it cannot be read.
Result<FileSettings> read_configuration_file(const std::string& path, Configuration& configuration);

}  // namespace doctor::server
