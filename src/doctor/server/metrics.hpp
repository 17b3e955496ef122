#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/mqtt/broker.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/shared.hpp"
#include "doctor/server/stomp_service.hpp"

namespace doctor::server {

/// What `GET /metrics` answers: the Prometheus text format, version 0.0.4. No label holds a
/// collection, an id or a client. Any thread.
class Metrics {
 public:
  /// @param threads  their number does not change as long as this lives
  Metrics(const std::vector<std::unique_ptr<IoThread>>& threads, const Shared& shared,
          std::string version);

  /// Asks the brokers' threads for their figures, then writes all.
  Task<std::string> collect(Mailbox& mailbox) const;

 private:
  std::string text(const mqtt::Figures& mqtt, const StompService::Figures& stomp) const;

  const std::vector<std::unique_ptr<IoThread>>& threads_;
  const Shared& shared_;
  const std::string version_;
};

}  // namespace doctor::server
