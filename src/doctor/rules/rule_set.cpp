#include "doctor/rules/rule_set.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "doctor/json/value.hpp"

namespace doctor::rules {
namespace {

bool is_object(std::string_view value) {
  return json::kind(value) == json::Kind::object;
}

// `|vm|updated|id` with {"id":..,"fields":..,"revision":..,"notify_time":..}: nothing that a host
// tells looks like that.
bool is_change_of_document(const events::EventId& event, std::string_view params) {
  const std::string_view operation = event.parts[2];
  if (operation != "created" && operation != "updated" && operation != "removed") return false;
  if (params.empty() || !is_object(params)) return false;
  bool has_id = false;
  bool has_revision = false;
  for (const json::Member& member : json::Members(params)) {
    has_id = has_id || member.name == "id";
    has_revision = has_revision || member.name == "revision";
    if (member.name != "id" && member.name != "fields" && member.name != "revision" &&
        member.name != "notify_time") {
      return false;
    }
  }
  return has_id && has_revision;
}

bool is_notice(const events::EventId& event) {
  return std::find(event.parts.begin(), event.parts.end(), "*") != event.parts.end();
}

// The sender leaves the receiver empty; what it is called here, we know.
std::optional<events::EventId> id_of(const Event& event) {
  auto id = events::parse_event_id(event.method);
  if (id) id->parts[0] = event.upstream;
  return id;
}

bool is_from(const Rule& rule, std::string_view upstream) {
  return rule.from == Rule::anywhere || rule.from == (upstream.empty() ? Rule::broker : upstream);
}

}  // namespace

RuleSet::RuleSet(std::vector<Rule> rules, const Limits& limits)
    : rules_(std::move(rules)), limits_(limits) {
  for (const Rule& rule : rules_) holders_.push_back(index_.add(rule.events));
}

bool RuleSet::is_for(const Event& event) const {
  const auto id = id_of(event);
  return id && !rules_for(event, *id).empty();
}

std::vector<std::size_t> RuleSet::rules_for(const Event& event, const events::EventId& id) const {
  std::vector<std::size_t> places;
  if (rules_.empty() || is_notice(id)) return places;
  index_.match(id, [&](events::Holder holder) {
    const auto at = std::lower_bound(holders_.begin(), holders_.end(), holder);
    const auto place = static_cast<std::size_t>(at - holders_.begin());
    if (is_from(rules_[place], event.upstream)) places.push_back(place);
  });
  if (!places.empty() && is_change_of_document(id, event.params)) places.clear();
  std::sort(places.begin(), places.end());
  return places;
}

void RuleSet::apply(const Event& event, Merges& merges) const {
  const auto id = id_of(event);
  if (!id) return;
  const std::string_view params = event.params.empty() ? "null" : event.params;
  for (const std::size_t place : rules_for(event, *id)) {
    const Rule& rule = rules_[place];
    const auto part = rule.take.find(params, *id);
    if (!part) {
      merges.unfit.push_back(
          {place, Unfit::Cause::not_applicable, "params do not have the part that the rule takes"});
      continue;
    }
    merge(place, rule.id.find(params, *id), *part, merges);
  }
}

void RuleSet::merge(std::size_t place, const std::optional<std::string>& id,
                    std::string_view object, Merges& merges) const {
  const Rule& rule = rules_[place];
  if (!id) {
    merges.unfit.push_back({place, Unfit::Cause::not_applicable, "there is no id of a document"});
    return;
  }
  if (!is_object(object)) {
    merges.unfit.push_back({place, Unfit::Cause::invalid, "what is to be merged is no object"});
    return;
  }
  auto patch =
      document::Patch::parse(document::PatchKind::shallow, rule.fields.choose(object), limits_);
  if (!patch) {
    merges.unfit.push_back({place, Unfit::Cause::invalid, "its fields: " + patch.error().detail});
    return;
  }
  merges.merges.push_back({place, rule.collection, *id, std::move(*patch), rule.create});
}

std::vector<RuleSet::Call> RuleSet::refresh_calls(std::string_view upstream) const {
  std::vector<Call> calls;
  for (std::size_t place = 0; place < rules_.size(); ++place) {
    const Rule& rule = rules_[place];
    if (!rule.refresh || !is_from(rule, upstream)) continue;
    const auto same = std::find_if(calls.begin(), calls.end(), [&](const Call& call) {
      return call.method == rule.refresh->method && call.params == rule.refresh->params;
    });
    if (same == calls.end()) {
      calls.push_back({rule.refresh->method, rule.refresh->params, {place}});
    } else {
      same->rules.push_back(place);
    }
  }
  return calls;
}

void RuleSet::apply_answer(const Call& call, std::string_view upstream, std::string_view result,
                           Merges& merges) const {
  const events::EventId event{{upstream, {}, {}, {}}};
  for (const std::size_t place : call.rules) {
    const auto items = rules_[place].refresh->items.find(result, event);
    if (!items) {
      merges.unfit.push_back({place, Unfit::Cause::not_applicable,
                              "the answer to " + call.method + " does not have the items"});
    } else {
      refresh(place, *items, event, merges);
    }
  }
}

void RuleSet::refresh(std::size_t place, std::string_view items, const events::EventId& event,
                      Merges& merges) const {
  const IdSource& id = rules_[place].refresh->id;
  if (json::kind(items) != json::Kind::array) {
    return merge(place, id.find(items, event), items, merges);
  }
  std::size_t count = 0;
  for (const std::string_view item : json::Elements(items)) {
    if (++count > limits_.events_refresh_items) {
      merges.unfit.push_back({place, Unfit::Cause::invalid,
                              "there are more items than the limit `events_refresh_items`"});
      return;
    }
    merge(place, id.find(item, event), item, merges);
  }
}

}  // namespace doctor::rules
