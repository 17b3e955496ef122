#pragma once

#include <memory>
#include <thread>

#include "doctor/client/client.hpp"
#include "doctor/client/deliveries.hpp"
#include "doctor/net/asio.hpp"

namespace doctor::client {

struct Runtime::Impl {
  explicit Impl(std::size_t delivery_threads);
  ~Impl();

  std::shared_ptr<net::asio::io_context> sockets = std::make_shared<net::asio::io_context>(1);
  net::asio::executor_work_guard<net::Executor> open{sockets->get_executor()};
  std::shared_ptr<DeliveryQueue> deliveries = std::make_shared<DeliveryQueue>();
  std::unique_ptr<DeliveryThreads> delivery_threads;
  std::thread socket_thread;
};

}  // namespace doctor::client
