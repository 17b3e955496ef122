#pragma once

#include <exception>
#include <string_view>

namespace doctor::server {

/// Logs what has come out of a coroutine, where exceptions end.
/// @param what    `an HTTP connection failed`
/// @param thrown  null: nothing has
void log_thrown(std::string_view what, const std::exception_ptr& thrown);

}  // namespace doctor::server
