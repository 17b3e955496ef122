#include "doctor/rest/pages.hpp"

#include "doctor/json/value.hpp"

namespace doctor::rest {

std::string root_page(std::string_view version) {
  return "{\"name\":\"Doctor\",\"version\":" + json::quoted(version) +
         ",\"links\":{\"entities\":\"/entities\",\"sessions\":\"/sessions\","
         "\"clients\":\"/mqtt/clients\",\"export\":\"/export\",\"openapi\":\"/"
         "openapi.json\",\"health\":\"/healthz\","
         "\"ready\":\"/readyz\",\"metrics\":\"/metrics\"},"
         "\"protocols\":[\"HTTP/1.1\",\"MQTT 3.1.1\",\"MQTT 5.0\",\"STOMP 1.2\"]}";
}

}  // namespace doctor::rest
