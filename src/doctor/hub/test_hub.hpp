#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/hub/hub.hpp"

// The vocabulary of the hub's tests: a world with a hub, a clock, sessions and commits; clients
// that send frames and hear lines such as "1 jms.queue.events [{...}]": the subscription's id, the
// destination and the body of each message.
namespace doctor::hub::testing {

using Lines = std::vector<std::string>;

class World;

class Client {
 public:
  explicit Client(World& world) : world_(world) {}

  /// Opens a socket if there is none, and sends CONNECT.
  Client& connect(std::string_view headers = "");
  Client& as_connector() { return connect("login:connector\npasscode:the secret\n"); }
  Client& as_session(const std::string& id) {
    return connect("login:session\npasscode:" + id + "\n");
  }
  /// Of its certificate; before `connect`.
  Client& certified(std::string name);

  Client& subscribe(std::string_view id, std::string_view destination,
                    std::string_view headers = "");
  Client& send(std::string_view destination, std::string_view body, std::string_view headers = "");
  Client& frame(std::string_view frame);
  /// Its socket takes nothing more, until `read` is called.
  Client& stop_reading();
  Client& read();
  void hang_up();

  /// What has come since the last call.
  Lines hears();
  /// The headers of the last message but those of every message, as `name=value` with blanks
  /// between.
  const std::string& headers() const { return headers_; }

 private:
  friend class World;
  void take_output();
  void understand(std::string_view bytes);

  World& world_;
  std::optional<std::string> certificate_;
  stomp::ConnectionId id_;
  bool is_open_ = false;
  bool reads_ = true;
  bool writing_ = false;
  bool ends_ = false;
  Lines heard_;
  std::string headers_;
};

class World {
 public:
  explicit World(const Limits& limits = {}, Options options = {}, Settings settings = {},
                 bool secured = true);

  Client& client() { return clients_.emplace_back(*this); }

  void session(const std::string& id, std::string_view permissions);
  /// The same as a commit.
  void edit_session(const std::string& id, std::string_view permissions);
  void end_session(const std::string& id);
  /// Commits of one change each, announced together: "+vm/1", "~vm/1 status,name", "-vm/1".
  void commit(const std::vector<std::string>& changes);
  /// One commit of all of them.
  document::CommitPtr commit_of(const std::vector<std::string>& changes);
  void announce(const std::vector<document::CommitPtr>& commits);

  /// Requests that are to be carried out, and have not been asked for before.
  std::vector<Request> requests();
  void answer(RequestNumber number, std::vector<events::RpcResponse> responses);
  /// Answers all calls of a request with the result.
  void answer_all(const Request& request, std::string_view result);
  void pump();

  Hub& hub() { return *hub_; }
  Clock::time_point now() const { return now_; }
  const Lines& log() const { return warnings_; }

 private:
  friend class Client;
  Surroundings surroundings(bool secured);

  std::map<std::string, std::shared_ptr<const document::Session>> sessions_;
  std::map<std::uint64_t, document::CommitPtr> log_;
  std::uint64_t revision_ = 0;
  Clock::time_point now_{std::chrono::hours(1)};
  Timestamp wall_{1'700'000'000'000};
  Lines warnings_;
  std::vector<Request> requests_;
  std::deque<Client> clients_;
  std::unique_ptr<Hub> hub_;
};

}  // namespace doctor::hub::testing
