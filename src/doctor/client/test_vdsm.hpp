#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <openssl/ssl.h>

#include "doctor/net/tls_session.hpp"

namespace doctor::client {

/// A vdsm host as it is on the wire: one connection at a time, octet for octet as vdsm reads and
/// writes them, with its faults. Whatever it does not like it cuts; what it saw can be asked for.
class TestVdsm {
 public:
  /// @param certificate  a PEM file of certificate and key; empty: without TLS
  explicit TestVdsm(const std::string& certificate = {}, bool wants_certificate = false) {
    if (!certificate.empty()) {
      tls_ = *net::make_tls_setup(TLS_server_method());
      static_cast<void>(net::use_certificate(*tls_, certificate));
      static_cast<void>(net::use_key(*tls_, certificate, certificate));
      if (wants_certificate) {
        static_cast<void>(net::use_ca(*tls_, certificate, "clients"));
        SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      }
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestVdsm() {
    stopping_ = true;
    cut();
    thread_.join();
    ::close(listener_);
  }
  TestVdsm(const TestVdsm&) = delete;
  TestVdsm& operator=(const TestVdsm&) = delete;

  std::uint16_t port() const { return port_; }
  /// What the peer sent, with `^` for NUL.
  std::string seen() const {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }
  /// Why a connection was cut, if any was.
  std::vector<std::string> dislikes() const {
    const std::scoped_lock lock(mutex_);
    return dislikes_;
  }
  /// Queues an event for whoever listens; it is sent as soon as there is somebody.
  void tell(const std::string& method, const std::string& params) {
    const std::scoped_lock lock(mutex_);
    events_ += event_body(method, params) + "\n";
  }
  void cut() {
    const std::scoped_lock lock(mutex_);
    if (connected_ >= 0) ::shutdown(connected_, SHUT_RDWR);
  }
  /// Answers nothing from now on, as a host that hangs.
  void hang() { hanging_ = true; }

 private:
  struct Frame {
    std::string command;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::optional<std::string> header(const std::string& name) const {
      for (const auto& [key, value] : headers) {
        if (key == name) return value;
      }
      return std::nullopt;
    }
  };

  static std::string event_body(const std::string& method, const std::string& params) {
    return R"({"jsonrpc": "2.0", "method": ")" + method + R"(", "params": )" + params + "}";
  }

  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      {
        const std::scoped_lock lock(mutex_);
        connected_ = socket;
      }
      talk(socket);
      {
        const std::scoped_lock lock(mutex_);
        connected_ = -1;
      }
      ssl_.reset();
      ::close(socket);
    }
  }

  void talk(int socket) {
    socket_ = socket;
    input_.clear();
    event_subscription_.reset();
    reply_queue_.clear();
    greeted_ = false;
    if (tls_ != nullptr) {
      ssl_.reset(SSL_new(tls_.get()));
      SSL_set_fd(ssl_.get(), socket);
      if (SSL_accept(ssl_.get()) != 1) return;
    }
    while (!stopping_) {
      send_events();
      const std::size_t end = input_.find('\0');
      if (end != std::string::npos) {
        if (const auto why = take(input_.substr(0, end + 1))) {
          if (!why->empty()) {
            const std::scoped_lock lock(mutex_);
            dislikes_.push_back(*why);
          }
          return;
        }
        input_.erase(0, end + 1);
        continue;
      }
      const bool buffered = ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1;
      pollfd waiting{socket, POLLIN, 0};
      if (!buffered && ::poll(&waiting, 1, 5) <= 0) continue;
      char octets[4096];
      const auto count = ssl_ != nullptr
                             ? SSL_read(ssl_.get(), octets, sizeof octets)
                             : static_cast<int>(::recv(socket, octets, sizeof octets, 0));
      if (count <= 0) return;
      input_.append(octets, static_cast<std::size_t>(count));
      const std::scoped_lock lock(mutex_);
      for (int i = 0; i < count; ++i) seen_ += octets[i] == '\0' ? '^' : octets[i];
    }
  }

  void send_events() {
    std::string events;
    {
      const std::scoped_lock lock(mutex_);
      if (!event_subscription_) return;
      events.swap(events_);
    }
    for (std::size_t begin = 0; begin < events.size();) {
      const std::size_t end = events.find('\n', begin);
      message("jms.queue.events", *event_subscription_, events.substr(begin, end - begin));
      begin = end + 1;
    }
    flush();
  }

