#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doctor/engine/authority.hpp"
#include "doctor/engine/engine.hpp"
#include "doctor/hub/hub.hpp"
#include "doctor/server/commit_box.hpp"
#include "doctor/server/configuration.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/posted_once.hpp"
#include "doctor/server/shared.hpp"
#include "doctor/server/slow_writes.hpp"

namespace doctor::server {

class StompConnection;

/// The hub with its broker of STOMP and their sockets, all on one I/O thread. Commits come from the
/// writer's thread in batches with one wake-up.
///
/// `committed`, `adopt`, `publish`, `use` and `figures` may be called from any thread; all else is
/// of the I/O thread.
class StompService final : public engine::Listener {
 public:
  /// @param thread   outlives the service's use, not the service: STOMP connections end with it
  /// @param methods  who carries out requests; outlives the threads
  /// @param has_rules  whether Shared::event_rules gets the events that clients send
  StompService(IoThread& thread, Shared& shared, const engine::Authority& authority,
               const Configuration::Stomp& settings, const std::string& version,
               hub::Methods& methods, bool has_rules);
  ~StompService() override;

  /// Before the engine makes its first commit: from here on every change is heard.
  void set_revision(document::Revision revision) { hub_.set_revision(revision); }
  /// The clock begins to tick.
  void start();

  void committed(std::span<const document::CommitPtr> commits) override;

  /// A client's stream, on the I/O thread.
  void accept(Stream stream, std::string peer, Share place);
  /// One whose handshake was done by another I/O thread.
  void adopt(DetachedStream stream, std::string peer, Share place);

  /// Tells all who may read everything of an event that no client sent, then calls back on the I/O
  /// thread. Any thread.
  void publish(hub::Event event, std::function<void()> done);

  /// What of the settings may change while it runs.
  void use(const Configuration::Stomp& settings);

  struct Figures {
    stomp::Figures broker;
    hub::Figures hub;
  };
  Task<Figures> figures(Mailbox& mailbox);

  /// ERROR to all, whose sockets then close.
  void shut_down();

  // For the connections.
  stomp::Broker& broker() { return hub_.broker(); }
  Shared& shared() { return shared_; }
  /// Lets everyone do what the hub has for them.
  void pump();
  /// The same once all sockets that are ready now have been read: what they cause together is then
  /// one write for each receiver.
  void pump_soon();
  SlowWrites& slow_writes() { return slow_writes_; }
  void forget(stomp::ConnectionId connection) { connections_.erase(connection); }
  /// Memory for reading and writing that is empty between turns: idle connections need none.
  std::string& scratch_input() { return scratch_input_; }
  std::string& scratch_output() { return scratch_output_; }

 private:
  hub::Surroundings surroundings();
  std::optional<std::string> certified_name(const Stream& stream, std::string_view peer) const;
  bool carry_out_requests();
  void hand_over_events();
  void carry_on();
  Task<void> tick();

  IoThread& thread_;
  Shared& shared_;
  const engine::Authority& authority_;
  hub::Methods& methods_;
  Configuration::Stomp settings_;
  hub::Hub hub_;
  std::unordered_map<stomp::ConnectionId, StompConnection*> connections_;
  SlowWrites slow_writes_;
  std::string scratch_input_;
  std::string scratch_output_;
  CommitBox commits_;
  PostedOnce pumping_;
  PostedOnce advancing_;  // the hub's next part
};

}  // namespace doctor::server
