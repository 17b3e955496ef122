#include "doctor/server/rpc_runner.hpp"

#include <utility>

#include "doctor/server/rpc_line.hpp"

namespace doctor::server {

RpcRunner::RpcRunner(IoThread& thread, Shared& shared, std::string version)
    : thread_(thread), shared_(shared), version_(std::move(version)) {}

RpcRunner::~RpcRunner() = default;

const std::shared_ptr<const rpc::Service>& RpcRunner::service() {
  if (rest_ != thread_.service()) {
    rest_ = thread_.service();
    service_ = std::make_shared<const rpc::Service>(rest_, shared_.limits, version_);
  }
  return service_;
}

void RpcRunner::carry_out(hub::Request request, hub::Respond respond) {
  const stomp::ConnectionId connection = request.connection;
  under_way_.fetch_add(1, std::memory_order_relaxed);
  auto& line = lines_[connection];
  const bool is_first = line == nullptr;
  if (is_first) line = std::make_unique<RpcLine>(*this, connection);
  line->add(std::move(request), std::move(respond), service());
  if (is_first) asio::co_spawn(thread_.executor(), run(connection), asio::detached);
}

Task<void> RpcRunner::run(stomp::ConnectionId connection) {
  co_await lines_.at(connection)->run();
  lines_.erase(connection);
}

void RpcRunner::record(std::string_view method, const rpc::Answer& answer,
                       Clock::time_point began) {
  figures_.record(method, answer, Clock::now() - began);
}

}  // namespace doctor::server
