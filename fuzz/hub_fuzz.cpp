// The hub with a few clients, driven by bytes: logins of every kind, frames to the destinations
// that mean something, rubbish in their bodies, commits, edits of sessions, answers late or never.
// Whatever happens: what is written is STOMP, a session hears of no document that it may not read
// and of no event that others sent, what is kept is bounded, and nothing stays under way once all
// is answered.
#include <algorithm>
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

#include "doctor/hub/hub.hpp"
#include "doctor/stomp/frame.hpp"
#include "require.hpp"

namespace doctor::hub {
namespace {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  std::size_t below(std::size_t n) {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte % n;
  }
  template <class T, std::size_t N>
  const T& one_of(const std::array<T, N>& all) {
    return all[below(N)];
  }
  std::string_view text() {
    const std::size_t size = std::min(below(64), rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
};

constexpr std::array<std::string_view, 8> destinations{"jms.queue.events",
                                                       "jms.topic.vdsm_responses",
                                                       "jms.topic.vdsm_requests",
                                                       "jms.topic.vdsm_requests.x",
                                                       "/queue/_local/vdsm/requests",
                                                       "jms",
                                                       "jms.queue.reponses",
                                                       "a"};
constexpr std::array<std::string_view, 6> bodies{
    R"({"jsonrpc":"2.0","method":"m","id":1})",
    R"([{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method":"n"},3])",
    R"({"jsonrpc":"2.0","method":"|virt|VM_status|u","params":{}})",
    R"({"jsonrpc":"2.0","id":1,"result":1})",
    "[]",
    "{"};
constexpr std::array<std::string_view, 7> extras{"",
                                                 "reply-to:a\n",
                                                 "reply-to:jms.queue.events\n",
                                                 "content-encoding:gzip\n",
                                                 "content-encoding:br\n",
                                                 "event-filter:*|vm|*|*\n",
                                                 "x-overflow:block\n"};
constexpr std::array<std::string_view, 4> logins{"login:connector\npasscode:s\n",
                                                 "login:session\npasscode:0\n",
                                                 "login:session\npasscode:1\n", ""};
constexpr std::array<std::string_view, 3> permissions{"\"*\"", R"({"vm":"1"})", "{}"};

struct Socket {
  stomp::ConnectionId id;
  bool is_open = false;
  std::optional<std::string> session;  // its id, if it logs in with one
};

class Run {
 public:
  Run(const std::uint8_t* data, std::size_t size) : input_(data, size) {
    for (std::size_t i = 0; i < 2; ++i) edit_session(i);
  }

  void go() {
    while (!input_.empty()) {
      step();
      pump();
      // Whoever has nothing under way may ask for anything, within the other limits.
      constexpr std::size_t one_request = 2'000;
      require(hub_.figures().calls_bytes <= limits_.rpc_calls_bytes + one_request);
      require(hub_.take_events().size() <= limits_.events_waiting);
    }
    while (!requests_.empty()) answer(requests_.front().number, "1");
    require(hub_.figures().calls_under_way == 0);
    require(hub_.figures().calls_bytes == 0);
  }

 private:
  static Limits small() {
    Limits limits;
    limits.rpc_calls = 5;
    limits.rpc_batch = 4;
    limits.rpc_calls_bytes = 3'000;
    limits.stomp_outbox_bytes = 6'000;
    limits.stomp_outbox_frames = 8;
    limits.stomp_body = 200;
    limits.events_backlog_bytes = 500;
    limits.events_waiting = 3;
    limits.events_filters = 2;
    return limits;
  }

  Surroundings surroundings() {
    Surroundings around;
    around.authority.secured = true;
    around.authority.is_secret = [](std::string_view secret) { return secret == "s"; };
    around.authority.session = [this](std::string_view id) {
      const auto found = sessions_.find(std::string(id));
      return found == sessions_.end() ? nullptr : found->second;
    };
    around.failed_login = [](std::string_view, Clock::time_point) {
      return std::chrono::milliseconds(0);
    };
    around.has_unread = [](stomp::ConnectionId) { return false; };
    around.read_log = [this](document::Revision revision, std::uint64_t from,
                             std::size_t) -> std::optional<document::CommitPart> {
      const auto found = log_.find(revision.value);
      if (found == log_.end() || from != 0) return std::nullopt;
      return document::CommitPart{found->second->changes, 0, true};
    };
    around.gunzip = [](std::string_view body, std::size_t max) -> Result<std::string> {
      if (body.size() > max) return error(Errc::too_large, "");
      return std::string(body);
    };
    around.log = [](std::string_view) {};
    return around;
  }

