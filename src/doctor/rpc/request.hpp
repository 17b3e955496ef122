#pragma once

#include <string>
#include <variant>

#include "doctor/rest/direct_request.hpp"
#include "doctor/rpc/parameters.hpp"

namespace doctor::rpc {

/// A call as a request of the document API.
struct Request {
  rest::DirectRequest head;
  std::string body;
};

/// @param room  for reads
/// -32602 for parameters that no request could be made of.
std::variant<Request, events::RpcError> make_request(const Method& method,
                                                     const Parameters& parameters,
                                                     std::size_t room);

}  // namespace doctor::rpc
