#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "doctor/client/connection.hpp"

namespace doctor::client {

/// What the first call of a TestConnection says.
inline constexpr const char* request_1 =
    "SEND\ndestination:jms.topic.vdsm_requests\nreply-to:replies-me\n"
    "content-type:application/json\ncontent-length:50\n\n"
    R"({"jsonrpc":"2.0","id":"me-1","method":"Host.ping"})"
    "^";

/// A connection with a peer that a test plays, and the time in its hand. What it says is text with
/// `^` for NUL; what occurs is "connect", "disconnect", "up", "up after 500", "down gone", "ended
/// gone", "event ID PARAMS", "answer 1 RESULT", "error 1 CODE MESSAGE", "warning ...".
class TestConnection {
 public:
  using Texts = std::vector<std::string>;

  explicit TestConnection(Options options = {})
      : connection(options, "me", [this] { return chance; }) {}

  /// Starts, connects and is answered, with what is said meanwhile forgotten.
  void come_up(const std::string& heart_beat = "0,0") {
    connection.start(now);
    connection.opened(now);
    said();
    hear("CONNECTED\nversion:1.2\nheart-beat:" + heart_beat + "\n\n^");
    occurred();
    said();
  }

  void hear(std::string text) {
    for (char& c : text) c = c == '^' ? '\0' : c;
    connection.received(text, now);
  }
  void hear_message(const std::string& body) {
    hear("MESSAGE\nsubscription:1\ndestination:d\ncontent-length:" + std::to_string(body.size()) +
         "\n\n" + body + "^");
  }
  std::string said() {
    std::string text = std::exchange(connection.output(), {});
    for (char& c : text) c = c == '\0' ? '^' : c;
    return text;
  }
  Texts occurred() {
    Texts texts;
    while (const auto occurrence = connection.next(now)) texts.push_back(text_of(*occurrence));
    return texts;
  }
  void call(std::uint64_t id, const CallOptions& options = {}) {
    connection.call(CallId(id), "Host.ping", "", options, now);
  }
  void lose() { connection.closed(error(Code::communication, "gone"), now); }
  /// Lets time pass, ticking whenever the connection wants to.
  void pass(Clock::duration time) {
    const Clock::time_point end = now + time;
    while (connection.deadline() <= end) {
      now = std::max(now, connection.deadline());
      connection.tick(now);
    }
    now = end;
  }

  static std::string text_of(const Occurrence& occurrence) {
    if (std::holds_alternative<Connect>(occurrence)) return "connect";
    if (std::holds_alternative<Disconnect>(occurrence)) return "disconnect";
    if (const auto* up = std::get_if<Up>(&occurrence)) {
      return up->gap ? "up after " + std::to_string(up->gap->duration.count()) : "up";
    }
    if (const auto* down = std::get_if<Down>(&occurrence)) return "down " + down->reason.message;
    if (const auto* ended = std::get_if<Ended>(&occurrence)) {
      return "ended " + ended->reason.message;
    }
    if (const auto* event = std::get_if<Event>(&occurrence)) {
      return "event " + std::string(event->id()) + " " + std::string(event->params());
    }
    if (const auto* answer = std::get_if<Answer>(&occurrence)) {
      const std::string id = std::to_string(answer->call.value);
      if (answer->result) return "answer " + id + " " + *answer->result;
      const Error& failure = answer->result.error();
      return "error " + id + " " + std::to_string(failure.code) + " " + failure.message;
    }
    return "warning " + std::get<Warning>(occurrence).text;
  }

  Clock::time_point now{std::chrono::hours(1)};
  double chance = 0.5;  // no jitter
  Connection connection;
};

}  // namespace doctor::client
