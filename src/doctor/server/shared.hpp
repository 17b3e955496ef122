#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/login_throttle.hpp"
#include "doctor/base/time.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/engine/engine.hpp"
#include "doctor/server/budget.hpp"
#include "doctor/server/paced_warning.hpp"
#include "doctor/server/worker_pool.hpp"

namespace doctor::server {

class MqttService;
class EventRules;
class Upstreams;
class StompService;
class RpcRunner;
class Metrics;
class TlsEndpoint;

enum class Phase : std::uint8_t { starting, serving, stopping };

/// Now, on the wall's clock.
inline Timestamp wall_clock() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp{duration_cast<milliseconds>(now).count()};
}

/// Counts, logs and slows down failed logins, for all transports and threads.
class FailedLogins {
 public:
  enum class Over : std::uint8_t { http, mqtt, stomp };

  explicit FailedLogins(std::chrono::milliseconds delay_max) : throttle_(delay_max) {}

  /// Notes one, and says how long its answer must wait.
  std::chrono::milliseconds note(Over over, std::string_view address, Clock::time_point now);
  std::uint64_t count(Over over) const {
    return counts_[static_cast<std::size_t>(over)].load(std::memory_order_relaxed);
  }

 private:
  bool may_log(Clock::time_point now);

  std::array<std::atomic<std::uint64_t>, 3> counts_{};
  std::mutex mutex_;
  LoginThrottle throttle_;      // guarded by mutex_
  Clock::time_point minute_{};  // guarded by mutex_
  std::size_t lines_ = 0;       // guarded by mutex_: in this minute
};

/// What connections of all threads share. Everything in it may be used by any thread; it outlives
/// all connections.
struct Shared {
  explicit Shared(const Limits& l, std::size_t reader_threads)
      : limits(l),
        connections(l.connections),
        bodies(l.bodies_under_way),
        answers(l.answers_under_way),
        exports(l.exports),
        failed_logins(l.login_delay_max),
        readers(reader_threads) {}

  const Limits limits;
  std::atomic<Phase> phase{Phase::starting};

  Budget connections;  ///< of all protocols together
  Budget bodies;       ///< bytes of bodies that are being received
  Budget answers;      ///< bytes of answers that are being sent
  Budget exports;      ///< at a time
  std::atomic<std::size_t> http_connections{0};
  std::atomic<std::size_t> mqtt_tcp_connections{0};
  std::atomic<std::size_t> mqtt_websocket_connections{0};
  std::atomic<std::size_t> stomp_connections{0};
  std::atomic<std::uint64_t> connections_refused{0};  ///< over the limit
  std::atomic<std::uint64_t> accepts_failed{0};       ///< for want of file descriptors or memory
  std::atomic<std::uint64_t> websockets_broken{0};    ///< closed for breaking RFC 6455 or §6
  std::atomic<std::uint64_t> request_number{0};

  FailedLogins failed_logins;
  PacedWarning tls_without_tls;  ///< clients that begin TLS where there is none
  WorkerPool readers;

  // Set before the first connection is accepted, and not changed while there is one.
  engine::Engine* engine = nullptr;
  MqttService* mqtt = nullptr;
  StompService* stomp = nullptr;
  const RpcRunner* rpc = nullptr;
  EventRules* event_rules = nullptr;
  const Upstreams* upstreams = nullptr;  ///< null: there are none
  const Metrics* metrics = nullptr;
  std::vector<const TlsEndpoint*> tls;
};

/// Counts a connection of one protocol as long as it lives.
class Counted {
 public:
  explicit Counted(std::atomic<std::size_t>& gauge) : gauge_(gauge) {
    gauge_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Counted() { gauge_.fetch_sub(1, std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::size_t>& gauge_;
};

}  // namespace doctor::server
