#include "doctor/server/configuration_file.hpp"

#include "doctor/server/limit_settings.hpp"
#include "doctor/server/listen_address.hpp"
#include "doctor/server/secret.hpp"
#include "doctor/server/settings_file.hpp"

namespace doctor::server {
namespace {

bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const std::size_t scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && host.find_first_of("/?# ") == std::string_view::npos;
}

TlsChoice read_tls(SettingsTable& table) {
  TlsChoice choice;
  if (std::string text; table.text("cert", text)) choice.cert = text;
  if (std::string text; table.text("key", text)) choice.key = text;
  if (std::string text; table.text("ca", text)) choice.ca = text;
  if (std::string text; table.text(
          "verify_client", text,
          [](std::string_view t) { return parse_verify_client(t).has_value(); },
          verify_client_expected)) {
    choice.verify_client = parse_verify_client(text);
  }
  return choice;
}

TlsChoice read_tls_of(SettingsTable& tls, std::string_view listener) {
  SettingsTable table = tls.table(listener);
  TlsChoice choice = read_tls(table);
  table.finish();
  return choice;
}

void read_limits(SettingsTable& table, Limits& limits) {
  for (const LimitSetting& setting : limit_settings()) {
    std::uint64_t value = setting.get(limits);
    table.number(setting, value);
    setting.set(limits, value);
  }
}

void read_stomp(SettingsTable& top, Configuration::Stomp& stomp) {
  using Compat = Configuration::Stomp::Compat;
  SettingsTable table = top.table("stomp");
  table.flag("plain_remote", stomp.plain_remote);
  table.texts(
      "connectors", stomp.connectors, [](std::string_view name) { return !name.empty(); },
      "a name in a certificate");
  table.flag("check_peer_name", stomp.check_peer_name);
  table.flag("strict_destinations", stomp.strict_destinations);
  if (std::string text; table.text(
          "compat", text, [](std::string_view t) { return t == "auto" || t == "ovirt"; },
          "\"auto\" or \"ovirt\"")) {
    stomp.compat = text == "ovirt" ? Compat::ovirt : Compat::by_client;
  }
  table.finish();
}

void read_events(SettingsTable& top, Configuration& configuration) {
  Configuration::Stomp& stomp = configuration.stomp;
  SettingsTable events = top.table("events");
  events.flag("documents", stomp.document_events);
  events.texts(
      "event_queue", stomp.event_queues, [](std::string_view name) { return !name.empty(); },
      "the name of a destination");
  if (stomp.event_queues.empty()) {
    events.mistake("event_queue", "is empty; expected at least one destination");
  }
  configuration.events = read_event_settings(events);
  events.finish();
}

}  // namespace

Result<FileSettings> read_configuration_file(const std::string& path,
                                             Configuration& configuration) {
  Result<SettingsFile> file = SettingsFile::open(path);
  if (!file) return file.error();
  FileSettings found;
  SettingsTable top = file->top();
  std::string data_dir;
  if (top.text("data_dir", data_dir)) configuration.data_dir = data_dir;
  if (std::string text; top.text("listen", text, is_listen_address, address_expected)) {
    found.listen = text;
  }
  top.number("api_port", configuration.api_port, 0, port_max);
  top.number("mqtt_port", configuration.mqtt_port, 0, port_max);
  top.number("api_tls_port", configuration.api_tls.port, 0, port_max);
  top.number("mqtt_tls_port", configuration.mqtt_tls.port, 0, port_max);
  found.stomp_port = top.number("stomp_port", configuration.stomp_port, 0, port_max);
  top.number("stomp_tls_port", configuration.stomp_tls.port, 0, port_max);
  top.flag("clustered", configuration.clustered);
  if (std::string text; top.text("secret", text)) found.secret = text;
  if (std::string text; top.text("secret_file", text)) found.secret_file = text;
  top.flag("allow_unsecured_remote", configuration.allow_unsecured_remote);
  top.texts(
      "allowed_hosts", configuration.allowed_hosts,
      [](std::string_view host) { return !host.empty(); }, "a host name");
  top.texts("cors_origins", configuration.cors_origins, is_origin,
            "\"https://host[:port]\" or \"*\"");

  SettingsTable metrics = top.table("metrics");
  metrics.text("listen", configuration.metrics_listen, is_listen_address, address_expected);
  metrics.number("port", configuration.metrics_port, 0, port_max);
  metrics.number("tls_port", configuration.metrics_tls.port, 0, port_max);
  metrics.finish();

  SettingsTable tls = top.table("tls");
  if (std::string text; tls.text("listen", text, is_listen_address, address_expected)) {
    found.tls_listen = text;
  }
  found.tls = read_tls(tls);
  found.api_tls = read_tls_of(tls, "api");
  found.mqtt_tls = read_tls_of(tls, "mqtt");
  found.stomp_tls = read_tls_of(tls, "stomp");
  found.metrics_tls = read_tls_of(tls, "metrics");
  tls.finish();

  read_stomp(top, configuration.stomp);
  read_events(top, configuration);

  SettingsTable logging = top.table("log");
  if (std::string text; logging.text(
          "level", text, [](std::string_view t) { return log::parse_level(t).has_value(); },
          "\"debug\", \"info\", \"warning\" or \"error\"")) {
    configuration.log_level = *log::parse_level(text);
  }
  if (std::string text; logging.text(
          "format", text, [](std::string_view t) { return log::parse_format(t).has_value(); },
          "\"text\" or \"json\"")) {
    configuration.log_format = *log::parse_format(text);
  }
  logging.finish();

  SettingsTable store = top.table("store");
  store.size("map_size", configuration.store_map_size, 1u << 20, 1ull << 46);
  store.size("reserve", configuration.store_reserve, 0, 1ull << 40);
  store.finish();

  SettingsTable limits = top.table("limits");
  read_limits(limits, configuration.limits);
  limits.finish();

  if (found.secret && found.secret_file) {
    top.mistake("secret_file", "stands beside `secret`; expected only one of the two");
  }
  if (found.secret) {
    if (const auto fault = fault_of_secret(*found.secret)) top.mistake("secret", *fault);
  }
  top.finish();
  if (file->mistake()) return *file->mistake();
  return found;
}

}  // namespace doctor::server
