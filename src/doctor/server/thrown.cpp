#include "doctor/server/thrown.hpp"

#include "doctor/base/log.hpp"

namespace doctor::server {

void log_thrown(std::string_view what, const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    log::error(what, {{"what", failure.what()}});
  }
}

}  // namespace doctor::server
