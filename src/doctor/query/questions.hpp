#pragma once

#include <string>
#include <string_view>

#include "doctor/document/memory_view.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "doctor/query/query.hpp"

namespace doctor::query {

/// A small vocabulary for tests of queries: documents, and what is asked of them.
class Questions {
 public:
  /// Each document is JSON, apostrophes standing for quotes.
  void put(std::string_view collection, std::string_view document) {
    view.put(collection, quoted(document));
  }

  /// The answer of a list, or the error as `field: detail`.
  std::string ask(std::string_view collection, std::string_view query) {
    const auto parsed = Query::parse(quoted(query), collection, false, limits);
    if (!parsed) return failed(parsed.error());
    std::string out;
    const auto listed = list(view, collection, *parsed, "", limits, out);
    if (!listed) return failed(listed.error());
    page = *listed;
    return checked(out);
  }

  /// The answer for one document.
  std::string ask_one(std::string_view collection, std::string_view id, std::string_view query) {
    const auto parsed = Query::parse(quoted(query), collection, true, limits);
    if (!parsed) return failed(parsed.error());
    std::string out;
    const auto found = one(view, collection, id, *parsed, limits, out);
    if (!found) return failed(found.error());
    return checked(out);
  }

  /// Those that meet a condition, by their ids with blanks between.
  std::string where(std::string_view collection, std::string_view condition) {
    return ids(collection, "{'where':" + std::string(condition) + "}");
  }
  std::string ids(std::string_view collection, std::string_view query) {
    const auto parsed = Query::parse(quoted(query), collection, false, limits);
    if (!parsed) return failed(parsed.error());
    std::string out;
    const auto listed = list(view, collection, *parsed, "", limits, out);
    if (!listed) return failed(listed.error());
    page = *listed;
    std::string found;
    for (const std::string_view document : json::Elements(out)) {
      for (const json::Member& member : json::Members(document)) {
        if (member.name != "id") continue;
        if (!found.empty()) found += ' ';
        found += json::content(member.value);
      }
    }
    return found;
  }

  /// An answer that no strict parser would take is a failure as well.
  static std::string checked(std::string_view answer) {
    const auto compact = json::compact(answer, json::Scanner::deepest);
    if (compact && *compact == answer) return apostrophes(answer);
    return "! no compact JSON: " + std::string(answer);
  }

  static std::string quoted(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = c == '\'' ? '"' : c;
    return made;
  }
  static std::string apostrophes(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = c == '"' ? '\'' : c;
    return made;
  }
  static std::string failed(const Error& failure) {
    return "! " + failure.field + ": " + apostrophes(failure.detail);
  }

  document::MemoryView view;
  Limits limits;
  Page page;
};

}  // namespace doctor::query
