#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "doctor/base/time.hpp"
#include "doctor/hub/requests.hpp"
#include "doctor/rpc/service.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/rpc_figures.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {

class RpcLine;

/// Carries out what clients of STOMP ask for by JSON-RPC: reads on snapshots, long ones by the
/// reader threads, writes by the engine. Calls of one connection take effect in the order in which
/// they were sent, those of a batch in theirs, and a read sees what the calls before it wrote.
///
/// Belongs to the broker's thread; `under_way` and `figures` may be asked by any.
class RpcRunner final : public hub::Methods {
 public:
  /// @param thread  outlives the use of this, which outlives it
  RpcRunner(IoThread& thread, Shared& shared, std::string version);
  ~RpcRunner() override;

  void carry_out(hub::Request request, hub::Respond respond) override;

  /// Requests that are not answered yet.
  std::size_t under_way() const { return under_way_.load(std::memory_order_relaxed); }
  const RpcFigures& figures() const { return figures_; }

  // For the lines.
  IoThread& thread() { return thread_; }
  Shared& shared() { return shared_; }
  void record(std::string_view method, const rpc::Answer& answer, Clock::time_point began);
  void responded() { under_way_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<const rpc::Service>& service();
  Task<void> run(stomp::ConnectionId connection);

  IoThread& thread_;
  Shared& shared_;
  const std::string version_;
  // What calls are judged by, and of what it was made: a new one comes with a new configuration.
  std::shared_ptr<const rpc::Service> service_;
  std::shared_ptr<const rest::Service> rest_;
  RpcFigures figures_;
  std::atomic<std::size_t> under_way_{0};
  std::unordered_map<stomp::ConnectionId, std::unique_ptr<RpcLine>> lines_;  // with requests
};

}  // namespace doctor::server
