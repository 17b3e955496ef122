#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/base/time.hpp"
#include "doctor/client/options.hpp"

namespace doctor::client {

using CallId = Strong<struct CallIdTag, std::uint64_t>;

/// The requests that wait for their answers. Their JSON ids are the same text for as long as they
/// wait, however often they are sent, and no other client's: some servers keep one table of them.
class Calls {
 public:
  /// @param unique  what no other client has: begins the ids; letters and digits
  explicit Calls(std::string unique) : prefix_("\"" + std::move(unique) + "-") {}

  std::string json_id(CallId call) const { return prefix_ + std::to_string(call.value) + "\""; }

  /// @param frame  what to send, whole
  void add(CallId call, std::string frame, const CallOptions& options, Clock::time_point now);
  std::size_t size() const { return waiting_.size(); }
  bool has(CallId call) const { return waiting_.contains(call); }
  /// Of the frames that are or may be still to be sent.
  std::size_t octets() const { return octets_; }

  /// What to send now, and forgets it if it will not be sent again. The call waits.
  std::string sent(CallId call);
  /// Takes out the one that this answers, if it waits.
  std::optional<CallId> answered(std::string_view json_id);

  /// Those whose time is up: to be sent again, for which their time begins anew, or given up, which
  /// are taken out.
  struct Overdue {
    std::vector<CallId> again;
    std::vector<CallId> given_up;
  };
  Overdue overdue(Clock::time_point now);
  /// When the next one's time is up; Clock::time_point::max(): never.
  Clock::time_point deadline() const;

  /// After a loss: those that were sent are to be sent again, or lost, which are taken out. Those
  /// that were not sent yet are in neither.
  struct Lost {
    std::vector<CallId> again;
    std::vector<CallId> lost;
  };
  Lost connection_lost();
  /// Takes out all.
  std::vector<CallId> clear();

 private:
  struct Waiting {
    std::string frame;
    Clock::duration timeout{};
    Clock::time_point due;
    std::uint32_t retries = 0;
    bool idempotent = false;
    bool sent = false;    // on this connection
    bool resent = false;  // after a loss
  };
  void take_out(CallId call);

  std::string prefix_;
  std::unordered_map<CallId, Waiting> waiting_;
  std::set<std::pair<Clock::time_point, CallId>> dues_;
  std::size_t octets_ = 0;
};

}  // namespace doctor::client
