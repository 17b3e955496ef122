#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/query/builder.hpp"
#include "doctor/query/place.hpp"
#include "doctor/query/plan.hpp"
#include "doctor/query/selector.hpp"

/// From the compact JSON of a query to its plan. `home` is always the collection of the documents
/// that are asked, `depth` how deep in the query the value stands.
namespace doctor::query {

/// The members of an object by their (unescaped) names.
using MemberMap = std::map<std::string, std::string_view, std::less<>>;

/// Errc::invalid unless `value` is an object with no other keys than these.
Result<MemberMap> parse_members(std::string_view value, const Place& place,
                                std::span<const std::string_view> known);
/// A string that is not empty, unescaped.
Result<std::string> parse_name(std::string_view value, const Place& place);

/// Appends the selectors of a `select`: a string, an object, or an array of such.
Result<void> parse_select(std::string_view value, const Place& place, Slot home,
                          std::uint32_t depth, Builder& builder, std::vector<Chain>& chains);
/// The object that selectors make: those with the same key are one.
Result<Object> make_object(std::vector<Chain> chains, const Place& place, Builder& builder);

/// A `where`.
Result<Condition> parse_condition(std::string_view value, const Place& place, Slot home,
                                  std::uint32_t depth, Builder& builder);

/// The path of a condition or an order: along references, or into nested objects.
Result<Path> parse_path(std::string_view path, const Place& place, Slot home, std::uint32_t depth,
                        Builder& builder);
Result<std::vector<Order>> parse_orders(std::string_view value, const Place& place, Slot home,
                                        std::uint32_t depth, Builder& builder);
/// What `members` says of `where`, `orderBy`, `limit` and `skip`, if anything.
Result<Refinement> parse_refinement(const MemberMap& members, const Place& place, Slot home,
                                    std::uint32_t depth, Builder& builder);

}  // namespace doctor::query
