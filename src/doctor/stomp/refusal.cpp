#include "doctor/stomp/refusal.hpp"

#include <stdexcept>
#include <string>

namespace doctor::stomp {

void throw_exception_from_error(const Refusal& refusal, const boost::source_location&) {
  throw std::logic_error(std::string(refusal.message));
}

}  // namespace doctor::stomp
