// A broker with a few clients, driven by bytes: connections, frames, rubbish, events, answers,
// edits of sessions, time, sockets that read and sockets that do not. Whatever happens: what is
// written is STOMP of the version agreed on, nobody hears what he did not subscribe to or may not
// read, or another's answer, messages come in order and once, receipts come in order and only for
// what was asked, queues keep their bounds, publishers that were blocked go on once all is read,
// and nothing is left of connections that have gone.
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "doctor/stomp/broker.hpp"
#include "doctor/stomp/destinations.hpp"
#include "doctor/stomp/frame.hpp"
#include "require.hpp"

using namespace doctor;
using namespace doctor::stomp;
using document::Permissions;
using document::Principal;

namespace {

constexpr std::array<std::string_view, 6> names{"a", "a.b", "a.b.c", "jms.queue.e", "ab", "r"};
constexpr std::array<std::string_view, 4> modes{"auto", "client", "client-individual", "never"};
constexpr std::array<std::string_view, 5> policies{"drop-oldest", "disconnect", "block", "block",
                                                   "x"};
constexpr std::array<std::string_view, 5> versions{"1.0", "1.1", "1.2", "1.1,1.2", "9"};
constexpr std::array<std::string_view, 3> permissions{"\"*\"", R"({"vm":"*"})", R"({"vm":"1"})"};
constexpr std::string_view uuid = "0e3b1a34-5c9f-4c7c-b1e6-000000000001";

Limits small_limits() {
  Limits limits;
  limits.stomp_headers = 12;
  limits.stomp_header_line = 200;
  limits.stomp_header_block = 600;
  limits.stomp_body = 300;
  limits.stomp_before_connect = 400;
  limits.stomp_subscriptions = 4;
  limits.stomp_subscriptions_bytes = 300;
  limits.stomp_transactions = 2;
  limits.stomp_transaction_frames = 3;
  limits.stomp_transaction_bytes = 2'000;
  limits.stomp_transactions_bytes = 3'000;
  limits.stomp_outbox_frames = 6;
  limits.stomp_outbox_bytes = 4'000;
  limits.stomp_outboxes_bytes = 8'000;
  limits.stomp_unacked_messages = 4;
  limits.stomp_unacked_bytes = 3'000;
  return limits;
}

struct Socket {
  ConnectionId id;
  bool is_open = false;
  bool reads = true;
  bool writing = false;
  bool paused = false;
  bool is_rubbish = false;  // octets of no meaning were sent: they may have made a frame
  bool has_connected = false;
  End end = End::none;
  Version version = Version::v1_0;
  std::string session;  // it said it would be
  std::vector<std::string> subscribed;
  std::deque<std::string> receipts;  // asked for
  std::uint64_t last_message = 0;
  std::string ack;
};

class Driver : public Application {
 public:
  explicit Driver(Bytes bytes) : bytes_(bytes) {}

  void run() {
    while (!bytes_.empty()) {
      step();
      pump();
      check_bounds();
    }
    // Once everyone reads, nobody waits for anybody.
    for (Socket& socket : sockets_) {
      socket.reads = true;
      take_output(socket);
      pump();
    }
    require(broker_.figures().blocked == 0);
    for (Socket& socket : sockets_) {
      if (socket.is_open) close(socket);
    }
    const Figures figures = broker_.figures();
    require(figures.connections == 0 && figures.subscriptions == 0);
    require(figures.queued_bytes == 0 && figures.blocked == 0);
  }

 private:
  void step() {
    Socket& socket = sockets_[bytes_.below(sockets_.size())];
    if (!socket.is_open) open(socket);
    switch (bytes_.below(20)) {
      case 0:
      case 1:
        return connect(socket);
      case 2:
      case 3:
        return subscribe(socket);
      case 4:
        return frame(socket, "UNSUBSCRIBE", "\nid:" + number());
      case 5:
      case 6:
      case 7:
        return send(socket);
      case 8:
        return frame(socket, bytes_.below(2) == 0 ? "ACK" : "NACK",
                     "\nid:" + socket.ack + "\nsubscription:" + number() +
                         "\nmessage-id:" + std::to_string(socket.last_message) + transaction());
      case 9:
        return frame(socket, "BEGIN", "\ntransaction:" + number());
      case 10:
        return frame(socket, bytes_.below(3) == 0 ? "ABORT" : "COMMIT",
                     "\ntransaction:" + number());
      case 11:
        return frame(socket, "DISCONNECT", "");
      case 12:
        socket.is_rubbish = true;
        return receive(socket, bytes_.some(48));
      case 13:
        return publish();
      case 14:
        return answer(socket);
      case 15:
        return edit_session();
      case 16:
        return pass(std::chrono::milliseconds(bytes_.below(200) * 20));
      case 17:
        socket.reads = !socket.reads;
        return take_output(socket);
      case 18:
        return close(socket);
      default:
        broker_.taken(socket.id, now_);
        return;
    }
  }

