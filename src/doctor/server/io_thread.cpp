#include "doctor/server/io_thread.hpp"

#include <array>
#include <pthread.h>

#include "doctor/base/log.hpp"

namespace doctor::server {

IoThread::IoThread(std::chrono::milliseconds sweep_interval)
    : work_(asio::make_work_guard(context_)),
      sweep_interval_(sweep_interval),
      sweep_timer_(context_),
      mailbox_(context_) {}

IoThread::~IoThread() = default;

void IoThread::start() {
  sweep_later();
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "doctor-io");
}

void IoThread::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void IoThread::run() {
  // What connections throw ends in them; whatever else comes out of a handler is a bug, and no
  // reason to leave the other connections alone.
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& failure) {
      log::error("an I/O handler failed", {{"what", failure.what()}});
    }
  }
}

void IoThread::sweep_later() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](const error_code& failure) {
    if (failure) return;
    deadlines_.sweep(Clock::now());
    sweep_later();
  });
}

std::string_view IoThread::date_line() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != date_second_) {
    date_second_ = now.tv_sec;
    std::tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 48> text{};
    std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    date_line_ = text.data();
  }
  return date_line_;
}

}  // namespace doctor::server
