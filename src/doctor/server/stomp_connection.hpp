#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "doctor/server/deadlines.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/stomp_service.hpp"

namespace doctor::server {

/// One STOMP client's stream: carries octets between it and the broker. Belongs to the broker's
/// thread. The coroutine `read` keeps it alive; writing needs none: what the socket does not take
/// at once waits here, and more is taken from the broker when it has gone.
class StompConnection final : public Watched,
                              public StompService::Writing,
                              public std::enable_shared_from_this<StompConnection> {
 public:
  StompConnection(StompService& service, IoThread& thread, stomp::ConnectionId id, Stream stream,
                  Share place);
  ~StompConnection() override;

  void start();
  /// The broker has something to write, or wants the connection to end or to pause.
  void attend(const stomp::Attention& attention);
  /// Looks whether the client has taken something of what has been written: a socket says that it
  /// can be written only when much of it is free, which takes a slow reader long. False once there
  /// is nothing to look at.
  bool look_at_progress();

  void expired() override { close(); }
  void wind_up() override {}  // StompService::shut_down does that
  void abort() override { close(); }

 private:
  Task<void> read();
  void take_more();
  void write();
  void write_pending();
  void written();
  void finish();
  void linger();
  void close();

  StompService& service_;
  IoThread& thread_;
  const stomp::ConnectionId id_;
  Stream stream_;
  Share place_;
  Counted counted_;
  Timer timer_;                        // for a pause to end, then for the peer to end
  stomp::End end_ = stomp::End::none;  // what the broker wants
  std::string pending_;                // what the socket has not taken yet
  std::size_t pending_at_ = 0;         // of it, what has been taken
  int unsent_ = 0;                     // octets that the system still had of it when last looked at
  bool writing_ = false;               // an asynchronous write is under way
  bool paused_ = false;                // nothing is read
  bool finished_ = false;              // this end has sent its last octet
  // Small, for there is one for each idle client; a busy one is read through the service's scratch.
  std::array<char, 512> input_;
};

}  // namespace doctor::server