  std::string number() { return std::to_string(bytes_.below(3)); }
  std::string name() { return std::string(names[bytes_.below(names.size())]); }
  std::string transaction() {
    return bytes_.below(3) == 0 ? "\ntransaction:" + number() : std::string();
  }

  void open(Socket& socket) {
    const bool reads = socket.reads;
    socket = {};
    socket.reads = reads;
    socket.is_open = true;
    socket.id = broker_.accept("peer", std::nullopt, now_, wall_);
  }

  void connect(Socket& socket) {
    const unsigned who = bytes_.below(3);
    std::string headers = "\naccept-version:";
    headers += versions[bytes_.below(versions.size())];
    headers += "\nheart-beat:" + number() + "000," + number() + "000";
    if (who < 2) {
      const std::string session = "s" + std::to_string(who);
      headers += "\nlogin:" + session;
      if (!socket.has_connected && !socket.paused) socket.session = session;
    }
    socket.has_connected = true;
    receive(socket, "CONNECT" + headers + "\n\n" + '\0');
  }

  void subscribe(Socket& socket) {
    const std::string destination = name();
    std::string headers = "\nid:";
    headers += bytes_.below(6) == 0 ? std::string(uuid) : number();
    headers += "\ndestination:" + destination;
    headers += "\nack:" + std::string(modes[bytes_.below(modes.size())]);
    if (bytes_.below(2) == 0) {
      headers += "\nx-overflow:" + std::string(policies[bytes_.below(policies.size())]);
    }
    socket.subscribed.push_back(destination);
    frame(socket, "SUBSCRIBE", headers);
  }

  void send(Socket& socket) {
    const std::string body = "sent " + std::string(bytes_.below(250), 'x');
    const std::string headers = "\ndestination:" + name() + "\nx\\cy:z\\n" + transaction();
    frame(socket, "SEND", headers, body);
  }

  void frame(Socket& socket, std::string command, const std::string& headers,
             std::string_view body = {}) {
    std::string bytes = std::move(command) + headers;
    if (bytes_.below(3) == 0) {
      socket.receipts.push_back("r" + std::to_string(++last_receipt_));
      bytes += "\nreceipt:" + socket.receipts.back();
    }
    bytes += "\n\n";
    bytes += body;
    receive(socket, bytes + '\0');
  }

  void receive(Socket& socket, std::string_view bytes) {
    // What is sent while it is paused would wait in the socket.
    if (socket.paused) return;
    broker_.receive(socket.id, bytes, now_, wall_);
  }

  void close(Socket& socket) {
    broker_.closed(socket.id, now_);
    socket.is_open = false;
  }

  void publish() {
    Routing routing;
    routing.destinations = {name(), name()};
    routing.each = bytes_.below(2) == 0;
    routing.reach = Reach::subject_readers;
    routing.subject = {"vm", number()};
    const std::string body = "event " + routing.subject->id;
    broker_.publish({routing.destinations[0], {}, body}, routing, now_);
  }

  void answer(Socket& socket) {
    const std::string to = name();
    broker_.answer({socket.id, false, {to}, {to, {}, "answer " + std::to_string(socket.id.value)}},
                   now_);
  }

  void edit_session() {
    const std::string id = "s" + std::to_string(bytes_.below(2));
    const unsigned what = bytes_.below(permissions.size() + 1);
    auto& session = sessions_[id];
    session = what == permissions.size() ? nullptr : make_session(id, permissions[what]);
    const document::SessionChange change{id, session};
    broker_.sessions_changed(std::span(&change, 1), now_);
  }

  static std::shared_ptr<const document::Session> make_session(std::string id,
                                                               std::string_view text) {
    auto session = std::make_shared<document::Session>();
    session->id = std::move(id);
    session->permissions = Permissions::parse(text).value();
    return session;
  }

  void pass(std::chrono::milliseconds time) {
    now_ += time;
    wall_.value += time.count();
    broker_.tick(now_, wall_);
  }

  void pump() {
    for (auto all = broker_.attention(); !all.empty(); all = broker_.attention()) {
      for (const Attention& attention : all) {
        for (Socket& socket : sockets_) {
          if (!socket.is_open || socket.id != attention.connection) continue;
          socket.end = attention.end;
          socket.paused = attention.pause;
          take_output(socket);
        }
      }
    }
  }

