#include "doctor/server/mqtt_state.hpp"

#include <algorithm>
#include <iterator>
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
  stop(milliseconds(0));
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

void MqttState::write(mqtt::StateBatch batch) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      waiting_ = std::move(batch.records);
    } else {
      std::move(batch.records.begin(), batch.records.end(), std::back_inserter(waiting_));
    }
    newest_ = batch.number;
    if (!failing_) busy_.store(true, std::memory_order_release);
  }
  wake_.notify_one();
}

void MqttState::stop(milliseconds patience) {
  {
    const std::scoped_lock lock(mutex_);
    stop_by_ = Clock::now() + patience;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

MqttState::Figures MqttState::figures() const {
  const std::uint64_t size = file_.size_on_disk();
  const std::scoped_lock lock(mutex_);
  Figures figures = figures_;
  figures.waiting = waiting_.size() + writing_;
  figures.size_on_disk = size;
  return figures;
}

void MqttState::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return newest_ || stop_by_; });
    if (!newest_) return;
    const std::uint64_t batch = *std::exchange(newest_, std::nullopt);
    std::vector<StateRecord> records = std::exchange(waiting_, {});
    writing_ = records.size();
    busy_.store(true, std::memory_order_release);
    lock.unlock();
    const Result<std::uint64_t> saved = save(records);
    if (!saved) compact(records);
    lock.lock();
    writing_ = 0;
    busy_.store(false, std::memory_order_release);
    if (!saved) {
      put_back(batch, std::move(records));
      tell_failure(saved.error());
      if (stop_by_ && Clock::now() >= *stop_by_) {
        log::error("the newest of what must be kept of MQTT is lost, since it cannot be written");
        return;
      }
      if (stop_by_) {
        wake_.wait_for(lock, retry_after_when_stopping);
      } else {
        wake_.wait_for(lock, retry_after, [this] { return stop_by_.has_value(); });
      }
      continue;
    }
    if (std::exchange(failing_, false)) log::warning("what is kept of MQTT is written again");
    ++figures_.transactions;
    figures_.records += records.size();
    figures_.bytes += *saved;
    lock.unlock();
    records.clear();
    written_(batch);
    lock.lock();
  }
}

Result<std::uint64_t> MqttState::save(const std::vector<StateRecord>& records) {
  std::uint64_t bytes = 0;
  std::vector<store::RecordChange> changes;
  changes.reserve(records.size());
  for (const StateRecord& record : records) {
    bytes += record.key.size() + (record.value ? record.value->size() : 0);
    changes.push_back({record.key, record.value});
  }
  if (changes.empty()) return bytes;
  if (auto written = file_.write(changes); !written) return written.error();
  return bytes;
}

// While writes fail, all that changes is taken, so that a later change can undo one that waits.
void MqttState::put_back(std::uint64_t batch, std::vector<StateRecord> records) {
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(records));
  waiting_ = std::move(records);
  if (!newest_) newest_ = batch;
}

void MqttState::compact(std::vector<StateRecord>& records) const {
  std::stable_sort(records.begin(), records.end(),
                   [](const StateRecord& a, const StateRecord& b) { return a.key < b.key; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    StateRecord& record = records[i];
    if (i + 1 < records.size() && record.key == records[i + 1].key) continue;
    if (!record.value && !file_.may_have(record.key)) continue;
    if (kept != i) records[kept] = std::move(record);
    ++kept;
  }
  records.resize(kept);
}

void MqttState::tell_failure(const Error& failure) {
  ++figures_.failures;
  const Clock::time_point now = Clock::now();
  if (std::exchange(failing_, true) && now - failure_told_ < between_warnings) return;
  failure_told_ = now;
  log::error(
      "what must be kept of MQTT cannot be written, and is tried again every second; clients wait "
      "for it at QoS 1 and 2",
      {{"cause", failure.detail}, {"records", std::to_string(waiting_.size())}});
}

}  // namespace doctor::server
