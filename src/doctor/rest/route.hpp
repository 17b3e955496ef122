#pragma once

#include <cstdint>
#include <string_view>

namespace doctor::rest {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

Method parse_method(std::string_view method);

/// What a path names.
enum class Resource : std::uint8_t {
  root,
  openapi,
  healthz,
  readyz,
  metrics,
  export_,
  collections,       ///< /entities
  collection,        ///< /entities/{c}
  document,          ///< /entities/{c}/{id}
  query_collection,  ///< /query/{c}
  query_document,    ///< /query/{c}/{id}
  sessions,          ///< /sessions
  session,           ///< /sessions/{id}
  clients,           ///< /mqtt/clients
  client,            ///< /mqtt/clients/{id}
  unknown,
};

/// Resources whose answers have the same rules: caching, `Doctor-Revision`, credentials.
enum class Area : std::uint8_t { none, entities, query, sessions, clients };

struct Route {
  Resource resource = Resource::unknown;
  Area area = Area::none;         ///< of unknown resources too: /entities/vm/1/x is of `entities`
  std::string_view collection{};  ///< as it stands in the path, not decoded
  std::string_view id{};
};

/// What a path (not decoded, without query) means; one slash at its end is ignored.
Route route_of(std::string_view path);

/// The name of a resource in metrics and logs: `/entities/{c}`, never an id.
std::string_view route_name(Resource resource);

/// The methods of a resource, as `Allow` lists them.
std::string_view allowed_methods(Resource resource);
bool allows(Resource resource, Method method);

}  // namespace doctor::rest
