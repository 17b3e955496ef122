#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "doctor/events/subscription_id.hpp"
#include "doctor/rules/fields.hpp"
#include "doctor/rules/path.hpp"

namespace doctor::rules {

/// What makes a document's id: text of the event's id, or a string or integer in its JSON.
class IdSource {
 public:
  /// Of a rule: a Path if it begins with `params.`, otherwise a Template. Errc::invalid as for
  /// those.
  static Result<IdSource> parse(std::string_view text);
  /// Of a refresh: a Template if there is a brace in it, otherwise a Path in the item.
  static Result<IdSource> parse_of_item(std::string_view text);

  /// Nothing if it is not there, or is no id.
  std::optional<std::string> find(std::string_view value, const events::EventId& event) const;

 private:
  using Source = std::variant<Path, Template>;
  explicit IdSource(Source source) : source_(std::move(source)) {}
  template <class Parsed>
  static Result<IdSource> made_of(Result<Parsed> parsed);

  Source source_;
};

/// A request to a host whose answer tells what its events would have told meanwhile.
struct Refresh {
  std::string method;
  std::string params;  ///< compact JSON: an object or an array; empty: none
  Path items;          ///< in the result: an array of objects, or one object
  IdSource id;         ///< of the document that an item is about
};

/// Which events change which documents, and how.
struct Rule {
  static constexpr std::string_view anywhere = "*";
  static constexpr std::string_view broker = "broker";

  events::SubscriptionId events;
  std::string from{anywhere};  ///< or `broker`, or the name of an upstream host
  std::string collection;
  IdSource id;
  Path take;  ///< in params: the object that is merged
  Fields fields{};
  bool create = false;  ///< a document that is missing
  std::optional<Refresh> refresh{};
};

}  // namespace doctor::rules
