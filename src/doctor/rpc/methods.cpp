#include "doctor/rpc/methods.hpp"

#include <algorithm>
#include <array>

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"

namespace doctor::rpc {
namespace {

using Verb = rest::Method;
using rest::Resource;

constexpr bool required = true;
constexpr bool optional = false;

constexpr Parameter collection{"collection", Kind::text, required, "the name of the collection"};
constexpr Parameter id{"id", Kind::id, required, "the id of the document"};
constexpr Parameter session_id{"id", Kind::id, required, "the id of the session"};
constexpr Parameter query{"query", Kind::query, optional,
                          "select, where, orderBy, limit, skip, count, after"};
constexpr Parameter select{"query", Kind::query, optional, "select"};
constexpr Parameter min_revision{"min_revision", Kind::revision, optional,
                                 "waits a moment until Doctor has this revision, else error 503"};
constexpr Parameter if_match{"if_match", Kind::text, optional,
                             "the etag that the document must have, or *; else error 412"};
constexpr Parameter if_none_match{"if_none_match", Kind::text, optional,
                                  "only *: the document must be new, else error 412"};
constexpr Parameter minimal{"minimal", Kind::flag, optional, "do not tell what was changed"};
constexpr Parameter patch{"patch", Kind::object_or_array, required, "what to change"};
constexpr Parameter patch_type{
    "type", Kind::text, optional,
    "fields (sets top-level fields, null removes one; the default), merge-patch (RFC 7396) or "
    "json-patch (RFC 6902)"};
constexpr Parameter documents{"documents", Kind::array, required,
                              "all that the collection will hold"};

constexpr std::array echo_parameters{Parameter{"text", Kind::text, required, "what to send back"}};
constexpr std::array collections_parameters{min_revision};
constexpr std::array list_parameters{collection, query, min_revision};
constexpr std::array get_parameters{collection, id, select, min_revision};
constexpr std::array create_parameters{
    collection,
    Parameter{"document", Kind::object_or_array, required, "a document with its id, or several"},
    if_match, if_none_match, minimal};
constexpr std::array put_parameters{
    collection,
    id,
    Parameter{"document", Kind::object, required, "all of the document"},
    if_match,
    if_none_match,
    minimal};
constexpr std::array patch_parameters{collection, id, patch, patch_type, if_match, minimal};
constexpr std::array delete_parameters{collection, id, if_match};
constexpr std::array replace_parameters{collection, documents, minimal};
constexpr std::array drop_parameters{collection};
constexpr std::array session_list_parameters{query, min_revision};
constexpr std::array session_get_parameters{session_id, select, min_revision};
constexpr std::array session_put_parameters{
    session_id, Parameter{"session", Kind::object, required, "all of the session"}, if_match,
    if_none_match, minimal};
constexpr std::array session_patch_parameters{session_id, patch, patch_type, if_match, minimal};
constexpr std::array session_delete_parameters{session_id, if_match};

constexpr std::string_view changes = "{revision, created, updated, removed, unchanged}";
constexpr std::string_view changes_of_one =
    "{revision, created, updated, removed, unchanged, etag}";
constexpr std::string_view only_revision = "{revision}";

constexpr Method own(std::string_view name, Action action, std::span<const Parameter> parameters,
                     std::string_view result, std::string_view about) {
  return {name, action, Verb::other, Resource::unknown, parameters, {}, result, about};
}
constexpr Method asks(std::string_view name, Verb verb, Resource resource,
                      std::span<const Parameter> parameters, std::string_view result,
                      std::string_view about) {
  return {name, Action::request, verb, resource, parameters, {}, result, about};
}
constexpr Method reads(std::string_view name, Resource resource,
                       std::span<const Parameter> parameters, std::string_view member,
                       std::string_view result, std::string_view about) {
  return {name, Action::request, Verb::get, resource, parameters, member, result, about};
}

constexpr std::array all_methods{
    own("Doctor.ping", Action::ping, {}, "true", "Whether Doctor answers"),
    own("Host.ping", Action::ping, {}, "true", "The same, as hosts of oVirt call it"),
    own("Doctor.echo", Action::echo, echo_parameters, "the text", "Sends a text back"),
    own("echo", Action::echo, echo_parameters, "the text", "The same"),
    own("Doctor.info", Action::info, {}, "{name, version, revision}",
        "Which Doctor this is, and how far"),
    own("rpc.methods", Action::methods, {}, "{revision, methods}", "This list"),
    reads("Collection.list", Resource::collections, collections_parameters, "collections",
          "{revision, collections}", "The names of the collections, with their counts"),
    asks("Collection.replace", Verb::put, Resource::collection, replace_parameters, changes,
         "Makes a collection exactly this: creates, updates, removes"),
    asks("Collection.delete", Verb::delete_, Resource::collection, drop_parameters, only_revision,
         "Removes all documents of a collection"),
    reads("Entity.list", Resource::collection, list_parameters, "documents",
          "{revision, documents, next, total}", "The documents of a collection"),
    reads("Entity.get", Resource::document, get_parameters, "document",
          "{revision, document, etag}", "One document"),
    asks("Entity.create", Verb::post, Resource::collection, create_parameters, changes_of_one,
         "Creates a document, or several; replaces those that exist"),
    asks("Entity.put", Verb::put, Resource::document, put_parameters, changes_of_one,
         "Creates or replaces a document"),
    asks("Entity.patch", Verb::patch, Resource::document, patch_parameters, changes_of_one,
         "Changes a document"),
    asks("Entity.delete", Verb::delete_, Resource::document, delete_parameters, only_revision,
         "Removes a document"),
    reads("Session.list", Resource::sessions, session_list_parameters, "sessions",
          "{revision, sessions, next, total}", "The sessions"),
    reads("Session.get", Resource::session, session_get_parameters, "session",
          "{revision, session, etag}", "One session"),
    asks("Session.put", Verb::put, Resource::session, session_put_parameters, changes_of_one,
         "Creates or replaces a session"),
    asks("Session.patch", Verb::patch, Resource::session, session_patch_parameters, changes_of_one,
         "Changes a session"),
    asks("Session.delete", Verb::delete_, Resource::session, session_delete_parameters,
         only_revision, "Removes a session"),
};

bool is_integer(std::string_view value) {
  return json::kind(value) == json::Kind::number &&
         value.find_first_not_of("-0123456789") == std::string_view::npos;
}

// As a JSON Schema names them.
std::string_view types_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      break;
    case Kind::id:
      return R"(["string","integer"])";
    case Kind::object:
      return R"("object")";
    case Kind::array:
      return R"("array")";
    case Kind::object_or_array:
      return R"(["object","array"])";
    case Kind::query:
      return R"(["object","null"])";
    case Kind::revision:
      return R"("integer")";
    case Kind::flag:
      return R"("boolean")";
  }
  return R"("string")";
}

