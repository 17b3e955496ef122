#pragma once

#include <string_view>

#include "socket.hpp"

namespace bench {

/// Hears of every change in the collection vm, by MQTT 3.1.1 at QoS 0; each message is one receive.
inline void subscribe_to_vm(Socket& mqtt) {
  using namespace std::string_view_literals;
  // CONNECT "bench", keep-alive 0, clean session; SUBSCRIBE 1 "vm/#" QoS 0.
  mqtt.send(
      "\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05"
      "bench"sv);
  mqtt.receive();
  mqtt.send("\x82\x09\x00\x01\x00\x04vm/#\x00"sv);
  mqtt.receive();
}

}  // namespace bench
