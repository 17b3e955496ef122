#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/client/expected.hpp"
#include "doctor/client/options.hpp"
#include "doctor/client/reactive.hpp"

namespace doctor::client {

/// The threads of clients: one that reads and writes sockets, and some that give signals and
/// answers. Clients may share it, which makes sense for many of them. All callbacks come on its
/// delivery threads, never on the other one, and those of one subscription one at a time.
class Runtime {
 public:
  static std::shared_ptr<Runtime> make(std::size_t delivery_threads = 1);
  /// Waits until all callbacks have returned. Inside one of them it does not wait for that one, nor
  /// for those that it holds up.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

 private:
  friend class Client;
  struct Impl;
  Runtime();
  std::unique_ptr<Impl> impl_;
};

/// What happened so far.
struct Figures {
  bool connected = false;
  std::uint64_t connections = 0;  ///< that came about
  std::uint64_t events = 0;       ///< that arrived
  std::uint64_t unheard = 0;      ///< of those that arrived: no subscription was for them
  std::uint64_t unmatched = 0;    ///< messages that were neither an event nor awaited
  std::uint64_t threw = 0;        ///< callbacks that threw
};

/// A connection to Doctor's STOMP port, or to a vdsm host, that is made again whenever it is lost.
/// Any thread may call any function, also from inside callbacks; none of them blocks but the
/// destructor.
class Client {
 public:
  using Callback = std::function<void(Expected<std::string>)>;

  /// Begins to connect, and goes on until it is closed. That there is no connection yet is no
  /// error: requests wait for it.
  /// @param runtime  null: it gets its own
  /// @return Code::invalid_argument if the options cannot be used; the message names the file if
  /// one
  ///         for TLS is the cause
  static Expected<Client> open(Options options, std::shared_ptr<Runtime> runtime = nullptr);

  /// As `close`; then, if it is the last user of its runtime, waits for that. Otherwise, and inside
  /// a callback, others may still come afterwards (on_complete, answers): what they use must last.
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Events whose id matches any of `ids`, each once. An id is `receiver|component|operation|unique
  /// id`; a part that is `*` matches anything. The receiver is Options::receiver.
  ///
  /// A subscription is in force at the peer before any request that is made after it is executed.
  /// @return Code::invalid_argument: an id is none, there is no id, or the options have no room
  Expected<std::shared_ptr<Publisher>> events(const std::vector<std::string>& ids,
                                              const SubscriptionOptions& options = {});

  /// A request of JSON-RPC 2.0.
  /// @param params    JSON, an array or an object; empty: none
  /// @param answered  called once: with the result, which is JSON, or the error of the peer, or
  ///                  Code::communication
  void call(std::string_view method, std::string_view params, Callback answered,
            const CallOptions& options = {});
  /// The same. To wait for the answer inside a callback is to wait for oneself.
  std::future<Expected<std::string>> call(std::string_view method, std::string_view params = {},
                                          const CallOptions& options = {});

  /// Tells other clients of an event. It is written once there is a connection; whether anybody
  /// hears it is not told.
  /// @return Code::communication: closed, given up, or too much waits already;
  /// Code::invalid_argument: a part
  ///         has a bar (the unique id may), the params are neither an object nor an array, or the
  ///         peer is a vdsm, which takes none
  Expected<void> publish(std::string_view component, std::string_view operation,
                         std::string_view unique_id, std::string_view params);

  /// Ends it: requests fail with Code::communication, subscribers complete, the peer is told.
  void close();

  Figures figures() const;

 private:
  class Core;
  Client(std::shared_ptr<Runtime> runtime, std::shared_ptr<Core> core);
  std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<Core> core_;
};

}  // namespace doctor::client