  // Nothing, or why the connection is cut (empty: it was to end).
  std::optional<std::string> take(std::string text) {
    while (!text.empty() && text.front() == '\n') text.erase(0, 1);
    Frame frame;
    if (auto why = parse(text, frame)) return why;
    if (!greeted_) {
      // vdsm looks at the first octets: without one of the commands that it knows it is HTTP.
      if (frame.command != "CONNECT") return "the first frame is " + frame.command;
      greeted_ = true;
      if (frame.header("accept-version") != "1.2") {
        write(std::string("ERROR\ncontent-length:19\n\nVersion unsupported\0", 45));
      } else {
        const std::string beats = frame.header("heart-beat").value_or("0,0");
        const std::size_t comma = beats.find(',');
        write("CONNECTED\nversion:1.2\nheart-beat:" + beats.substr(comma + 1) + "," +
              beats.substr(0, comma) + "\n\n" + '\0');
      }
      return flushed();
    }
    if (hanging_) return std::nullopt;
    if (frame.command == "SUBSCRIBE") return subscribe(frame);
    if (frame.command == "UNSUBSCRIBE") {
      if (frame.header("id") == event_subscription_) event_subscription_.reset();
      return std::nullopt;
    }
    if (frame.command == "SEND") return call(frame);
    if (frame.command == "DISCONNECT") {
      const auto receipt = frame.header("receipt");
      if (!receipt) return "KeyError: receipt";
      write("RECEIPT\nreceipt-id:" + *receipt + "\n\n" + '\0');
      flush();
      return "";
    }
    return frame.command + " is not known";
  }

  static std::optional<std::string> parse(const std::string& text, Frame& frame) {
    std::size_t at = text.find('\n');
    if (at == std::string::npos) return "no end of line";
    frame.command = text.substr(0, at++);
    for (;;) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string::npos) return "no end of the headers";
      const std::string line = text.substr(at, end - at);
      at = end + 1;
      if (line.empty()) break;
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos) return "no colon: " + line;
      if (line.find(':', colon + 1) != std::string::npos) return "a raw colon: " + line;
      frame.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    frame.body = text.substr(at, text.size() - at - 1);
    return std::nullopt;
  }

  std::optional<std::string> subscribe(const Frame& frame) {
    const auto id = frame.header("id");
    const auto destination = frame.header("destination");
    if (!id || !destination) return "Missing destination or subscription id header";
    if (frame.header("ack") != "auto") return "ack is not auto";
    if (*destination == "jms.queue.events") {
      event_subscription_ = id;
    } else {
      reply_queue_ = *destination;
      reply_subscription_ = *id;
    }
    return std::nullopt;
  }

  std::optional<std::string> call(const Frame& frame) {
    if (frame.header("destination") != "jms.topic.vdsm_requests") {
      write(std::string("ERROR\ncontent-length:26\n\nSubscription not available\0", 52));
      return flushed();
    }
    if (frame.header("reply-to") != reply_queue_) return "reply-to is no queue of this connection";
    if (frame.body.front() == '[') return std::nullopt;  // of two calls and more: a ValueError
    const std::string begin = R"({"jsonrpc":"2.0","id":")";
    if (!frame.body.starts_with(begin)) return "a notification: " + frame.body;
    const std::string id =
        frame.body.substr(begin.size(), frame.body.find('"', begin.size()) - begin.size());
    if (frame.body.find(R"("method":"Host.hang")") != std::string::npos) return std::nullopt;
    if (frame.body.find(R"("method":"Host.fault")") != std::string::npos) {
      write(std::string("ERROR\ncontent-length:26\n\nSubscription not available\0", 52));
    }
    const bool known = frame.body.find(R"("method":"Host.)") != std::string::npos;
    message(reply_queue_, reply_subscription_,
            R"({"jsonrpc": "2.0", "id": ")" + id +
                (known ? R"(", "result": true})"
                       : R"(", "error": {"code": -32601, "message": "no such method"}})"));
    return flushed();
  }

  // As vdsm writes them: no message-id.
  void message(const std::string& destination, const std::string& subscription,
               const std::string& body) {
    write("MESSAGE\ndestination:" + destination + "\ncontent-type:application/json\nsubscription:" +
          subscription + "\ncontent-length:" + std::to_string(body.size()) + "\n\n" + body + '\0');
  }

  void write(const std::string& octets) {
    output_ += octets;
    if (output_.size() > 64u << 10) flush();
  }
  void flush() {
    for (std::size_t at = 0; at < output_.size();) {
      const int size = static_cast<int>(std::min<std::size_t>(output_.size() - at, 16u << 10));
      const auto count =
          ssl_ != nullptr ? SSL_write(ssl_.get(), output_.data() + at, size)
                          : static_cast<int>(::send(socket_, output_.data() + at,
                                                    static_cast<std::size_t>(size), MSG_NOSIGNAL));
      if (count <= 0) break;
      at += static_cast<std::size_t>(count);
    }
    output_.clear();
  }
  std::optional<std::string> flushed() {
    flush();
    return std::nullopt;
  }

  net::TlsSetup tls_;
  net::TlsSession ssl_;
  int listener_ = -1;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> hanging_{false};
  std::string input_;
  std::string output_;
  bool greeted_ = false;
  std::optional<std::string> event_subscription_;
  std::string reply_queue_;
  std::string reply_subscription_;
  mutable std::mutex mutex_;
  int connected_ = -1;
  std::string seen_;
  std::string events_;
  std::vector<std::string> dislikes_;
  std::thread thread_;
};

}  // namespace doctor::client
