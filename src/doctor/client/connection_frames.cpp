#include <algorithm>
#include <limits>
#include <utility>

#include "doctor/base/text.hpp"
#include "doctor/client/connection.hpp"
#include "doctor/events/subscription_id.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"
#include "doctor/stomp/writer.hpp"

// What a connection says and hears.
namespace doctor::client {
namespace {

using stomp::Command;
using stomp::Header;

constexpr stomp::Version version = stomp::Version::v1_2;
constexpr std::size_t reason_max = 300;  // of what a peer says went wrong

// What a peer answers is as deep as its documents and queries, and bounded by the frame's length.
constexpr events::RpcLimits answers{.batch = std::numeric_limits<std::size_t>::max(),
                                    .nesting = json::Scanner::deepest};

bool has_any(std::string_view text, std::string_view characters) {
  return text.find_first_of(characters) != text.npos;
}

// One line for a person.
std::string said(std::string_view text) {
  std::string line(text.substr(0, reason_max));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  if (!is_utf8(line)) {  // or cut within a character
    std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c > 127; }, '?');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

Error refusal(std::string why) {
  return client::error(Code::communication, std::move(why));
}

// The peer does not know yet what its receiver part will be.
std::string for_any_receiver(const std::string& id) {
  return "*" + id.substr(id.find('|'));
}

}  // namespace

Expected<void> Connection::check(const Options& options) {
  const auto refused = [](std::string why) {
    return client::error(Code::invalid_argument, std::move(why));
  };
  if (options.host.empty()) return refused("there is no host");
  // The headers of CONNECT are not escaped, and a real vdsm refuses a raw colon in any.
  const bool vdsm = options.peer == Peer::vdsm;
  for (const std::string* text : {&options.host, &options.login, &options.passcode}) {
    if (has_any(*text, std::string_view("\r\n\0", 3))) {
      return refused("host, login and passcode are each one line");
    }
  }
  if (vdsm && (has_any(options.login, ":\\") || has_any(options.passcode, ":\\"))) {
    return refused("vdsm takes no login or passcode with a colon or a backslash");
  }
  if (vdsm && !options.event_filter.empty()) return refused("vdsm knows no event filter");
  for (const std::string& id : options.event_filter) {
    if (id.find(',') != std::string::npos) return refused("an event filter has no comma");
    if (auto parsed = events::SubscriptionId::parse(id); !parsed) {
      return refused(id + ": " + parsed.error().detail);
    }
  }
  if (options.connect_timeout.count() <= 0 || options.back_off_first.count() <= 0 ||
      options.heart_beat.count() < 0) {
    return refused("times are positive");
  }
  return {};
}

void Connection::received(std::string_view octets, Clock::time_point now) {
  heard(now);
  if (state_ != State::greeting && state_ != State::up && state_ != State::stopping) return;
  if (input_read_ == input_.size()) {
    input_.clear();
    input_read_ = 0;
  }
  input_ += octets;
}

// One frame, or all that there is of it.
void Connection::read(Clock::time_point now) {
  std::string_view rest = std::string_view(input_).substr(input_read_);
  const auto raw = splitter_.next(rest);
  if (!raw) return fail_to_read(raw.error(), now);
  input_read_ = input_.size() - rest.size();
  if (!*raw) return;
  const auto frame = stomp::decode(**raw, version);
  if (!frame) return fail_to_read(frame.error(), now);
  take(*frame, now);
}

void Connection::take(const stomp::Frame& frame, Clock::time_point now) {
  if (frame.command == Command::error) return take_error(frame, now);
  if (state_ == State::greeting) {
    if (frame.command == Command::connected) return take_connected(frame, now);
    return fail(refusal("the peer did not answer CONNECT with CONNECTED"), now);
  }
  if (frame.command == Command::message) return take_message(frame, now);
  if (frame.command == Command::receipt && state_ == State::stopping) {
    control_.emplace_back(Disconnect());
    end(client::error(Code::communication, "the client was closed"));
  }
}

void Connection::take_connected(const stomp::Frame& frame, Clock::time_point now) {
  if (frame.header("version") != stomp::name_of(version)) {
    return fail(refusal("the peer does not speak STOMP 1.2"), now);
  }
  const auto theirs = stomp::parse_heart_beat(frame.header("heart-beat").value_or("0,0"))
                          .value_or(stomp::HeartBeat());
  const bool beats = options_.heart_beat.count() > 0;
  const auto agreed = [&](std::chrono::milliseconds wish) {
    return beats && wish.count() > 0 ? std::max(options_.heart_beat, wish)
                                     : std::chrono::milliseconds();
  };
  const auto ours = agreed(theirs.wants);
  const auto peers = agreed(theirs.sends);
  beat_every_ = ours.count() > 0 ? stomp::beat_after(ours) : Clock::duration();
  dead_after_ = peers.count() > 0 ? stomp::dead_after(peers) : Clock::duration();
  state_ = State::up;
  failures_ = 0;
  up_since_ = now;
  Up up;
  if (std::exchange(told_down_, false)) {
    up.gap = Gap{std::chrono::duration_cast<std::chrono::milliseconds>(now - down_since_)};
  }
  control_.emplace_back(up);
  say_subscribe(std::to_string(++subscription_), reply_queue_, false);
  if (listening_) {
    event_subscription_ = std::to_string(++subscription_);
    say_subscribe(event_subscription_, options_.event_destination, true);
  }
  unsent_octets_ = 0;
  for (Unsent& unsent : std::exchange(unsent_, {})) send(std::move(unsent));
  wrote(now);
}

void Connection::take_message(const stomp::Frame& frame, Clock::time_point now) {
  auto messages = events::parse_answers(frame.body, answers);
  if (!messages) {
    ++unmatched_;
    control_.emplace_back(Warning{"a message is not JSON: " + said(messages.error().detail)});
    return;
  }
  for (auto& message : *messages) {
    if (const auto* request = std::get_if<events::RpcRequest>(&message)) {
      Event event(receiver_, request->method, request->params, now);
      if (request->is_notification() && event) {
        inbound_.emplace_back(std::move(event));
      } else {
        ++unmatched_;
      }
      continue;
    }
    auto& response = std::get<events::RpcResponse>(message);
    const auto call = calls_.answered(response.id);
    if (!call) {
      ++unmatched_;
    } else if (auto* failure = std::get_if<events::RpcError>(&response.result)) {
      inbound_.emplace_back(Answer{
          *call, Error{failure->code, std::move(failure->message), std::move(failure->data)}});
    } else {
      inbound_.emplace_back(Answer{*call, std::move(std::get<std::string>(response.result))});
    }
  }
}

void Connection::take_error(const stomp::Frame& frame, Clock::time_point now) {
  std::string why = said(frame.header("message").value_or(""));
  if (why.empty()) why = said(frame.body);
  // vdsm stays open and means only what it was sent last.
  if (options_.peer == Peer::vdsm && state_ != State::greeting) {
    control_.emplace_back(Warning{"the peer sent an ERROR: " + why});
    return;
  }
  if (state_ == State::stopping) return;
  Error refused = client::error(Code::communication, "the peer ended the connection: " + why);
  refused.data = json::quoted(why);
  control_.emplace_back(Disconnect());
  lose(std::move(refused), now);
}

void Connection::call(CallId call, std::string_view method, std::string_view params,
                      const CallOptions& options, Clock::time_point now) {
  const auto refused = [&](Error why) { control_.emplace_back(Answer{call, std::move(why)}); };
  if (state_ == State::ended) return refused(ended_);
  if (state_ == State::stopping) {
    return refused(client::error(Code::communication, "the client was closed"));
  }
  std::string body;
  write(body, events::RpcRequest{calls_.json_id(call), std::string(method), std::string(params)});
  std::string frame = request_frame(body, options.flow_id);
  if (calls_.size() >= options_.calls_max || !is_room_for(frame.size())) {
    return refused(client::error(Code::communication, "too many requests wait already"));
  }
  calls_.add(call, std::move(frame), options, judged(now));
  if (state_ == State::up) wrote(now);
  send(call);
}

bool Connection::publish(std::string_view method, std::string_view params, Clock::time_point now) {
  if (state_ == State::stopping || state_ == State::ended) return false;
  std::string body;
  write(body, events::RpcRequest{std::nullopt, std::string(method), std::string(params)});
  std::string frame;
  stomp::write_frame(
      Command::send,
      {{"destination", options_.event_destination}, {"content-type", "application/json"}}, body,
      version, frame);
  if (!is_room_for(frame.size())) return false;
  if (state_ == State::up) wrote(now);
  send(Publication{std::move(frame)});
  return true;
}

void Connection::listen(bool wanted, Clock::time_point now) {
  if (listening_ == wanted) return;
  listening_ = wanted;
  if (state_ != State::up) return;
  wrote(now);
  if (wanted) {
    event_subscription_ = std::to_string(++subscription_);
    return say_subscribe(event_subscription_, options_.event_destination, true);
  }
  stomp::write_frame(Command::unsubscribe, {{"id", event_subscription_}}, {}, version, output_);
  event_subscription_.clear();
}

void Connection::send(Unsent unsent) {
  if (state_ != State::up) {
    if (const auto* publication = std::get_if<Publication>(&unsent)) {
      unsent_octets_ += publication->frame.size();
    }
    unsent_.push_back(std::move(unsent));
  } else if (const auto* publication = std::get_if<Publication>(&unsent)) {
    output_ += publication->frame;
  } else if (const CallId call = std::get<CallId>(unsent); calls_.has(call)) {
    output_ += calls_.sent(call);  // else its time was up before
  }
}

bool Connection::is_room_for(std::size_t octets) const {
  return output_.size() + unsent_octets_ + calls_.octets() + octets <= options_.unsent_max;
}

// CONNECT, not STOMP, which a vdsm does not take for STOMP at the beginning of a connection.
void Connection::say_connect() {
  std::vector<Header> headers = {{"accept-version", stomp::name_of(version)}};
  // The address of an IPv6 host has colons.
  if (options_.peer == Peer::doctor || options_.host.find(':') == std::string::npos)
    headers.push_back({"host", options_.host});
  const std::string beat = stomp::HeartBeat{options_.heart_beat, options_.heart_beat}.text();
  headers.push_back({"heart-beat", beat});
  if (!options_.login.empty()) headers.push_back({"login", options_.login});
  if (!options_.passcode.empty()) headers.push_back({"passcode", options_.passcode});
  stomp::write_frame(Command::connect, headers, {}, version, output_);
}

void Connection::say_subscribe(const std::string& id, const std::string& destination,
                               bool filtered) {
  std::vector<Header> headers = {{"id", id}, {"destination", destination}, {"ack", "auto"}};
  std::string filter;
  for (const std::string& part : options_.event_filter) {
    filter += (filter.empty() ? "" : ",") + for_any_receiver(part);
  }
  const bool is_all = (filter + ",").find("*|*|*|*,") != filter.npos;
  if (filtered && !filter.empty() && !is_all) headers.push_back({"event-filter", filter});
  stomp::write_frame(Command::subscribe, headers, {}, version, output_);
}

std::string Connection::request_frame(std::string_view body, const std::string& flow_id) const {
  std::vector<Header> headers = {{"destination", options_.request_destination},
                                 {"reply-to", reply_queue_},
                                 {"content-type", "application/json"}};
  if (!flow_id.empty()) headers.push_back({"ovirtCorrelationId", flow_id});
  std::string frame;
  stomp::write_frame(Command::send, headers, body, version, frame);
  return frame;
}

}  // namespace doctor::client