  void step() {
    Socket& socket = sockets_[input_.below(sockets_.size())];
    if (!socket.is_open) {
      const bool certified = input_.below(2) == 0;
      socket = {hub_.broker().accept(
                    "p", certified ? std::optional<std::string>("c") : std::nullopt, now_, wall_),
                true, std::nullopt};
      const std::string login(input_.one_of(logins));
      if (login.starts_with("login:session")) socket.session = login.substr(login.size() - 2, 1);
      return send(socket, "CONNECT\naccept-version:1.2\n" + login + "\n");
    }
    switch (input_.below(8)) {
      case 0:
        return send(socket, "SUBSCRIBE\nid:" + std::to_string(input_.below(4)) +
                                "\ndestination:" + std::string(input_.one_of(destinations)) + "\n" +
                                std::string(input_.one_of(extras)) + "\n");
      case 1:
        return send(socket, "SEND\ndestination:" + std::string(input_.one_of(destinations)) + "\n" +
                                std::string(input_.one_of(extras)) + "\n" +
                                std::string(input_.one_of(bodies)));
      case 2:
        return send(socket, "SEND\ndestination:" + std::string(input_.one_of(destinations)) +
                                "\n\n" + std::string(input_.text()));
      case 3:
        return commit();
      case 4:
        return edit_session(input_.below(2));
      case 5:
        if (!requests_.empty()) {
          answer(requests_[input_.below(requests_.size())].number,
                 input_.below(2) == 0 ? "true" : "\"" + std::string(1'600, 'x') + "\"");
        }
        return;
      case 6:
        hub_.use({input_.below(2) == 0 ? std::vector<std::string>{"c"} : std::vector<std::string>{},
                  input_.below(2) == 0});
        return;
      default:
        hub_.broker().closed(socket.id, now_);
        socket.is_open = false;
        return;
    }
  }

  void send(Socket& socket, const std::string& frame) {
    hub_.broker().receive(socket.id, frame + '\0', now_, wall_);
  }

  void commit() {
    auto commit = std::make_shared<document::Commit>();
    commit->revision = document::Revision(++revision_);
    for (std::size_t i = 0, count = input_.below(5); i < count; ++i) {
      commit->changes.push_back({static_cast<document::ChangeKind>(input_.below(3)),
                                 input_.below(2) == 0 ? "vm" : "a|b",
                                 std::to_string(input_.below(3)),
                                 {}});
    }
    if (input_.below(2) == 0) log_[revision_] = commit;
    hub_.announce(std::vector<document::CommitPtr>{commit}, now_);
  }

  void edit_session(std::size_t which) {
    const std::string id = std::to_string(which);
    auto session = std::make_shared<document::Session>();
    session->id = id;
    session->permissions = document::Permissions::parse(input_.one_of(permissions)).value();
    if (input_.below(4) == 0) session.reset();
    sessions_[id] = session;
    auto commit = std::make_shared<document::Commit>();
    commit->revision = document::Revision(++revision_);
    commit->sessions.push_back({id, session});
    log_[revision_] = commit;
    hub_.announce(std::vector<document::CommitPtr>{commit}, now_);
  }

  void answer(RequestNumber number, const std::string& result) {
    const auto found = std::find_if(requests_.begin(), requests_.end(),
                                    [&](const Request& one) { return one.number == number; });
    hub_.answer(number,
                respond_to_all(found->calls,
                               [&](const events::RpcRequest& call) {
                                 return events::RpcResponse{*call.id, result};
                               }),
                now_);
    hub_.answer(number, {}, now_);  // a second one is none
    requests_.erase(found);
  }

  void pump() {
    for (bool goes_on = true; goes_on;) {
      auto requests = hub_.take_requests(now_);
      const auto attention = hub_.broker().attention();
      goes_on = !requests.empty() || !attention.empty();
      for (Request& request : requests) requests_.push_back(std::move(request));
      for (const stomp::Attention& one : attention) {
        for (Socket& socket : sockets_) {
          if (socket.is_open && socket.id == one.connection) take(socket, one.end);
        }
      }
      if (hub_.unfinished()) hub_.advance(now_);
    }
  }

  void take(Socket& socket, stomp::End end) {
    if (input_.below(8) == 7 && end == stomp::End::none) return;  // it reads later
    for (;;) {
      std::string bytes;
      hub_.broker().output(socket.id, 1u << 16, bytes, now_);
      if (bytes.empty()) break;
      understand(socket, bytes);
    }
    if (end == stomp::End::none) return;
    hub_.broker().closed(socket.id, now_);
    socket.is_open = false;
  }

  void understand(const Socket& socket, std::string_view bytes) const {
    stomp::Splitter splitter{stomp::FrameLimits()};
    while (!bytes.empty()) {
      const auto raw = splitter.next(bytes);
      require(raw.has_value());
      if (!*raw) break;
      const auto frame = decode(**raw, stomp::Version::v1_2);
      require(frame.has_value());
      if (frame->command != stomp::Command::message) continue;
      require(frame->header("subscription").has_value());
      if (socket.session) check(*socket.session, frame->body);
    }
  }

  // The ids in a body of Doctor's making are written in one way.
  void check(const std::string& id, std::string_view body) const {
    const auto session = sessions_.at(id);
    require(session != nullptr);
    if (session->permissions.reads_everything()) return;
    require(body.find("|virt|VM_status|u") == body.npos);
    const std::size_t begin = body.find("\"method\":\"|vm|");
    if (begin == body.npos || body.find("\"revision\":") == body.npos) return;
    const std::size_t end = body.find('"', begin + 10);
    require(session->permissions.may_read("vm", body.substr(end - 1, 1)));
  }

  Input input_;
  const Limits limits_ = small();
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  std::map<std::string, std::shared_ptr<const document::Session>> sessions_;
  std::map<std::uint64_t, document::CommitPtr> log_;
  std::uint64_t revision_ = 0;
  std::deque<Request> requests_;
  std::array<Socket, 4> sockets_{};
  Hub hub_{limits_, options(), {{"c"}, true}, surroundings()};

  static Options options() {
    Options options;
    options.keeps_events = true;
    return options;
  }
};

}  // namespace
}  // namespace doctor::hub

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  doctor::hub::Run(data, size).go();
  return 0;
}
