#include "doctor/server/mqtt_state.hpp"

#include <pthread.h>
#include <utility>

#include "doctor/base/log.hpp"

namespace doctor::server {
namespace {

using mqtt::StateRecord;
using std::chrono::milliseconds;

constexpr milliseconds retry_after{1'000};
constexpr milliseconds retry_after_when_stopping{100};
constexpr std::chrono::minutes between_warnings{1};

}  // namespace

MqttState::MqttState(std::filesystem::path path, std::string store_id, std::uint64_t map_size)
    : file_(std::move(path), std::move(store_id), map_size) {}

MqttState::~MqttState() {
  stop(Clock::now());
}

Result<std::vector<StateRecord>> MqttState::read(Timestamp now) {
  std::vector<StateRecord> records;
  const auto done = file_.read([&](std::string_view key, std::string_view value) {
    records.push_back({std::string(key), std::string(value)});
  });
  if (done) return records;
  if (done.error().code != Errc::invalid) return done.error();
  if (auto aside = set_aside(done.error(), now); !aside) return aside.error();
  return std::vector<StateRecord>();
}

Result<void> MqttState::set_aside(const Error& cause, Timestamp now) {
  const auto aside = file_.set_aside(now);
  if (!aside) return aside.error();
  log::error(
      "what was kept of MQTT cannot be used and is set aside: persistent sessions, their "
      "subscriptions and queued messages, retained messages and wills are lost",
      {{"cause", cause.detail}, {"set aside as", aside->string()}});
  return {};
}

void MqttState::start(Written written) {
  written_ = std::move(written);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "doctor-mqtt");
}

bool MqttState::wait_until_idle(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return is_idle(); });
}

void MqttState::write(mqtt::StateBatch batch) {
  {
    const std::scoped_lock lock(mutex_);
    batch_ = std::move(batch);
    idle_.store(false, std::memory_order_release);
  }
  changed_.notify_all();
}

void MqttState::stop(Clock::time_point deadline) {
  {
    const std::scoped_lock lock(mutex_);
    stop_by_ = deadline;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

MqttState::Figures MqttState::figures() const {
  const std::uint64_t size = file_.size_on_disk();
  const std::scoped_lock lock(mutex_);
  Figures figures = figures_;
  figures.waiting = batch_ ? batch_->records.size() : 0;
  figures.size_on_disk = size;
  return figures;
}

void MqttState::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return batch_ || stop_by_; });
    if (!batch_) return;
    lock.unlock();
    const Result<void> saved = save(*batch_);
    lock.lock();
    if (saved) {
      const std::uint64_t number = batch_->number;
      ++figures_.batches;
      figures_.records += batch_->records.size();
      for (const StateRecord& record : batch_->records) {
        figures_.bytes += record.key.size() + (record.value ? record.value->size() : 0);
      }
      batch_.reset();
      idle_.store(true, std::memory_order_release);
      lock.unlock();
      changed_.notify_all();
      written_(number);
      lock.lock();
      continue;
    }
    ++figures_.failures;
    if (stop_by_ && Clock::now() >= *stop_by_) {
      log::error("the newest of what must be kept of MQTT is lost, since it cannot be written",
                 {{"cause", saved.error().detail}});
      return;
    }
    // Whoever asks for the end wakes the first wait; the tries after it are closer together.
    if (stop_by_) {
      changed_.wait_for(lock, retry_after_when_stopping);
    } else {
      changed_.wait_for(lock, retry_after, [this] { return stop_by_.has_value(); });
    }
  }
}

Result<void> MqttState::save(const mqtt::StateBatch& batch) {
  if (batch.records.empty()) return {};
  std::vector<store::RecordChange> changes;
  changes.reserve(batch.records.size());
  for (const StateRecord& record : batch.records) changes.push_back({record.key, record.value});
  auto written = file_.write(changes);
  if (!written) tell_failure(written.error(), batch.records.size());
  if (written && std::exchange(failing_, false)) {
    log::warning("what is kept of MQTT is written again");
  }
  return written;
}

void MqttState::tell_failure(const Error& failure, std::size_t records) {
  const Clock::time_point now = Clock::now();
  if (std::exchange(failing_, true) && now - failure_told_ < between_warnings) return;
  failure_told_ = now;
  log::error(
      "what must be kept of MQTT cannot be written, and is tried again every second; clients wait "
      "for it at QoS 1 and 2",
      {{"cause", failure.detail}, {"records", std::to_string(records)}});
}

}  // namespace doctor::server
