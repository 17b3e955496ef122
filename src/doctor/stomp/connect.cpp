#include <algorithm>
#include <utility>

#include "doctor/stomp/broker_impl.hpp"

// CONNECT, and what may come before it.
namespace doctor::stomp {

// oVirt's Java client queues SUBSCRIBE, SUBSCRIBE, CONNECT in a way that may send them in another
// order. They take effect under the version that CONNECT brings.
void Broker::Impl::hold(Connection& connection, const RawFrame& raw) {
  if (raw.command != Command::subscribe) {
    const auto frame = decode(raw, Version::v1_0);
    return fail(connection, {Fault::protocol, "Not connected"},
                frame ? frame->header("receipt") : std::nullopt);
  }
  connection.held_bytes += sizeof(std::string) + raw.header_lines.size();
  if (connection.held_bytes > limits_.stomp_before_connect) {
    return fail(connection,
                {Fault::limit, "There is more before CONNECT than the limit stomp_before_connect"});
  }
  connection.held.emplace_back(raw.header_lines);
  connection.ovirt.is = true;
}

void Broker::Impl::connect(Connection& connection, const RawFrame& raw) {
  const auto first = decode(raw, Version::v1_0);
  if (!first) return fail(connection, first.error());
  if (const auto accepted = first->header("accept-version")) {
    const auto version = highest_common(*accepted);
    if (!version) {
      warnings_.warn(Warning::refused,
                     "STOMP: refused " + connection.peer + ": no version that is served", now_);
      return end_with_error(connection, "Version unsupported", &Figures::refused_version,
                            Header{"version", all_versions});
    }
    connection.version = *version;
  }
  const auto frame = decode(raw, connection.version);  // of 1.0 are blanks before a value no part
  if (!frame) return fail(connection, frame.error());

  Credentials credentials;
  if (const auto login = frame->header("login")) credentials.login = std::string(*login);
  if (const auto passcode = frame->header("passcode")) {
    credentials.passcode = std::string(*passcode);
  }
  credentials.certificate = connection.certificate;
  auto principal = application_.log_in(credentials);
  if (!principal) return refuse_login(connection, credentials.login || credentials.passcode);
  welcome(connection, *frame, std::move(*principal));
}

void Broker::Impl::refuse_login(Connection& connection, bool with_credentials) {
  warnings_.warn(
      Warning::refused,
      "STOMP: refused " + connection.peer +
          (with_credentials         ? ": its login and passcode are not those of the connector "
                                      "or of a session"
           : connection.certificate ? ": no login, and nobody knows a name in its certificate"
                                    : ": neither login nor certificate"),
      now_);
  const auto delay = with_credentials ? application_.failed_login(connection.peer, now_)
                                      : std::chrono::milliseconds{};
  if (delay <= std::chrono::milliseconds{}) {
    return end_with_error(connection, "Bad CONNECT", &Figures::refused_credentials);
  }
  connection.state = Connection::State::refusing;
  connection.held.clear();
  connection.deadline = now_ + delay;
  refusing_.push_back(connection.id);
}

void Broker::Impl::welcome(Connection& connection, const Frame& frame,
                           document::Principal principal) {
  connection.state = Connection::State::connected;
  connection.principal = std::move(principal);
  connection.splitter.set_limits(FrameLimits::of(limits_));
  connection.splitter.set_version(connection.version);
  connection.moved_at = now_;

  HeartBeat offered;
  if (const auto text = frame.header("heart-beat")) {
    const auto wanted = parse_heart_beat(*text);
    if (wanted) {
      offered = offered_to(*wanted);
    } else {
      warnings_.warn(Warning::heart_beat,
                     "STOMP: " + connection.peer + " sent a malformed heart-beat: none is kept",
                     now_);
    }
  }
  connection.beats = offered.sends;
  connection.peer_beats = offered.wants;
  const std::string session = options_.instance + std::to_string(connection.id.value);
  send(connection, Command::connected,
       {{"version", name_of(connection.version)},
        {"heart-beat", offered.text()},
        {"session", session},
        {"server", options_.server}});

  for (const std::string& lines : std::exchange(connection.held, {})) {
    if (connection.state != Connection::State::connected) return;
    handle(connection, {Command::subscribe, lines, {}});
  }
}

}  // namespace doctor::stomp