void describe(std::string& out, const Parameter& parameter) {
  out += R"({"name":)";
  json::append_string(out, parameter.name);
  out.append(R"(,"type":)").append(types_of(parameter.kind));
  out.append(R"(,"required":)").append(parameter.required ? "true" : "false");
  out += R"(,"description":)";
  json::append_string(out, parameter.about);
  out += '}';
}

void describe(std::string& out, const Method& method) {
  out += R"({"name":)";
  json::append_string(out, method.name);
  out += R"(,"description":)";
  json::append_string(out, method.about);
  out += R"(,"params":[)";
  for (const Parameter& parameter : method.parameters) {
    if (&parameter != method.parameters.data()) out += ',';
    describe(out, parameter);
  }
  out += R"(],"result":)";
  json::append_string(out, method.result);
  out += '}';
}

}  // namespace

const Parameter* Method::find(std::string_view parameter) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const Parameter& one) { return one.name == parameter; });
  return found == parameters.end() ? nullptr : &*found;
}

std::span<const Method> methods() {
  return all_methods;
}

const Method* find_method(std::string_view name) {
  const auto* found = std::find_if(all_methods.begin(), all_methods.end(),
                                   [&](const Method& method) { return method.name == name; });
  return found == all_methods.end() ? nullptr : found;
}

std::string_view words_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      break;
    case Kind::id:
      return "a string or an integer";
    case Kind::object:
      return "an object";
    case Kind::array:
      return "an array";
    case Kind::object_or_array:
      return "an object or an array";
    case Kind::query:
      return "an object";
    case Kind::revision:
      return "a revision's number";
    case Kind::flag:
      return "true or false";
  }
  return "a string";
}

bool takes(Kind kind, std::string_view value) {
  const json::Kind is = json::kind(value);
  switch (kind) {
    case Kind::text:
      break;
    case Kind::id:
      return is == json::Kind::string || is_integer(value);
    case Kind::object:
      return is == json::Kind::object;
    case Kind::array:
      return is == json::Kind::array;
    case Kind::object_or_array:
      return is == json::Kind::object || is == json::Kind::array;
    case Kind::query:
      return is == json::Kind::object || is == json::Kind::null;
    case Kind::revision:
      return parse_unsigned(value, UINT64_MAX).has_value();
    case Kind::flag:
      return is == json::Kind::boolean;
  }
  return is == json::Kind::string;
}

std::string describe_methods() {
  std::string out = "[";
  for (const Method& method : all_methods) {
    if (&method != all_methods.data()) out += ',';
    describe(out, method);
  }
  return out += ']';
}

}  // namespace doctor::rpc
