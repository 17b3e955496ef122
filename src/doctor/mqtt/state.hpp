#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "doctor/mqtt/broker.hpp"
#include "doctor/mqtt/publication.hpp"
#include "doctor/mqtt/records.hpp"

namespace doctor::mqtt {

/// What has changed of the state that outlives the process, since it was last taken to be made
/// durable. Batches are numbered from 1; what waits for a change waits for its batch.
class State {
 public:
  /// For a session, a subscription, a message: counts up, and is never used again.
  std::uint64_t new_number() { return ++last_number_; }
  /// Of what has been restored.
  void note_number(std::uint64_t number) { last_number_ = std::max(last_number_, number); }

  /// A record whose key has never been used.
  void create(const RecordKey& key, std::string value);
  void replace(const RecordKey& key, std::string value);
  void erase(const RecordKey& key);

  /// The number of the record of a message, which is made with the first one who holds it.
  std::uint64_t hold(const PublicationPtr& publication, const Timeline& timeline);
  /// One holder less; with the last one the record goes.
  void release(const PublicationPtr& publication);
  /// 0: nobody holds it.
  std::uint64_t number_of(const PublicationPtr& publication) const {
    const auto found = held_.find(publication.get());
    return found == held_.end() ? 0 : found->second.number;
  }
  /// The same as `hold` for a message that was restored with this number.
  void adopt(const PublicationPtr& publication, std::uint64_t number);

  /// The batch that what changes now belongs to.
  std::uint64_t next_batch() const { return taken_ + 1; }
  bool is_durable(std::uint64_t batch) const { return batch <= durable_; }
  /// Someone waits for what has changed, or may.
  void ask() {
    asked_ = true;
    ++asks_;
  }
  /// How often `ask` was called.
  std::uint64_t asks() const { return asks_; }
  bool is_asked() const { return asked_; }
  bool is_empty() const { return pending_.empty(); }
  /// Bytes of what was not taken yet.
  std::size_t bytes() const { return bytes_; }

  /// All that changed. Not before the one taken last is durable.
  StateBatch take();
  /// @param batch  the number of the one taken last
  void durable(std::uint64_t batch) { durable_ = batch; }

 private:
  struct Pending {
    std::optional<std::string> value;  // none: erased
    bool is_new = false;               // no batch has had it: erasing it leaves nothing to do
  };
  struct Held {
    std::uint64_t number = 0;
    std::size_t holders = 0;
  };

  void put(const RecordKey& key, std::string value, bool is_new);

  std::unordered_map<std::string, Pending> pending_;
  std::size_t bytes_ = 0;
  std::unordered_map<const Publication*, Held> held_;
  std::uint64_t last_number_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t asks_ = 0;
  bool asked_ = false;
};

}  // namespace doctor::mqtt
