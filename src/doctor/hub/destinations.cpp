#include "doctor/hub/destinations.hpp"

#include <algorithm>
#include <array>

#include "doctor/stomp/destinations.hpp"

namespace doctor::hub {
namespace {

// "reponses" is how oVirt spells them.
constexpr std::array<RequestDestination, 3> all{{
    {"/queue/_local/vdsm/requests", "/queue/_local/vdsm/reponses", false},
    {"jms.topic.vdsm_requests", "jms.queue.reponses", true},
    {"jms.topic.vdsm_irs_requests", "jms.queue.irsreponses", true},
}};

}  // namespace

const RequestDestination* request_destination(std::string_view destination) {
  const auto* const found = std::find_if(
      all.begin(), all.end(),
      [&](const RequestDestination& known) { return stomp::covers(known.name, destination); });
  return found == all.end() ? nullptr : found;
}

bool requests_are_heard_by(std::string_view subscribed) {
  return request_destination(subscribed) != nullptr ||
         std::any_of(all.begin(), all.end(), [&](const RequestDestination& known) {
           return stomp::covers(subscribed, known.name);
         });
}

bool EventDestinations::has(std::string_view destination) const {
  return std::find(names_.begin(), names_.end(), destination) != names_.end();
}

bool EventDestinations::covers(std::string_view destination) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return stomp::covers(name, destination); });
}

bool EventDestinations::are_heard_by(std::string_view subscribed) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return stomp::covers(subscribed, name); });
}

}  // namespace doctor::hub
