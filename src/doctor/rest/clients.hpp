#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/base/result.hpp"
#include "doctor/mqtt/client_view.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/rest/request.hpp"

namespace doctor::rest {

// What a request to `/mqtt/clients` asks the broker.
struct ListClients {
  std::uint32_t from = 0;
  std::size_t limit = 0;
};
struct ShowClient {
  std::string id;
};
struct DisconnectClient {
  std::string id;
  bool end_session = false;
};
using ClientsRequest = std::variant<ListClients, ShowClient, DisconnectClient>;

/// What the broker says; monostate: there is no such client.
using ClientsReply =
    std::variant<std::monostate, mqtt::ClientPage, mqtt::ClientView, mqtt::Disconnected>;

/// Errc::invalid if a parameter is not what it may be.
Result<ClientsRequest> plan_clients(const Request& request);

Response answer_clients(const Request& request, const ClientsReply& reply);

}  // namespace doctor::rest
