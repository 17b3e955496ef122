#include "doctor/server/configuration.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "doctor/base/text.hpp"
#include "doctor/server/limit_settings.hpp"
#include "doctor/server/secret.hpp"
#include "doctor/server/settings_file.hpp"

namespace doctor::server {
namespace {

constexpr std::uint64_t port_max = 65'535;

// What a file says before flags and environment have their say.
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

bool is_address(std::string_view text) {
  in6_addr any{};
  const std::string address(text);
  return inet_pton(AF_INET, address.c_str(), &any) == 1 ||
         inet_pton(AF_INET6, address.c_str(), &any) == 1;
}

constexpr std::string_view address_expected =
    "an IP address (\"0.0.0.0\", \"::\") or \"localhost\"";

bool is_listen_address(std::string_view text) {
  return text == "localhost" || is_address(text);
}

bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const std::size_t scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && host.find_first_of("/?# ") == std::string_view::npos;
}

constexpr std::string_view verify_expected = "\"none\", \"optional\" or \"required\"";

TlsChoice read_tls(SettingsTable& table) {
  TlsChoice choice;
  if (std::string text; table.text("cert", text)) choice.cert = text;
  if (std::string text; table.text("key", text)) choice.key = text;
  if (std::string text; table.text("ca", text)) choice.ca = text;
  if (std::string text; table.text(
          "verify_client", text,
          [](std::string_view t) { return parse_verify_client(t).has_value(); }, verify_expected)) {
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

Result<FileSettings> read_file(const std::string& path, Configuration& configuration) {
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

class Sources {
 public:
  Sources(const Flags& flags, const Environment& environment)
      : flags_(flags), environment_(environment) {}

  Result<Configuration> load() {
    if (const auto path = file_path()) {
      Result<FileSettings> file = read_file(*path, configuration_);
      if (!file) return file.error();
      file_ = *file;
    }
    if (const auto directory = flags_.data_dir ? flags_.data_dir : environment("DOCTOR_DATA_DIR")) {
      configuration_.data_dir = *directory;
    }
    port("API_PORT", flags_.api_port, configuration_.api_port);
    port("MQTT_PORT", flags_.mqtt_port, configuration_.mqtt_port);
    port("API_TLS_PORT", flags_.api_tls_port, configuration_.api_tls.port);
    port("MQTT_TLS_PORT", flags_.mqtt_tls_port, configuration_.mqtt_tls.port);
    port("STOMP_PORT", flags_.stomp_port, configuration_.stomp_port);
    port("STOMP_TLS_PORT", flags_.stomp_tls_port, configuration_.stomp_tls.port);
    clustered();
    secret();
    listen();
    listen_for_stomp();
    ports();
    tls();
    first_doctor();
    if (mistake_) return *mistake_;
    return configuration_;
  }

 private:
  std::optional<std::string> environment(const char* name) const { return environment_(name); }

  std::optional<std::string> file_path() const {
    if (flags_.config) return flags_.config;
    std::error_code unknown;
    if (std::filesystem::exists("doctor.toml", unknown)) return "doctor.toml";
    return std::nullopt;
  }

  void mistake(std::string detail) {
    if (!mistake_) mistake_ = invalid(std::move(detail));
  }

  void port(const char* name, std::optional<std::uint16_t> flag, std::uint16_t& port) {
    if (flag) {
      port = *flag;
    } else if (const auto text = environment(name)) {
      const auto number = parse_unsigned(*text, port_max);
      if (!number) {
        return mistake("environment variable " + std::string(name) + ": found \"" + *text +
                       "\", expected a port from 0 (off) to 65535");
      }
      port = static_cast<std::uint16_t>(*number);
    }
  }

  void clustered() {
    const auto text = environment("CLUSTERED");
    if (!text) return;
    if (*text != "0" && *text != "1") {
      return mistake("environment variable CLUSTERED: found \"" + *text +
                     "\", expected 0 (one I/O thread) or 1 (one per core)");
    }
    configuration_.clustered = *text == "1";
  }

  void secret() {
    std::optional<std::string> path;
    if (flags_.secret_file) {
      path = flags_.secret_file;
    } else if (const auto text = environment("SECRET")) {
      if (const auto fault = fault_of_secret(*text)) {
        return mistake("environment variable SECRET " + *fault);
      }
      configuration_.secret = text;
      return;
    } else if (file_.secret_file) {
      path = file_.secret_file;
    } else {
      configuration_.secret = file_.secret;
      return;
    }
    Result<std::string> read = read_secret_file(*path);
    if (!read) return mistake(read.error().detail);
    configuration_.secret = *read;
  }

  void listen() {
    if (flags_.listen && !is_listen_address(*flags_.listen)) {
      return mistake("--listen: found \"" + *flags_.listen + "\", expected " +
                     std::string(address_expected));
    }
    const bool secured = configuration_.secret.has_value();
    const auto chosen = flags_.listen ? flags_.listen : file_.listen;
    configuration_.listen = chosen ? *chosen : secured ? "::" : "localhost";
    configuration_.tls_listen = file_.tls_listen.value_or(configuration_.listen);
    for (const std::string& address : {configuration_.listen, configuration_.tls_listen}) {
      if (secured || is_loopback(address) || configuration_.allow_unsecured_remote) continue;
      mistake("listening on " + address +
              " without a secret would let anyone read and write everything; set SECRET, or "
              "allow_unsecured_remote = true in the configuration file");
    }
    const bool plain = configuration_.api_port != 0 || configuration_.mqtt_port != 0;
    if (secured && plain && !is_loopback(configuration_.listen)) {
      configuration_.notes.push_back(
          "the secret and session ids travel in clear text to " + configuration_.listen +
          "; listen on loopback, or serve TLS (api_tls_port, mqtt_tls_port) and turn api_port and "
          "mqtt_port off with 0");
    }
  }

  // Without TLS it does not leave the machine, whatever the others do.
  void listen_for_stomp() {
    Configuration::Stomp& stomp = configuration_.stomp;
    stomp.listen = configuration_.listen;
    if (configuration_.stomp_port == 0 || is_loopback(stomp.listen)) return;
    if (stomp.plain_remote) {
      if (!configuration_.secret) return;
      return configuration_.notes.push_back(
          "over STOMP the secret and session ids travel in clear text to " + stomp.listen +
          " (stomp.plain_remote); serve TLS (stomp_tls_port) and turn stomp_port off with 0");
    }
    stomp.listen = "localhost";
    const bool was_asked_for = flags_.stomp_port || environment("STOMP_PORT") || file_.stomp_port;
    if (!was_asked_for) return;
    configuration_.notes.push_back(
        "STOMP without TLS listens on loopback only, unlike the other listeners: serve it over TLS "
        "(stomp_tls_port), or set stomp.plain_remote = true");
  }

  void ports() {
    const Configuration& c = configuration_;
    if (c.api_port == 0 && c.mqtt_port == 0 && c.stomp_port == 0 && c.api_tls.port == 0 &&
        c.mqtt_tls.port == 0 && c.stomp_tls.port == 0) {
      return mistake(
          "the ports of the API, of MQTT and of STOMP are all 0 (off): there is nothing to serve");
    }
    all_differ({{"the API port", c.api_port},
                {"the MQTT port", c.mqtt_port},
                {"the STOMP port", c.stomp_port},
                {"the API's TLS port", c.api_tls.port},
                {"MQTT's TLS port", c.mqtt_tls.port},
                {"STOMP's TLS port", c.stomp_tls.port}});
    // These may have an address of their own.
    all_differ({{"metrics.port", c.metrics_port}, {"metrics.tls_port", c.metrics_tls.port}});
  }

  void all_differ(std::initializer_list<std::pair<std::string_view, std::uint16_t>> ports) {
    for (const auto* one = ports.begin(); one != ports.end(); ++one) {
      const auto same = [one](const auto& other) { return other.second == one->second; };
      const auto* const other = std::find_if(one + 1, ports.end(), same);
      if (one->second == 0 || other == ports.end()) continue;
      mistake(std::string(one->first) + " and " + std::string(other->first) + " are both " +
              std::to_string(one->second));
    }
  }

  void tls() {
    const auto choose = [this](std::optional<std::string>& into, const char* name,
                               const std::optional<std::string>& flag) {
      into = flag ? flag : environment(name);
    };
    TlsChoice given;
    choose(given.cert, "TLS_CERT", flags_.tls_cert);
    choose(given.key, "TLS_KEY", flags_.tls_key);
    choose(given.ca, "TLS_CA", flags_.tls_ca);
    std::optional<std::string> verify;
    choose(verify, "TLS_VERIFY_CLIENT", flags_.tls_verify_client);
    if (verify) given.verify_client = parse_verify_client(*verify);
    if (verify && !given.verify_client) {
      return mistake("--tls-verify-client, or the environment's TLS_VERIFY_CLIENT: found \"" +
                     *verify + "\", expected " + std::string(verify_expected));
    }
    const TlsChoice shared = file_.tls.after(given);
    settle(configuration_.api_tls, "api_tls_port", shared.after(file_.api_tls));
    settle(configuration_.mqtt_tls, "mqtt_tls_port", shared.after(file_.mqtt_tls));
    settle(configuration_.stomp_tls, "stomp_tls_port", shared.after(file_.stomp_tls));
    settle(configuration_.metrics_tls, "metrics.tls_port", shared.after(file_.metrics_tls));
    certificates_of_connectors();
  }

  void certificates_of_connectors() {
    const Configuration::TlsListener& stomp = configuration_.stomp_tls;
    const bool are_asked_for =
        stomp.port != 0 && stomp.settings.verify_client != VerifyClient::none;
    if (configuration_.stomp.connectors.empty() || are_asked_for) return;
    configuration_.notes.push_back(
        "stomp.connectors names certificates that no client is asked for: set stomp_tls_port, and "
        "ca in [tls] or [tls.stomp]");
  }

  void settle(Configuration::TlsListener& listener, std::string_view port,
              const TlsChoice& choice) {
    if (listener.port == 0) return;
    const Result<TlsSettings> settings = choice.settled();
    if (!settings) {
      return mistake(std::string(port) + " is " + std::to_string(listener.port) + ", but " +
                     settings.error().detail);
    }
    listener.settings = *settings;
  }

  void first_doctor() {
    if (environment("MONGO_HOST") || environment("MONGO_MAIN_DB")) {
      configuration_.notes.push_back(
          "MONGO_HOST and MONGO_MAIN_DB are not needed: Doctor keeps its documents itself, in " +
          configuration_.data_dir.string() +
          "; to bring yours: mongoexport --collection vm | doctor import --collection vm --drop "
          "_id -");
    }
  }

  const Flags& flags_;
  const Environment& environment_;
  FileSettings file_;
  Configuration configuration_;
  std::optional<Error> mistake_;
};

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

Result<Configuration> load_configuration(const Flags& flags, const Environment& environment) {
  return Sources(flags, environment).load();
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

std::vector<std::string> needing_restart(const Configuration& before, const Configuration& after) {
  std::vector<std::string> names;
  const auto compare = [&names](const auto& a, const auto& b, std::string_view name) {
    if (a != b) names.emplace_back(name);
  };
  compare(before.data_dir, after.data_dir, "data_dir");
  compare(before.secret, after.secret, "secret");
  compare(before.listen, after.listen, "listen");
  compare(before.api_port, after.api_port, "api_port");
  compare(before.mqtt_port, after.mqtt_port, "mqtt_port");
  compare(before.api_tls.port, after.api_tls.port, "api_tls_port");
  compare(before.mqtt_tls.port, after.mqtt_tls.port, "mqtt_tls_port");
  compare(before.stomp_port, after.stomp_port, "stomp_port");
  compare(before.stomp_tls.port, after.stomp_tls.port, "stomp_tls_port");
  compare(before.stomp.plain_remote, after.stomp.plain_remote, "stomp.plain_remote");
  compare(before.stomp.strict_destinations, after.stomp.strict_destinations,
          "stomp.strict_destinations");
  compare(before.stomp.compat, after.stomp.compat, "stomp.compat");
  compare(before.stomp.event_queues, after.stomp.event_queues, "events.event_queue");
  compare(before.tls_listen, after.tls_listen, "tls.listen");
  compare(before.clustered, after.clustered, "clustered");
  compare(before.metrics_listen, after.metrics_listen, "metrics.listen");
  compare(before.metrics_port, after.metrics_port, "metrics.port");
  compare(before.metrics_tls.port, after.metrics_tls.port, "metrics.tls_port");
  compare(before.store_map_size, after.store_map_size, "store.map_size");
  compare(before.store_reserve, after.store_reserve, "store.reserve");
  compare(before.events.written, after.events.written, "events.rule and events.upstream");
  for (const LimitSetting& setting : limit_settings()) {
    compare(setting.get(before.limits), setting.get(after.limits),
            "limits." + std::string(setting.name));
  }
  return names;
}

}  // namespace doctor::server
