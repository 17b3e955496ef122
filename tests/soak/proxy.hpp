#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace soak {

/// Stands between clients and a server on this machine, and makes their connections bad.
class Proxy {
 public:
  explicit Proxy(std::uint16_t server_port);
  ~Proxy();

  std::uint16_t port() const { return port_; }
  /// Cuts every connection that there is, in the middle of whatever is under way.
  void cut();
  /// While stalled nothing of what the server sends is passed on, or read.
  void stall(bool on) { stalled_ = on; }

 private:
  struct Pair;
  void accept_all();
  void carry(const Pair& pair, bool from_server) const;

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stalled_ = false;
  std::atomic<bool> ending_ = false;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Pair>> pairs_;  // guarded by mutex_
};

}  // namespace soak
