#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "doctor/client/client.hpp"
#include "model.hpp"

namespace soak {

/// What everyone found, together.
struct Findings {
  std::atomic<std::uint64_t> events = 0;
  std::atomic<std::uint64_t> dropped = 0;          // by the client's buffers
  std::atomic<std::uint64_t> dropped_by_peer = 0;  // by the server's
  std::atomic<std::uint64_t> outages = 0;
  std::atomic<std::uint64_t> subscriptions = 0;

  void fault(std::string text) {
    const std::lock_guard lock(mutex);
    if (faults.size() < 20) faults.push_back(std::move(text));
  }
  std::mutex mutex;
  std::vector<std::string> faults;  // guarded by mutex
};

/// A client, when it was cut off, and what its peer said that it had dropped. Listens for that
/// itself: each connection has one such subscription.
class Line final : public doctor::client::EventSubscriber,
                   public std::enable_shared_from_this<Line> {
 public:
  Line(doctor::client::Client client, Findings& findings)
      : client_(std::move(client)), findings_(findings) {}

  void start();
  doctor::client::Client& client() { return client_; }
  /// Before it is cut off.
  void cut_begins();
  /// Those that are over, and the one that is not, up to now.
  std::vector<Outage> outages() const;
  std::uint64_t dropped_by_peer() const { return dropped_by_peer_; }
  bool is_whole() const;

  void on_subscribe(std::shared_ptr<doctor::client::Subscription> subscription) override;
  void on_next(const doctor::client::Event& event) override;
  void on_error(const doctor::client::Error& failure) override;
  void on_complete() override {}
  void on_disconnect(const doctor::client::Error& reason) override;
  void on_reconnect(const doctor::client::Gap& gap) override;
  void on_dropped(std::uint64_t count) override;

 private:
  doctor::client::Client client_;
  Findings& findings_;
  std::atomic<std::uint64_t> dropped_by_peer_ = 0;
  mutable std::mutex mutex_;
  std::vector<Outage> over_;       // guarded by mutex_
  std::optional<Time> cut_since_;  // guarded by mutex_
  std::uint64_t cuts_ = 0;         // guarded by mutex_
};

/// The number that follows `"name":` in flat JSON.
std::size_t number_of(std::string_view json, std::string_view name);

}  // namespace soak
