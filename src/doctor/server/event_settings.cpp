#include "doctor/server/event_settings.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "doctor/document/names.hpp"
#include "doctor/server/secret.hpp"

namespace doctor::server {
namespace {

constexpr std::string_view subscription_expected =
    "a subscription id: \"receiver|component|operation|unique id\", \"*\" for any, not all \"*\"";
constexpr std::string_view id_expected =
    "a text in which {receiver}, {component}, {operation} and {unique_id} may stand, or a path in "
    "params: \"params.a.b\"";
constexpr std::string_view take_expected =
    "a path: \"params\", or \"params.a.{unique_id}\" and the like";
constexpr std::string_view items_expected = "a path: \"result\", or \"result.a.b\" and the like";
constexpr std::string_view item_id_expected =
    "a path in each item: \"a.b\", or a text with {receiver}";

template <class Parse>
SettingsTable::Check parses(Parse parse) {
  return [parse](std::string_view text) { return parse(text).has_value(); };
}

bool is_any(std::string_view text) {
  return !text.empty();
}

// It stands in ids of events and, as {receiver}, in ids of documents.
bool is_upstream_name(std::string_view name) {
  return document::is_document_id(name) && name != rules::Rule::broker &&
         name.find_first_of("|*{}") == std::string_view::npos;
}

Result<rules::Path> parse_take(std::string_view text) {
  return rules::Path::parse_below("params", text);
}
Result<rules::Path> parse_items(std::string_view text) {
  return rules::Path::parse_below("result", text);
}

/// The text under a key, parsed; what the default makes if there is none, or a wrong one.
template <class Parse>
auto read_parsed(SettingsTable& table, std::string_view key, std::string text, Parse parse,
                 std::string_view expected) {
  table.text(key, text, parses(parse), expected);
  return *parse(text);
}

std::set<std::string, std::less<>> read_names(SettingsTable& table, std::string_view key) {
  std::vector<std::string> names;
  table.texts(key, names, is_any, "a field's name");
  return {names.begin(), names.end()};
}

rules::Fields read_fields(SettingsTable& table) {
  rules::Fields fields;
  fields.only = read_names(table, "fields");
  fields.leave_out = read_names(table, "leave_out");
  table.texts(
      "rename", fields.rename,
      [](std::string_view name) { return document::check_field_name(name).has_value(); },
      "a name that a document's field may have");
  std::set<std::string_view> new_names;
  for (const auto& [from, to] : fields.rename) {
    if (!new_names.insert(to).second) table.mistake("rename", "gives two fields the name " + to);
    if (!fields.only.empty() && !fields.only.contains(from)) {
      table.mistake("rename", "names " + from + ", which is not among `fields`");
    }
  }
  return fields;
}

rules::Refresh read_refresh(SettingsTable table) {
  std::string method;
  table.text("method", method, is_any, "the name of a method");
  table.require("method");
  std::string params;
  table.json("params", params);
  auto items = read_parsed(table, "items", "result", parse_items, items_expected);
  table.require("id");
  auto id = read_parsed(table, "id", "id", rules::IdSource::parse_of_item, item_id_expected);
  table.finish();
  return {std::move(method), std::move(params), std::move(items), std::move(id)};
}

rules::Rule read_rule(SettingsTable& table, const std::vector<UpstreamSettings>& upstreams) {
  table.require("events");
  table.require("collection");
  rules::Rule rule{
      .events = read_parsed(table, "events", "*|*|*|none", events::SubscriptionId::parse,
                            subscription_expected),
      .collection = {},
      .id = read_parsed(table, "id", "{unique_id}", rules::IdSource::parse, id_expected),
      .take = read_parsed(table, "take", "params", parse_take, take_expected)};
  table.text(
      "from", rule.from,
      [&](std::string_view from) {
        return from == rules::Rule::anywhere || from == rules::Rule::broker ||
               std::any_of(upstreams.begin(), upstreams.end(),
                           [from](const auto& upstream) { return upstream.name == from; });
      },
      "\"broker\", the name of an [[events.upstream]], or \"*\" for all of them");
  table.text("collection", rule.collection, document::is_collection_name,
             "the name of a collection");
  rule.fields = read_fields(table);
  table.flag("create", rule.create);
  const bool refreshes = table.has("refresh");
  SettingsTable refresh = table.table("refresh");
  if (refreshes) rule.refresh = read_refresh(std::move(refresh));
  if (refreshes && rule.from == rules::Rule::broker) {
    table.mistake("refresh", "asks an upstream host, but the rule is for events from the broker");
  }
  table.finish();
  return rule;
}

std::optional<UpstreamSettings::Tls> read_tls(SettingsTable& upstream) {
  const bool wanted = upstream.has("tls");
  SettingsTable table = upstream.table("tls");
  if (!wanted) return std::nullopt;
  UpstreamSettings::Tls tls;
  table.text("ca", tls.ca);
  table.text("cert", tls.cert);
  table.text("key", tls.key);
  table.flag("check_peer_name", tls.check_peer_name);
  if (tls.cert.empty() && !tls.key.empty()) table.mistake("key", "stands without its cert");
  table.finish();
  return tls;
}

UpstreamSettings read_upstream(SettingsTable& table) {
  UpstreamSettings upstream;
  table.require("name");
  table.text("name", upstream.name, is_upstream_name,
             "a name without \"|\", \"*\" and braces, other than \"broker\"");
  table.require("host");
  table.text("host", upstream.host, is_any, "a host's name or IP address");
  std::string peer = "vdsm";
  table.text(
      "peer", peer, [](std::string_view text) { return text == "vdsm" || text == "doctor"; },
      "\"vdsm\" or \"doctor\"");
  if (peer == "doctor") upstream.peer = UpstreamSettings::Peer::doctor;
  upstream.port = peer == "doctor" ? 61'613 : 54'321;
  table.number("port", upstream.port, 1, 65'535);
  upstream.tls = read_tls(table);
  if (std::string path; table.text("secret_file", path)) {
    const auto secret = read_secret_file(path);
    if (peer != "doctor") table.mistake("secret_file", "is for peer = \"doctor\" only");
    if (!secret) table.mistake("secret_file", "is not good: " + secret.error().detail);
    if (secret) upstream.secret = *secret;
  }
  table.text("event_destination", upstream.event_destination, is_any, "a destination");
  table.flag("republish", upstream.republish);
  table.finish();
  return upstream;
}

}  // namespace

EventSettings read_event_settings(SettingsTable& events) {
  EventSettings settings;
  std::set<std::string> names;
  for (SettingsTable& table : events.tables("upstream")) {
    settings.upstreams.push_back(read_upstream(table));
    if (!names.insert(settings.upstreams.back().name).second) {
      table.mistake("name", "is that of another upstream too");
    }
  }
  for (SettingsTable& table : events.tables("rule")) {
    settings.rules.push_back(read_rule(table, settings.upstreams));
  }
  settings.written = events.written("upstream") + events.written("rule");
  return settings;
}

}  // namespace doctor::server
