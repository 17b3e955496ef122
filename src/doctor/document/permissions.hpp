#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "doctor/base/result.hpp"

namespace doctor::document {

/// What a reader may read: everything, or by collection everything or listed ids. An immutable
/// value. `may_read` is the one function that decides visibility; every read path and every
/// transport calls it, or is built on a view (PermittedView) that did.
class Permissions {
 public:
  using Ids = std::set<std::string, std::less<>>;

  /// May read nothing.
  Permissions() = default;
  static Permissions everything();
  /// From the value of a session's field `permissions` (compact JSON): `"*"`, or an object from
  /// collection name to `"*"`, an id, or an array of ids (there `"*"` is an id like any other).
  static Result<Permissions> parse(std::string_view value);

  /// What `parse` makes the same permissions of.
  std::string text() const;

  bool may_read(std::string_view collection, std::string_view id) const;

  bool reads_everything() const { return everything_; }
  bool reads_all_of(std::string_view collection) const;
  /// The ids listed for a collection; null if there are none, or if all of it may be read.
  const Ids* listed(std::string_view collection) const;

  friend bool operator==(const Permissions&, const Permissions&) = default;

 private:
  bool everything_ = false;
  std::map<std::string, std::optional<Ids>, std::less<>> collections_;  // no ids: all of it
};

}  // namespace doctor::document
