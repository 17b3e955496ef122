#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "doctor/server/deadlines.hpp"
#include "doctor/server/mailbox.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/repeats.hpp"
#include "doctor/server/request_figures.hpp"

namespace doctor::rest {
class Service;
}

namespace doctor::server {

/// One thread with its io_context and everything that belongs to it: its connections with their
/// deadlines, its mailbox, its figures. What is reached through it is for this thread alone, but
/// for `context` (to post), `mailbox` (to post) and `figures` (to read).
class IoThread {
 public:
  /// @param sweep_interval  how often deadlines are looked at
  explicit IoThread(std::chrono::milliseconds sweep_interval);
  /// Call `stop` first.
  ~IoThread();

  void start();
  /// Ends the loop, whatever is under way, and waits for the thread. Connections that are left end
  /// with the IoThread itself.
  void stop();

  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  Mailbox& mailbox() { return mailbox_; }
  Deadlines& deadlines() { return deadlines_; }
  RequestFigures& figures() { return figures_; }
  const RequestFigures& figures() const { return figures_; }

  /// What requests are judged by from now on; a request keeps the one it began with.
  const std::shared_ptr<const rest::Service>& service() const { return service_; }
  void use(std::shared_ptr<const rest::Service> service) {
    service_ = std::move(service);
    repeats_.clear();
  }
  /// Answers of `service` to requests that may come again.
  Repeats& repeats() { return repeats_; }

  /// `Date: ...` with its CRLF (RFC 9110 §6.6.1), made once a second.
  std::string_view date_line();

 private:
  void run();
  void sweep_later();

  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  std::chrono::milliseconds sweep_interval_;
  Timer sweep_timer_;
  Mailbox mailbox_;
  Deadlines deadlines_;
  RequestFigures figures_;
  std::shared_ptr<const rest::Service> service_;
  Repeats repeats_;
  std::time_t date_second_ = 0;
  std::string date_line_;
  std::thread thread_;
};

}  // namespace doctor::server
