#include "doctor/stomp/test_broker.hpp"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "doctor/stomp/frame.hpp"

namespace doctor::stomp::testing {
namespace {

using document::Principal;

constexpr std::size_t output_max = 1u << 16;

}  // namespace

Peer& Peer::open(std::optional<std::string> certificate) {
  id_ = world_.broker_->accept("10.0.0.1", std::move(certificate), world_.now_, world_.wall_);
  is_open_ = true;
  is_paused_ = writing_ = false;
  end_ = End::none;
  version_ = Version::v1_0;
  splitter_ = Splitter{FrameLimits()};
  return *this;
}

Peer& Peer::connect(std::string_view version, std::string_view more) {
  if (!is_open_) open();
  return sends("CONNECT|accept-version:" + std::string(version) + login_ + std::string(more) +
               "||");
}

Peer& Peer::as_connector() {
  login_ = "|login:connector|passcode:the secret";
  return *this;
}

Peer& Peer::as_session(std::string id) {
  login_ = "|login:session|passcode:" + std::move(id);
  return *this;
}

Peer& Peer::sends(std::string_view frame) {
  std::string bytes(frame);
  std::replace(bytes.begin(), bytes.end(), '|', '\n');
  if (bytes.find("\n\n") == bytes.npos) bytes += "\n\n";
  return send_bytes(bytes + '\0');
}

Peer& Peer::send_bytes(std::string_view bytes) {
  world_.broker_->receive(id_, bytes, world_.now_, world_.wall_);
  world_.pump();
  return *this;
}

Peer& Peer::stop_reading() {
  reads_ = false;
  return *this;
}

Peer& Peer::read() {
  reads_ = true;
  if (is_open_) take_output();
  world_.pump();
  return *this;
}

Peer& Peer::read_one() {
  std::string frame;
  world_.broker_->output(id_, 1, frame, world_.now_);
  writing_ = !frame.empty();
  if (writing_) understand(frame);
  return *this;
}

void Peer::hang_up() {
  world_.broker_->closed(id_, world_.now_);
  is_open_ = false;
  world_.pump();
}

void Peer::obey(const Attention& attention) {
  is_paused_ = attention.pause;
  end_ = attention.end;
  take_output();
}

// One socket: a write is under way while the peer does not read.
void Peer::take_output() {
  while (reads_ || !writing_) {
    std::string bytes;
    world_.broker_->output(id_, output_max, bytes, world_.now_);
    writing_ = !bytes.empty();
    if (!writing_) break;
    writes_.push_back(bytes);
    understand(bytes);
  }
  if (end_ == End::none || writing_) return;
  heard_.push_back(end_ == End::reset ? "reset" : "closed");
  world_.broker_->closed(id_, world_.now_);
  is_open_ = false;
}

void Peer::understand(std::string_view bytes) {
  if (bytes == "\n" && splitter_.held() == 0) return heard_.push_back("beat");
  for (;;) {
    const auto raw = splitter_.next(bytes);
    ASSERT_TRUE(raw) << raw.error().message;
    if (!*raw) return;
    const auto frame = decode(**raw, version_);
    ASSERT_TRUE(frame) << frame.error().message;
    if (frame->command == Command::connected) version_ = *highest_common(*frame->header("version"));
    if (const auto number = frame->header("message-id")) {
      message_id_ = *number;
      ack_ = frame->header("ack").value_or("");
    }
    std::string line(name_of(frame->command));
    for (const Header& header : frame->headers) {
      const bool is_told = header.name != "content-length" && header.name != "session" &&
                           header.name != "server" && header.name != "message-id" &&
                           header.name != "content-type" && header.name != "ack";
      if (is_told) line += " " + std::string(header.name) + "=" + std::string(header.value);
    }
    const bool repeats = frame->header("message") == frame->body;
    if (!frame->body.empty() && !repeats) line += " [" + std::string(frame->body) + "]";
    heard_.push_back(line);
  }
}

Lines Peer::hears() {
  return std::exchange(heard_, {});
}

Peer& Peer::quiet() {
  heard_.clear();
  writes_.clear();
  return *this;
}

std::vector<std::string> Peer::writes() {
  return std::exchange(writes_, {});
}

World::World(const Limits& limits, Options options, bool secured) : secured_(secured) {
  broker_ = std::make_unique<Broker>(limits, std::move(options), *this,
                                     [this](std::string_view t) { warnings_.emplace_back(t); });
}

Peer& World::client() {
  return peers_.emplace_back(*this);
}

void World::session(std::string id, std::string_view permissions,
                    std::optional<Timestamp> expires) {
  auto session = std::make_shared<document::Session>();
  session->id = id;
  session->permissions = document::Permissions::parse(permissions).value();
  session->expires = expires;
  sessions_[id] = session;
}

void World::edit_session(std::string id, std::string_view permissions) {
  session(id, permissions);
  broker_->sessions_changed(std::vector{document::SessionChange{id, sessions_[id]}}, now_);
  pump();
}

void World::remove_session(std::string id) {
  sessions_.erase(id);
  broker_->sessions_changed(std::vector{document::SessionChange{id, nullptr}}, now_);
  pump();
}

std::size_t World::publish(Message message, const Routing& to) {
  const std::size_t heard = broker_->publish(std::move(message), to, now_);
  pump();
  return heard;
}

std::size_t World::answer(const Answer& answer) {
  const std::size_t heard = broker_->answer(answer, now_);
  pump();
  return heard;
}

void World::pass(std::chrono::milliseconds time) {
  const auto end = now_ + time;
  while (now_ < end) {
    const auto before = now_;
    const auto next = std::min(end, now_ + std::chrono::milliseconds(100));
    now_ = std::min(next, broker_->wake().value_or(next));
    wall_.value += std::chrono::duration_cast<std::chrono::milliseconds>(now_ - before).count();
    broker_->tick(now_, wall_);
    pump();
  }
}

void World::pump() {
  for (auto all = broker_->attention(); !all.empty(); all = broker_->attention()) {
    for (const Attention& attention : all) {
      for (Peer& peer : peers_) {
        if (peer.is_open_ && peer.id_ == attention.connection) peer.obey(attention);
      }
    }
  }
}

std::optional<Principal> World::log_in(const Credentials& credentials) {
  if (credentials.certificate == "engine") return Principal{Principal::Kind::connector, nullptr};
  if (credentials.login == "session" && credentials.passcode) {
    const auto found = sessions_.find(*credentials.passcode);
    if (found != sessions_.end()) return Principal{Principal::Kind::session, found->second};
  }
  if (!secured_) return Principal{Principal::Kind::anyone, nullptr};
  if (credentials.login == "connector" && credentials.passcode == "the secret") {
    return Principal{Principal::Kind::connector, nullptr};
  }
  return std::nullopt;
}

std::chrono::milliseconds World::failed_login(std::string_view, Clock::time_point) {
  return login_delay;
}

Decoded<Terms> World::subscribing(const Subscribing&) {
  return terms;
}

Decoded<void> World::sending(const Sending&) {
  if (refuses_sends) return *refuses_sends;
  return {};
}

Routing World::sent(const Sending& sending) {
  sent_to.push_back(sending.message.destination);
  return route(sending);
}

Routing World::route(const Sending& sending) const {
  if (routing) return *routing;
  Routing own;
  own.destinations = {sending.message.destination};
  return own;
}

std::optional<Message> World::overflowed(const Subscription&, std::uint64_t dropped,
                                         Clock::time_point) {
  return Message{"overflow", {}, std::to_string(dropped)};
}

}  // namespace doctor::stomp::testing
