#pragma once

#include "doctor/net/addresses.hpp"
#include "doctor/net/asio.hpp"
#include "doctor/net/stream.hpp"
#include "doctor/net/tls_session.hpp"

namespace doctor::server {

// Sockets are what this room is about: it says their names as its own.
using namespace net;

}  // namespace doctor::server
