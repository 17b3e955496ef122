#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"
#include "doctor/hub/event.hpp"
#include "doctor/server/event_rules.hpp"
#include "doctor/server/event_settings.hpp"

namespace doctor::client {
class Runtime;
}

namespace doctor::server {

/// The hosts that Doctor listens to by itself, on two threads of their own. Their events go to the
/// rules and, where that is wanted, to our own event destinations; after a gap in a connection the
/// rules' refresh calls are made. That a host cannot be reached is no error: it is tried again and
/// again.
class Upstreams {
 public:
  /// Publishes an event on our own destinations and then calls back; any thread.
  using Republish = std::function<void(hub::Event event, std::function<void()> done)>;

  /// @param rules  outlives this
  /// @return Errc::invalid if the settings of a host cannot be used: its TLS files
  static Result<std::unique_ptr<Upstreams>> open(const std::vector<UpstreamSettings>& settings,
                                                 const Limits& limits, EventRules& rules,
                                                 Republish republish);
  /// Ends all connections; afterwards nothing is called.
  ~Upstreams();
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  struct Figures {
    std::string_view name;
    bool connected = false;
    std::uint64_t connections = 0;       ///< that came about
    std::uint64_t events = 0;            ///< that arrived
    std::uint64_t of_others = 0;         ///< of these, dropped since they name another receiver
    std::uint64_t unmatched = 0;         ///< messages that were neither events nor awaited
    std::uint64_t refreshes = 0;         ///< calls that were answered
    std::uint64_t refreshes_failed = 0;  ///< with an error, or not in time
  };
  /// One for each host, in the order of the settings. Any thread.
  std::vector<Figures> figures() const;

 private:
  class Host;
  Upstreams();

  std::shared_ptr<client::Runtime> runtime_;
  std::vector<std::shared_ptr<Host>> hosts_;
};

}  // namespace doctor::server
