#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/limits.hpp"
#include "doctor/document/document.hpp"
#include "doctor/events/subscription_index.hpp"
#include "doctor/rules/rule.hpp"

namespace doctor::rules {

/// An event as it came.
struct Event {
  std::string_view upstream{};  ///< the host's configured name; empty: the broker's destinations
  std::string_view method;      ///< its id, in which the receiver is not looked at
  std::string_view params{};    ///< compact JSON that was checked; empty: none
};

/// What is to be done to one document: a PATCH of type application/json.
struct Merge {
  std::size_t rule;  ///< by its place
  std::string collection;
  std::string id;
  document::Patch patch;
  bool create;
};

/// Why a rule could not be applied to an event or item that it is for.
struct Unfit {
  enum class Cause : std::uint8_t {
    not_applicable,  ///< the id or the part to merge is not there
    invalid,         ///< what is there cannot be merged
  };
  std::size_t rule;
  Cause cause;
  std::string detail;  ///< for a person
};

/// What events come to, in their order, and for each in the order of the rules.
struct Merges {
  std::vector<Merge> merges;
  std::vector<Unfit> unfit;
};

/// All rules. Immutable once made: any thread may use it.
class RuleSet {
 public:
  RuleSet() = default;
  RuleSet(std::vector<Rule> rules, const Limits& limits);

  bool empty() const { return rules_.empty(); }
  std::size_t size() const { return rules_.size(); }
  const Rule& rule(std::size_t place) const { return rules_[place]; }

  /// Whether any rule is for it. That costs little, however many rules there are.
  bool is_for(const Event& event) const;

  /// Appends what the event comes to. Of no rule are: events with a `*` in their id, which are
  /// notices about many; and what a Doctor tells of its own documents' changes (`|vm|updated|id`),
  /// for two of them would tell each other forever.
  void apply(const Event& event, Merges& merges) const;

  /// A request for the rules that would make the same one.
  struct Call {
    std::string method;
    std::string params;  ///< as Refresh's
    std::vector<std::size_t> rules;
  };
  /// What to ask a host after events of it may have been missed; in the order of the rules.
  std::vector<Call> refresh_calls(std::string_view upstream) const;
  /// Appends what the answer to one of them comes to; of its items the first
  /// `events_refresh_items`.
  /// @param result  compact JSON that was checked
  void apply_answer(const Call& call, std::string_view upstream, std::string_view result,
                    Merges& merges) const;

 private:
  void merge(std::size_t place, const std::optional<std::string>& id, std::string_view object,
             Merges& merges) const;
  void refresh(std::size_t place, std::string_view items, const events::EventId& event,
               Merges& merges) const;
  /// The places of those that are for it, in their order.
  std::vector<std::size_t> rules_for(const Event& event, const events::EventId& id) const;

  std::vector<Rule> rules_;
  Limits limits_;
  events::SubscriptionIndex index_;
  std::vector<events::Holder> holders_;  // by place, ascending
};

}  // namespace doctor::rules
