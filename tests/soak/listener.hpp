#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "line.hpp"

namespace soak {

/// One subscriber: hears, asks for more when it is told to, and keeps account of what it heard.
class Listener final : public doctor::client::EventSubscriber,
                       public std::enable_shared_from_this<Listener> {
 public:
  Listener(const Log& log, Findings& findings, std::shared_ptr<Line> line,
           std::vector<std::string> ids)
      : log_(log), findings_(findings), line_(std::move(line)), account_(log, std::move(ids)) {}

  void request(std::int64_t n);
  void cancel();
  /// @param published  as Account::fault has it
  void judge(const std::vector<std::size_t>& published);

  void on_subscribe(std::shared_ptr<doctor::client::Subscription> subscription) override;
  void on_next(const doctor::client::Event& event) override;
  void on_error(const doctor::client::Error& failure) override;
  void on_complete() override;
  void on_disconnect(const doctor::client::Error&) override { const Signal signal(*this); }
  void on_reconnect(const doctor::client::Gap&) override { const Signal signal(*this); }
  void on_dropped(std::uint64_t count) override;

 private:
  // Signals come one at a time, and none after the end: finds fault with others.
  struct Signal {
    explicit Signal(Listener& listener);
    ~Signal() { of.inside_ = false; }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    Listener& of;
  };

  const Log& log_;
  Findings& findings_;
  const std::shared_ptr<Line> line_;
  std::shared_ptr<doctor::client::Subscription> subscription_;  // from on_subscribe on
  std::atomic<std::int64_t> requested_ = 0;
  std::atomic<std::int64_t> given_ = 0;
  std::atomic<bool> inside_ = false;  // a signal runs
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;
  Account account_;  // guarded by mutex_
};

}  // namespace soak
