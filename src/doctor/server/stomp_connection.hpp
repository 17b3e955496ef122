#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "doctor/server/deadlines.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/stomp_service.hpp"
#include "doctor/server/writer.hpp"

namespace doctor::server {

/// One STOMP client's stream: carries octets between it and the broker. Belongs to the broker's
/// thread. The coroutine `read` keeps it alive; writing needs none.
class StompConnection final : public Watched, public std::enable_shared_from_this<StompConnection> {
 public:
  StompConnection(StompService& service, IoThread& thread, stomp::ConnectionId id, Stream stream,
                  Share place);
  ~StompConnection() override;

  void start();
  /// The broker has something to write, or wants the connection to end or to pause.
  void attend(const stomp::Attention& attention);

  /// Whether octets of the client wait to be read.
  bool has_unread() { return stream_.has_unread(); }

  void expired() override { close(); }
  void wind_up() override {}  // StompService::shut_down does that
  void abort() override { close(); }

 private:
  Task<void> read();
  // For the writer.
  friend class Writer<StompConnection>;
  std::string_view next_piece();
  void nothing_left();
  void taken();
  void resumed();
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
  Writer<StompConnection> writer_;
  bool paused_ = false;  // nothing is read
  // Small, for there is one for each idle client; a busy one is read through the service's scratch.
  std::array<char, 512> input_;
};

}  // namespace doctor::server
