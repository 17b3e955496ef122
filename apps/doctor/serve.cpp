#include <csignal>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "command.hpp"
#include "doctor/base/log.hpp"
#include "doctor/server/configuration.hpp"
#include "doctor/server/server.hpp"

namespace doctor::app {
namespace {

using server::Configuration;

void greet(const Configuration& configuration) {
  if (!configuration.secret) {
    log::warning(
        "RUNNING UNSECURED: no secret is set, so everyone who can connect may read and write "
        "everything; set SECRET to change that");
  }
  for (const std::string& note : configuration.notes) log::warning(note);
}

// For whoever started it by hand.
void suggest(const Configuration& configuration) {
  if (isatty(STDERR_FILENO) == 0 || configuration.api_port == 0) return;
  const std::string secret = configuration.secret ? " -H \"SECRET: $SECRET\"" : "";
  std::cerr << "Try:  curl -X PUT http://localhost:" << configuration.api_port
            << "/entities/vm/1 --json '{\"name\": \"vm1\", \"status\": \"up\"}'" << secret << '\n'
            << "      curl http://localhost:" << configuration.api_port << "/entities/vm" << secret
            << '\n';
  if (configuration.mqtt_port != 0) {
    std::cerr << "      mosquitto_sub -h localhost -p " << configuration.mqtt_port
              << " -v -t 'vm/#'" << (configuration.secret ? " -u connector -P \"$SECRET\"" : "")
              << '\n';
  }
  if (configuration.stomp_port != 0) {
    std::cerr << "      doctor events --server stomp://localhost:" << configuration.stomp_port
              << " '*|vm|*|*'\n";
  }
}

// Signals are taken one after another by this thread; every other inherits them blocked.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A second Ctrl-C ends at once what waits for the first.
void unblock(const sigset_t& signals) {
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

int serve(const server::Flags& flags) {
  const sigset_t signals = block_signals();
  Result<Configuration> configuration =
      server::load_configuration(flags, server::process_environment);
  if (!configuration) {
    std::cerr << "doctor serve: " << configuration.error().detail << '\n';
    return exit_usage;
  }
  log::configure(configuration->log_level, configuration->log_format);
  greet(*configuration);
  auto server = server::Server::start(*configuration, DOCTOR_VERSION);
  if (!server) {
    std::cerr << "doctor serve: " << server.error().detail << '\n';
    return exit_failure;
  }
  suggest(*configuration);
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) break;
    configuration = server::load_configuration(flags, server::process_environment);
    if (configuration) {
      (*server)->reload(*configuration);
    } else {
      log::error("the configuration was not read again", {{"why", configuration.error().detail}});
    }
  }
  log::info("stopping");
  unblock(signals);
  (*server)->stop();
  log::info("stopped");
  return exit_success;
}

}  // namespace

void add_serve(CLI::App& program, Run& run) {
  CLI::App* command = program.add_subcommand("serve", "Run the server in the foreground");
  auto flags = std::make_shared<server::Flags>();
  // Given twice, the last one counts: a wrapper script can be overruled.
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  command->add_option("--data-dir", flags->data_dir,
                      "where documents are kept; created if missing (DOCTOR_DATA_DIR; ./data)");
  command->add_option("--config", flags->config,
                      "the configuration file (./doctor.toml if there is one)");
  command->add_option("--listen", flags->listen,
                      "IP address or localhost (localhost without a secret, else all addresses)");
  command->add_option("--api-port", flags->api_port, "HTTP port, 0: off (API_PORT; 3000)");
  command->add_option("--mqtt-port", flags->mqtt_port, "MQTT port, 0: off (MQTT_PORT; 1883)");
  command->add_option("--stomp-port", flags->stomp_port,
                      "STOMP port, 0: off; on loopback only, see doctor.toml (STOMP_PORT; 61613)");
  command->add_option("--secret-file", flags->secret_file,
                      "file with the secret that connectors send (SECRET)");
  command->add_option("--api-tls-port", flags->api_tls_port,
                      "HTTPS port, 0: off (API_TLS_PORT; 0)");
  command->add_option("--mqtt-tls-port", flags->mqtt_tls_port,
                      "port of MQTT over TLS, 0: off (MQTT_TLS_PORT; 0)");
  command->add_option("--stomp-tls-port", flags->stomp_tls_port,
                      "port of STOMP over TLS, 0: off (STOMP_TLS_PORT; 0)");
  command->add_option("--tls-cert", flags->tls_cert,
                      "PEM file: the certificate, then those up to its root (TLS_CERT)");
  command->add_option("--tls-key", flags->tls_key,
                      "PEM file with its key (TLS_KEY; the certificate's file)");
  command->add_option("--tls-ca", flags->tls_ca,
                      "PEM file: who signs certificates of clients (TLS_CA)");
  command->add_option("--tls-verify-client", flags->tls_verify_client,
                      "none, optional or required (TLS_VERIFY_CLIENT; optional with --tls-ca)");
  command->footer(
      "Environment: SECRET, API_PORT, MQTT_PORT, STOMP_PORT, CLUSTERED (0: one I/O thread, 1: one\n"
      "per core), DOCTOR_DATA_DIR, API_TLS_PORT, MQTT_TLS_PORT, STOMP_TLS_PORT, TLS_CERT, "
      "TLS_KEY,\n"
      "TLS_CA, TLS_VERIFY_CLIENT. SIGHUP reads the configuration and the certificates again, "
      "SIGTERM\n"
      "stops.\n"
      "Examples:\n"
      "  doctor serve --data-dir /var/lib/doctor --secret-file /etc/doctor/secret\n"
      "  doctor serve --api-tls-port 3443 --mqtt-tls-port 8883 --tls-cert cert.pem --tls-key "
      "key.pem");
  command->callback([flags, &run] { run = [flags] { return serve(*flags); }; });
}

}  // namespace doctor::app
