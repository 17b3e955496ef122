// The client's end of the protocol under any peer and any user: each request is answered exactly
// once, losses and returns come in turn, what is said is STOMP, and the end is the end.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "doctor/client/connection.hpp"
#include "require.hpp"

namespace {

using namespace doctor;
using namespace doctor::client;
using namespace std::chrono_literals;

class World {
 public:
  explicit World(std::string_view input)
      : input_(input), connection_(options(), "me", [this] { return byte() / 256.0; }) {}

  void run() {
    while (!input_.empty()) step();
    connection_.resume(now_);
    connection_.stop(now_);
    drain(1'000'000);
    pass(3s);
    drain(1'000'000);
    require(ended_);
    for (const auto& [call, answered] : answered_) require(answered);
    require(connection_.deadline() == Clock::time_point::max());
  }

 private:
  Options options() {
    Options made;
    made.peer = byte() % 2 == 0 ? Peer::doctor : Peer::vdsm;
    made.attempts = byte() % 4 == 0 ? std::optional<std::uint32_t>(3) : std::nullopt;
    made.calls_max = 8;
    made.unsent_max = 2'000;
    made.frame_max = 500;
    return made;
  }

  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(input_.front());
    input_.remove_prefix(1);
    return first;
  }
  std::string_view octets() {
    const std::string_view taken = input_.substr(0, byte());
    input_.remove_prefix(std::min(taken.size(), input_.size()));
    return taken;
  }

  void step() {
    switch (byte() % 14) {
      case 0:
        return connection_.start(now_);
      case 1:
        if (wanted_ && !open_) {
          open_ = true;
          said_ = stomp::Splitter(stomp::FrameLimits());
          connection_.opened(now_);
        }
        return;
      case 2:
        if (wanted_) {
          drain(1'000'000);
          if (!wanted_) return;
          wanted_ = open_ = false;
          connection_.closed(client::error(Code::communication, "gone"), now_);
        }
        return;
      case 3:
        return hear(octets());
      case 4:
        return hear("CONNECTED\nversion:1.2\nheart-beat:" + std::to_string(byte() * 100) + "," +
                    std::to_string(byte() * 100) + "\n\n" + '\0');
      case 5:
        return hear_message(R"({"jsonrpc":"2.0","result":1,"id":"me-)" +
                            std::to_string(byte() % 16) + "\"}");
      case 6:
        return hear_message(R"([{"jsonrpc":"2.0","method":"|a|b|c"},{"jsonrpc":"2.0",)"
                            R"("method":"|a|b|d","params":{}}])");
      case 7: {
        const CallId call(++last_call_);
        answered_[call] = false;
        CallOptions how;
        how.timeout = std::chrono::milliseconds(byte() * 50);
        how.retries = byte() % 3;
        how.idempotent = byte() % 2 == 0;
        return connection_.call(call, octets(), "", how, now_);
      }
      case 8:
        connection_.publish("|a|b|c", "{}", now_);
        return;
      case 9:
        return connection_.listen(byte() % 2 == 0, now_);
      case 10:
        return byte() % 2 == 0 ? connection_.pause(now_) : connection_.resume(now_);
      case 11:
        return pass(std::chrono::milliseconds(byte() * 100));
      case 12:
        return drain(byte() % 4);
      default:
        return listen_to_it();
    }
  }

  void hear(std::string_view text) {
    if (open_) connection_.received(text, now_);
  }
  void hear_message(const std::string& body) {
    hear("MESSAGE\ncontent-length:" + std::to_string(body.size()) + "\n\n" + body + '\0');
  }
  void pass(Clock::duration time) {
    const Clock::time_point end = now_ + time;
    for (int i = 0; i < 1'000 && connection_.deadline() <= end; ++i) {
      now_ = std::max(now_, connection_.deadline());
      connection_.tick(now_);
    }
    now_ = std::max(now_, end);
  }

  void drain(int most) {
    while (most-- > 0) {
      const bool paused = connection_.is_paused();
      auto occurrence = connection_.next(now_);
      if (!occurrence) break;
      // What was heard before, and requests that come too late, are still told of.
      require(!ended_ || std::holds_alternative<Event>(*occurrence) ||
              std::holds_alternative<Answer>(*occurrence));
      std::visit([&](auto& which) { note(which, paused); }, *occurrence);
    }
    listen_to_it();
  }
  void note(Connect&, bool) {
    require(!wanted_);
    wanted_ = true;
  }
  void note(Disconnect&, bool) {
    require(wanted_);
    wanted_ = open_ = false;
  }
  void note(Up& up, bool) {
    require(up.gap.has_value() == down_);
    down_ = false;
  }
  void note(Down&, bool) { require(!std::exchange(down_, true)); }
  void note(Ended&, bool) { ended_ = true; }
  void note(Event& event, bool paused) {
    require(!paused);
    require(event && event.receiver() == "localhost");
  }
  void note(Answer& answer, bool) { require(!std::exchange(answered_.at(answer.call), true)); }
  void note(Warning&, bool) {}

  // What it says is taken only from a connection that is there, and is whole frames and beats.
  void listen_to_it() {
    if (!open_) return;
    std::string output = std::exchange(connection_.output(), {});
    std::string_view rest = output;
    while (!rest.empty()) {
      const auto raw = said_.next(rest);
      require(bool(raw));
      if (!*raw) break;
      require(bool(stomp::decode(**raw, stomp::Version::v1_2)));
    }
  }

  std::string_view input_;
  Clock::time_point now_{1h};
  std::map<CallId, bool> answered_;
  std::uint64_t last_call_ = 0;
  bool wanted_ = false;  // it asked for a connection
  bool open_ = false;
  bool down_ = false;
  bool ended_ = false;
  stomp::Splitter said_{stomp::FrameLimits()};
  Connection connection_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
