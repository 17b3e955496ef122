#pragma once

#include <string>
#include <string_view>

namespace doctor::rest {

/// The page `/`: what this is, and where to go from here.
std::string root_page(std::string_view version);

/// docs/openapi.json, built into the program.
std::string_view openapi_page();

}  // namespace doctor::rest
