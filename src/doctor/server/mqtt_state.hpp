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
/// own: whatever waits becomes durable in one transaction. A write that fails is tried again, with
/// all that has come to wait meanwhile, until it succeeds; nothing is told as written before it is.
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

  /// Called, on the thread of the writer, when a batch and all before it are durable.
  using Written = std::function<void(std::uint64_t batch)>;
  void start(Written written);

  // Any thread from here on.

  /// Whether the next batch should come now: none is being written. Until then what changes is
  /// better collected.
  bool wants() const { return !busy_.load(std::memory_order_acquire); }
  void write(mqtt::StateBatch batch);

  /// Writes what waits, and ends the thread. @param patience  for how long it is tried again
  void stop(std::chrono::milliseconds patience);

  struct Figures {
    std::uint64_t transactions = 0;
    std::uint64_t records = 0;  ///< written or erased
    std::uint64_t bytes = 0;    ///< of keys and values
    std::uint64_t failures = 0;
    std::uint64_t waiting = 0;  ///< records, now
    std::uint64_t size_on_disk = 0;
  };
  Figures figures() const;

 private:
  void run();
  /// @return how many bytes of keys and values
  Result<std::uint64_t> save(const std::vector<mqtt::StateRecord>& records);
  void put_back(std::uint64_t batch, std::vector<mqtt::StateRecord> records);
  void tell_failure(const Error& failure);
  /// Of several changes of a record only the last is left, and none that erases what the file does
  /// not have: however long nothing can be written, what waits is about what the broker has.
  void compact(std::vector<mqtt::StateRecord>& records) const;

  store::RecordFile file_;  // of the thread, once there is one
  Written written_;
  std::atomic<bool> busy_{false};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<mqtt::StateRecord> waiting_;
  std::size_t writing_ = 0;              // records
  std::optional<std::uint64_t> newest_;  // batch of those that wait
  bool failing_ = false;
  Clock::time_point failure_told_;
  std::optional<Clock::time_point> stop_by_;
  Figures figures_;

  std::thread thread_;
};

}  // namespace doctor::server
