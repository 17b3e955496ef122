#include "doctor/base/result.hpp"

#include <stdexcept>

namespace doctor {

void throw_exception_from_error(const Error& failure, const boost::source_location& where) {
  throw std::logic_error(std::string(where.function_name()) +
                         ": a failed result was used: " + failure.detail);
}

}  // namespace doctor
