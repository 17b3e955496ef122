#include "doctor/rest/route.hpp"

#include <array>

namespace doctor::rest {
namespace {

constexpr std::array<std::string_view, 7> method_names{"GET",   "HEAD",   "POST",   "PUT",
                                                       "PATCH", "DELETE", "OPTIONS"};

struct Row {
  std::string_view name;
  std::string_view methods;
  unsigned mask = 0;  // a bit for each of Method

  constexpr Row(std::string_view with_name, std::string_view with_methods)
      : name(with_name), methods(with_methods) {
    // No name of a method is part of another's.
    for (std::size_t i = 0; i < method_names.size(); ++i) {
      if (methods.find(method_names[i]) != std::string_view::npos) mask |= 1u << i;
    }
  }
};

constexpr std::string_view reads = "GET, HEAD, OPTIONS";
constexpr std::string_view of_many = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
constexpr std::string_view of_one = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
constexpr std::string_view posts = "POST, OPTIONS";

// In the order of Resource.
constexpr std::array<Row, 16> rows{{
    {"/", reads},
    {"/openapi.json", reads},
    {"/healthz", reads},
    {"/readyz", reads},
    {"/metrics", reads},
    {"/export", reads},
    {"/entities", reads},
    {"/entities/{c}", of_many},
    {"/entities/{c}/{id}", of_one},
    {"/query/{c}", posts},
    {"/query/{c}/{id}", posts},
    {"/sessions", of_many},
    {"/sessions/{id}", of_one},
    {"/mqtt/clients", reads},
    {"/mqtt/clients/{id}", "GET, HEAD, DELETE, OPTIONS"},
    {"other", ""},
}};

const Row& row(Resource resource) {
  return rows[static_cast<std::size_t>(resource)];
}

// Takes the first segment from `path`, which begins with a slash or is empty.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

Resource resource_of_page(std::string_view name) {
  if (name == "healthz") return Resource::healthz;
  if (name == "readyz") return Resource::readyz;
  if (name == "metrics") return Resource::metrics;
  if (name == "export") return Resource::export_;
  if (name == "openapi.json") return Resource::openapi;
  return Resource::unknown;
}

}  // namespace

Method parse_method(std::string_view method) {
  for (std::size_t i = 0; i < method_names.size(); ++i) {
    if (method == method_names[i]) return static_cast<Method>(i);
  }
  return Method::other;
}

Route route_of(std::string_view path) {
  if (!path.starts_with('/')) return {};
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return {Resource::root};

  const std::string_view first = take_segment(path);
  if (first == "entities" || first == "query") {
    const bool entities = first == "entities";
    Route route{.area = entities ? Area::entities : Area::query};
    if (path.empty()) {
      if (entities) route.resource = Resource::collections;
      return route;
    }
    route.collection = take_segment(path);
    if (path.empty()) {
      route.resource = entities ? Resource::collection : Resource::query_collection;
      return route;
    }
    route.id = take_segment(path);
    if (path.empty()) route.resource = entities ? Resource::document : Resource::query_document;
    return route;
  }
  if (first == "sessions") {
    Route route{.area = Area::sessions};
    if (path.empty()) {
      route.resource = Resource::sessions;
      return route;
    }
    route.id = take_segment(path);
    if (path.empty()) route.resource = Resource::session;
    return route;
  }
  if (first == "mqtt" && !path.empty() && take_segment(path) == "clients") {
    Route route{.area = Area::clients};
    if (path.empty()) {
      route.resource = Resource::clients;
      return route;
    }
    route.id = take_segment(path);
    if (path.empty()) route.resource = Resource::client;
    return route;
  }
  return {path.empty() ? resource_of_page(first) : Resource::unknown};
}

std::string_view route_name(Resource resource) {
  return row(resource).name;
}

std::string_view allowed_methods(Resource resource) {
  return row(resource).methods;
}

bool allows(Resource resource, Method method) {
  return (row(resource).mask >> static_cast<unsigned>(method) & 1) != 0;
}

}  // namespace doctor::rest
