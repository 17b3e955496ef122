#pragma once

#include <memory>
#include <string>

#include "doctor/base/result.hpp"
#include "doctor/server/configuration.hpp"

namespace doctor::server {

/// The running server: store, engine, broker, I/O threads and listeners.
///
/// Which thread owns what:
///   I/O threads     each its HTTP connections (round robin); the first also the listeners, the
///                   broker and all MQTT connections
///   reader threads  reads that may be long (WorkerPool); they answer through mailboxes
///   the writer      engine::Engine's own thread; it answers through mailboxes and hands commits to
///                   MqttService
///   the rules       EventRules' own thread, if there are any; it waits for the writer
///   the upstreams   two threads of the client library, if there are any; they hand events to the
///                   rules and, where those are told here too, to StompService
///   the caller      start, reload and stop
/// Between them: Mailbox and MqttService::committed (a mutex and one wake-up for a batch), the
/// atomic budgets and gauges of Shared, and the single-writer counters of RequestFigures.
class Server {
 public:
  /// Opens the store, listens and serves. An error says what could not be had, and what to do.
  static Result<std::unique_ptr<Server>> start(const Configuration& configuration,
                                               std::string version);
  /// As `stop`.
  ~Server();

  /// Takes over what can change while running (log, CORS, allowed hosts), for requests that begin
  /// from now on.
  void reload(const Configuration& configuration);

  /// Stops accepting, finishes what is under way within `shutdown_grace`, disconnects MQTT clients,
  /// and closes the store once all that was acknowledged, or is being written, is durable.
  void stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace doctor::server
