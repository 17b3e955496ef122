#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/mqtt/broker.hpp"
#include "doctor/store/record_file.hpp"

namespace doctor::server {

/// Writes what the broker must not forget to its file (docs/formats/records.md), on a thread of its
/// own, one batch at a time: what changes meanwhile is the next one. A write that fails is tried
/// again every second until it succeeds; a batch is not told as written before it is.
class MqttState {
 public:
  /// Touches nothing yet. The store's lock on the directory must be held.
  MqttState(std::filesystem::path path, std::string store_id, std::uint64_t map_size);
  /// As `stop` without patience.
  ~MqttState();

  // At the start, before there is a thread.

  /// What was written last. A file that cannot be used is set aside, and there is nothing; an error
  /// only if the disk lets neither be done.
  Result<std::vector<mqtt::StateRecord>> read(Timestamp now);
  /// Sets the file aside, and says in the log why and where it is.
  Result<void> set_aside(const Error& cause, Timestamp now);

  /// Called, on the thread of the writer, when a batch is durable.
  using Written = std::function<void(std::uint64_t batch)>;
  void start(Written written);

  // Any thread from here on.

  /// Whether the next batch can be given: all before it are durable.
  bool is_idle() const { return idle_.load(std::memory_order_acquire); }
  /// Waits for that. @return whether it is so
  bool wait_until_idle(Clock::time_point deadline);
  /// Only while `is_idle`.
  void write(mqtt::StateBatch batch);

  /// Writes what waits, and ends the thread. @param deadline  after it, a write that has failed is
  /// not tried again
  void stop(Clock::time_point deadline);

  struct Figures {
    std::uint64_t batches = 0;  ///< durable
    std::uint64_t records = 0;  ///< of them, written or erased
    std::uint64_t bytes = 0;    ///< of keys and values
    std::uint64_t failures = 0;
    std::uint64_t waiting = 0;  ///< records of the batch that is being written, now
    std::uint64_t size_on_disk = 0;
  };
  Figures figures() const;

 private:
  void run();
  Result<void> save(const mqtt::StateBatch& batch);
  void tell_failure(const Error& failure, std::size_t records);

  store::RecordFile file_;  // of the thread, once there is one
  Written written_;
  bool failing_ = false;            // of the thread
  Clock::time_point failure_told_;  // of the thread
  std::atomic<bool> idle_{true};    // changed under mutex_

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<mqtt::StateBatch> batch_;  // not changed while it is written
  std::optional<Clock::time_point> stop_by_;
  Figures figures_;

  std::thread thread_;
};

}  // namespace doctor::server
