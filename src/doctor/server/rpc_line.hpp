#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "doctor/server/rpc_runner.hpp"

namespace doctor::server {

/// The requests of one connection, one after another. Writes that follow each other are handed to
/// the engine together, so that they share its commits; a read waits for those before it. Whoever
/// asks faster than it reads its answers waits: they are never dropped.
class RpcLine {
 public:
  RpcLine(RpcRunner& runner, stomp::ConnectionId connection)
      : runner_(runner), connection_(connection) {}

  void add(hub::Request request, hub::Respond respond, std::shared_ptr<const rpc::Service> service);
  /// Carries out what was added, and is added meanwhile.
  Task<void> run();

 private:
  struct Request {
    hub::Request asked;
    hub::Respond respond;
    std::shared_ptr<const rpc::Service> service;
    Clock::time_point began;
    std::vector<std::optional<rpc::Answer>> answers;  ///< to each of its calls
    std::size_t answers_size = 0;
    std::size_t writes = 0;  ///< that are not answered yet

    const events::RpcRequest& call(std::size_t index) const {
      return std::get<events::RpcRequest>(asked.calls.calls[index]);
    }
  };
  /// One that waits to be handed to the engine with those behind it.
  struct Writing {
    Request* request;
    std::size_t index;
    rpc::Write write;
  };
  using Plan = rpc::Service::Plan;

  Task<void> wait_for_room();
  Task<void> begin(Request& request, std::size_t index);
  Task<Plan> plan(const Request& request, std::size_t index, bool is_write);
  Task<rpc::Answer> read(const Request& request, const rpc::Read& reading);
  Task<void> finish_writes();
  template <class Work>
  Task<Plan> by_reader(Work work);

  std::size_t room_for(const Request& request, std::size_t index) const;
  void answer(Request& request, std::size_t index, rpc::Answer answer);
  void respond_to_finished();

  RpcRunner& runner_;
  const stomp::ConnectionId connection_;
  std::deque<std::unique_ptr<Request>> waiting_;
  std::deque<std::unique_ptr<Request>> begun_;
  std::vector<Writing> writes_;
  std::size_t responded_ = 0;  // bytes that the broker has yet to be given
};

}  // namespace doctor::server
