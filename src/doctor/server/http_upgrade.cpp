// How an HTTP connection becomes one of MQTT.

#include "doctor/server/http_connection.hpp"
#include "doctor/server/mqtt_service.hpp"
#include "doctor/server/websocket.hpp"

namespace doctor::server {

bool HttpConnection::is_for_mqtt() const {
  const std::string_view path = request_.head.target.substr(0, request_.head.target.find('?'));
  return path == "/mqtt" || (path == "/" && websocket_offers_mqtt(request_.head));
}

Task<void> HttpConnection::upgrade() {
  if (auto refused = request_.service->refuse_upgrade(request_.head)) {
    answer(std::move(*refused));
    co_return;
  }
  const Result<std::string> handshake = websocket_handshake(request_.head);
  if (!handshake) {
    rest::Response response = rest::Service::problem(handshake.error());
    response.route = "/mqtt";
    response.headers += "Sec-WebSocket-Version: 13\r\n";
    answer(std::move(response));
    co_return;
  }
  if (shared_.mqtt == nullptr || winding_up_) {
    refuse(error(Errc::unavailable, "MQTT is not served now"));
    co_return;
  }
  rest::Response response;
  response.status = 101;
  response.route = "/mqtt";
  response.headers = *handshake;
  outbox_.add_head(response, Persistence::keep, thread_.date_line(), {});
  note_answer(response.route, response.status);
  if (!outbox_.write_some(stream_)) {
    if (!co_await flush()) {
      abort();
      co_return;
    }
  }
  input_.consume(request_.size);
  shared_.mqtt->adopt(stream_.detach(), MqttService::Carrier::websocket, std::string(input_.view()),
                      std::move(peer_), std::move(place_));
}

}  // namespace doctor::server
