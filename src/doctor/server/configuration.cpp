#include "doctor/server/configuration.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "doctor/base/text.hpp"
#include "doctor/server/configuration_file.hpp"
#include "doctor/server/listen_address.hpp"
#include "doctor/server/secret.hpp"

namespace doctor::server {
namespace {

class Sources {
 public:
  Sources(const Flags& flags, const Environment& environment)
      : flags_(flags), environment_(environment) {}

  Result<Configuration> load() {
    if (const auto path = file_path()) {
      Result<FileSettings> file = read_configuration_file(*path, configuration_);
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
                     *verify + "\", expected " + std::string(verify_client_expected));
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

}  // namespace doctor::server
