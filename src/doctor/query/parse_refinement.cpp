// Paths, orders, limit and skip: declared in parse.hpp.

#include <algorithm>
#include <limits>

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"
#include "doctor/query/parse.hpp"

namespace doctor::query {
namespace {

// `limit` or `skip`: a whole number, or the decimal text of one.
Result<std::optional<std::uint64_t>> parse_number(const MemberMap& members, std::string_view key,
                                                  const Place& place) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  const auto found = members.find(key);
  if (found == members.end()) return std::optional<std::uint64_t>();
  const std::string_view value = found->second;
  const std::string text =
      json::is_string(value) ? json::unescape(json::content(value)) : std::string(value);
  const auto number = parse_unsigned(text, most);
  if (!number) {
    return wrong(Place(place, key), std::string(key) + " is a whole number from 0 to " +
                                        std::to_string(most) + ", not " + shown(value));
  }
  return std::optional(*number);
}

Result<Order> parse_order(std::string_view value, const Place& place, Slot home,
                          std::uint32_t depth, Builder& builder) {
  if (!json::is_string(value)) {
    return wrong(place, "an order is a path, a string, not " + std::string(kind_name(value)));
  }
  const std::string text = json::unescape(json::content(value));
  std::string_view path_text = text;
  Order order;
  if (path_text.starts_with('-')) {
    order.descending = true;
    path_text.remove_prefix(1);
  }
  auto path = parse_path(path_text, place, home, depth, builder);
  if (!path) return path.error();
  if (std::any_of(path->steps.begin(), path->steps.end(),
                  [](const Step& step) { return step.is_many(); })) {
    return wrong(place,
                 shown(text) + " goes through a `@[...]`, which has no one value to order by");
  }
  order.path = std::move(*path);
  return order;
}

}  // namespace

Result<MemberMap> parse_members(std::string_view value, const Place& place,
                                std::span<const std::string_view> known) {
  MemberMap members;
  for (const json::Member& member : json::Members(value)) {
    std::string name = json::unescape(member.name);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string detail = shown(name) + " is unknown; known are";
      for (const std::string_view one : known) detail.append(" ").append(one);
      return wrong(Place(place, name), detail);
    }
    members.emplace(std::move(name), member.value);
  }
  return members;
}

Result<std::string> parse_name(std::string_view value, const Place& place) {
  if (!json::is_string(value)) {
    return wrong(place, "a string is expected, not " + std::string(kind_name(value)));
  }
  std::string name = json::unescape(json::content(value));
  if (name.empty()) return wrong(place, "this must not be empty");
  return name;
}

Result<Path> parse_path(std::string_view path, const Place& place, Slot home, std::uint32_t depth,
                        Builder& builder) {
  if (path.starts_with('@')) return SelectorReader(path, builder, place).path(home, depth);
  Path parsed;
  for (;;) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    if (dot == 0) return wrong(place, "a path has a name before, between and behind its dots");
    parsed.names.push_back(builder.name(path.substr(0, dot)));
    if (dot == path.size()) return parsed;
    path.remove_prefix(dot + 1);
  }
}

Result<std::vector<Order>> parse_orders(std::string_view value, const Place& place, Slot home,
                                        std::uint32_t depth, Builder& builder) {
  std::vector<Order> orders;
  if (json::kind(value) != json::Kind::array) {
    auto order = parse_order(value, place, home, depth, builder);
    if (!order) return order.error();
    orders.push_back(std::move(*order));
    return orders;
  }
  for (const std::string_view element : json::Elements(value)) {
    const std::size_t most = builder.limits().query_orders;
    if (orders.size() == most) {
      return wrong(place, "more than " + std::to_string(most) + " paths (limit query_orders)");
    }
    auto order = parse_order(element, Place(place, orders.size()), home, depth, builder);
    if (!order) return order.error();
    orders.push_back(std::move(*order));
  }
  return orders;
}

Result<Refinement> parse_refinement(const MemberMap& members, const Place& place, Slot home,
                                    std::uint32_t depth, Builder& builder) {
  Refinement refinement;
  if (const auto where = members.find("where"); where != members.end()) {
    auto condition = parse_condition(where->second, Place(place, "where"), home, depth, builder);
    if (!condition) return condition.error();
    refinement.where = std::move(*condition);
    refinement.where_text = where->second;
  }
  if (const auto order = members.find("orderBy"); order != members.end()) {
    auto orders = parse_orders(order->second, Place(place, "orderBy"), home, depth, builder);
    if (!orders) return orders.error();
    refinement.orders = std::move(*orders);
  }
  const auto limit = parse_number(members, "limit", place);
  if (!limit) return limit.error();
  const auto skip = parse_number(members, "skip", place);
  if (!skip) return skip.error();
  refinement.limit = *limit;
  refinement.skip = *skip;
  return refinement;
}

}  // namespace doctor::query
