#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/engine/apply.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/store/store.hpp"

namespace doctor::engine {

/// Told of commits, in order, each exactly once, after they are durable and before the requests
/// that made them are answered. Called on the writer's thread: take the batch, wake whoever it is
/// for, return.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void committed(std::span<const document::CommitPtr> commits) = 0;
};

struct Figures {
  std::uint64_t commits = 0;  ///< revisions made since the start
  std::uint64_t groups = 0;   ///< durable transactions
  std::uint64_t changes = 0;
  std::uint64_t failed_groups = 0;  ///< aborted and tried again one by one
  std::uint64_t waiting = 0;        ///< commands queued now
};

/// Orders everything: one thread takes all commands that wait, applies them in one transaction
/// (group commit), tells the listener, and then answers each. A large bulk is a group of its own.
/// All member functions may be called from any thread.
class Engine {
 public:
  /// Called once, on the writer's thread, when the command is durable or has failed; it must not
  /// block.
  using Completion = std::function<void(Result<Outcome>)>;

  /// @param store     outlives the engine
  /// @param listener  may be null; outlives the engine
  Engine(store::Store& store, const Limits& limits, Listener* listener);
  /// Finishes what was submitted, then stops the writer.
  ~Engine();

  /// Queues a command. Over `commands_waiting` it completes at once with Errc::unavailable.
  void submit(Command command, Completion completion);

  /// Queues ExpireSessions if a session has expired by `now`; call it now and then (once a second).
  void tick(Timestamp now);

  /// Everything at the newest durable revision.
  std::unique_ptr<store::Snapshot> snapshot() const;
  document::Revision revision() const;
  const store::Store& store() const;

  /// Calls back, on the writer's thread, once the store has reached `revision`; if it has, before
  /// this returns. Forget the wait by its number: it is then not called, unless that is happening
  /// at the moment.
  using WaitNumber = std::uint64_t;
  WaitNumber when_reached(document::Revision revision, std::function<void()> callback);
  void forget(WaitNumber wait);

  Figures figures() const;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace doctor::engine
