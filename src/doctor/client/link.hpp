#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/client/expected.hpp"
#include "doctor/client/options.hpp"
#include "doctor/net/asio.hpp"
#include "doctor/net/stream.hpp"

namespace doctor::client {

/// One connection to a peer, from looking up its name to the end of the socket. It carries octets
/// and decides nothing. Belongs to the thread of its executor; it calls its owner back on that,
/// never from inside a call.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The TLS handshake is done, too.
    virtual void opened() = 0;
    virtual void received(std::string_view octets) = 0;
    /// What was given to `write` has gone to the system.
    virtual void written() = 0;
    /// It is over, or did not come about; the last call.
    virtual void closed(Error reason) = 0;
  };

  Link(net::Executor executor, const Options& options, std::shared_ptr<Owner> owner);

  void open();
  /// Not while the last one is still being written.
  void write(std::string octets);
  bool is_writing() const { return writing_; }
  /// Whether octets have arrived that have not been taken from the system.
  bool has_unread() { return stream_ && stream_->is_open() && stream_->has_unread(); }
  /// Whether what arrives is taken from the system, whose buffers, once full, hold the peer up.
  void read_on(bool wanted);
  /// Calls the owner no more, and ends the connection in order as far as that needs no waiting.
  void abandon();

 private:
  net::Task<void> run();
  net::Task<Expected<void>> connect();
  net::Task<Expected<void>> shake_hands();
  net::Task<void> read();
  net::Task<void> write_all();
  void close(std::string why);

  const Options options_;
  std::shared_ptr<Owner> owner_;  // null: abandoned
  net::Socket socket_;
  net::asio::ip::basic_resolver<net::asio::ip::tcp, net::Executor> resolver_;
  net::Timer reading_on_;  // waited for while not to be read
  std::optional<net::Stream> stream_;
  net::TlsSession tls_;
  bool reads_ = true;
  bool writing_ = false;
  std::string output_;
  std::array<char, 64u << 10> input_;
};

}  // namespace doctor::client
