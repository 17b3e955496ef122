#pragma once

#include <utility>

#include "doctor/server/net.hpp"

namespace doctor::server {

/// A task of an I/O thread that is posted at most once until it runs, however often it is asked
/// for: it comes when everyone else on the thread has had a turn. Belongs to that thread, and
/// outlives its loop.
class PostedOnce {
 public:
  explicit PostedOnce(asio::io_context& context) : context_(context) {}

  template <class Run>
  void post(Run run) {
    if (std::exchange(posted_, true)) return;
    asio::post(context_, [this, run = std::move(run)] {
      posted_ = false;
      run();
    });
  }

 private:
  asio::io_context& context_;
  bool posted_ = false;
};

}  // namespace doctor::server