  void take_output(Socket& socket) {
    while (socket.is_open && (socket.reads || !socket.writing)) {
      std::string out;
      broker_.output(socket.id, 500, out, now_);
      socket.writing = !out.empty();
      if (!socket.writing) break;
      understand(socket, out);
    }
    if (socket.is_open && socket.end != End::none && !socket.writing) close(socket);
  }

  void understand(Socket& socket, std::string_view bytes) {
    Splitter splitter{FrameLimits()};
    while (!bytes.empty()) {
      const auto raw = splitter.next(bytes);
      require(raw.has_value());
      if (!*raw) return;  // nothing but LF
      const auto frame = decode(**raw, socket.version);
      require(frame.has_value());
      switch (frame->command) {
        case Command::connected:
          socket.version = *highest_common(*frame->header("version"));
          break;
        case Command::message:
          check(socket, *frame);
          break;
        case Command::receipt:
          // Those of frames that came to nothing are left out.
          while (!socket.receipts.empty() &&
                 socket.receipts.front() != *frame->header("receipt-id")) {
            socket.receipts.pop_front();
          }
          require(!socket.receipts.empty() || socket.is_rubbish);
          if (!socket.receipts.empty()) socket.receipts.pop_front();
          break;
        default:
          require(frame->command == Command::error && bytes.empty());
      }
    }
  }

  void check(Socket& socket, const Frame& message) {
    const std::string_view destination = *message.header("destination");
    const std::uint64_t number = std::stoull(std::string(*message.header("message-id")));
    require(number > socket.last_message);
    socket.last_message = number;
    if (const auto ack = message.header("ack")) socket.ack = *ack;
    require(message.header("content-length") == std::to_string(message.body.size()));
    const document::Session* session =
        socket.session.empty() ? nullptr : sessions_.at(socket.session).get();
    // Rubbish may have swallowed the CONNECT or made another one.
    if (socket.is_rubbish) return;
    require(socket.session.empty() || session != nullptr);
    if (message.body.starts_with("event ")) {
      const std::string_view id = message.body.substr(6);
      require(session == nullptr || session->permissions.may_read("vm", id));
      return;  // its destinations were two, of which `destination` is one
    }
    if (message.body.starts_with("answer ")) {
      require(message.body.substr(7) == std::to_string(socket.id.value));
    } else if (message.body.starts_with("sent ")) {
      require(session == nullptr || session->permissions.reads_everything());
    }
    bool is_heard = destination == "overflow" || socket.is_rubbish;
    for (const std::string& name : socket.subscribed) is_heard |= covers(name, destination);
    require(is_heard);
  }

  void check_bounds() {
    // A publisher that blocks may have queued one frame more, or all of its transaction; an ERROR
    // is written in any case.
    const std::size_t one =
        limits_.stomp_outbox_bytes + 1'000 + limits_.stomp_transaction_bytes + 3 * 2'000;
    require(broker_.figures().queued_bytes <= sockets_.size() * one * 2);
    // Where nothing waits another frame than a message has room in any case.
    require(broker_.figures().outboxes_bytes <=
            limits_.stomp_outboxes_bytes + sockets_.size() * 2 * 1'000);
  }

  std::optional<Principal> log_in(const Credentials& credentials) override {
    if (!credentials.login) return Principal{Principal::Kind::anyone, nullptr};
    const auto found = sessions_.find(*credentials.login);
    if (found == sessions_.end() || !found->second) return std::nullopt;
    return Principal{Principal::Kind::session, found->second};
  }
  std::chrono::milliseconds failed_login(std::string_view, Clock::time_point) override {
    return std::chrono::milliseconds(bytes_.below(3) * 250);
  }
  Decoded<Terms> subscribing(const Subscribing&) override { return Terms(); }
  Decoded<void> sending(const Sending&) override { return {}; }
  Routing sent(const Sending& sending) override { return route(sending); }
  Routing route(const Sending& sending) const override {
    Routing routing;
    routing.destinations = {sending.message.destination};
    return routing;
  }
  bool has_unread(ConnectionId) const override { return false; }
  std::optional<Message> overflowed(const Subscription&, std::uint64_t dropped,
                                    Clock::time_point) override {
    require(dropped > 0);
    return Message{"overflow", {}, std::to_string(dropped)};
  }

  Bytes bytes_;
  const Limits limits_ = small_limits();
  std::array<Socket, 4> sockets_{};
  std::map<std::string, std::shared_ptr<const document::Session>> sessions_{
      {"s0", make_session("s0", permissions[0])}, {"s1", make_session("s1", permissions[1])}};
  std::uint64_t last_receipt_ = 0;
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  Broker broker_{limits_, {}, *this, [](std::string_view) {}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Driver(Bytes(data, size)).run();
  return 0;
}
