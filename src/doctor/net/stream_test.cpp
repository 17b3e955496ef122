#include "doctor/net/stream.hpp"

#include <array>
#include <filesystem>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "doctor/net/test_certificate.hpp"

namespace doctor::net {
namespace {

// A connection over loopback: a Stream, and its client as OpenSSL has it. Neither end blocks, so
// that one thread plays both.
class Streaming : public testing::Test {
 protected:
  Streaming()
      : path_(testing::TempDir() + "doctor-" + std::to_string(getpid()) + ".pem"),
        client_(context_.get_executor()) {}

  void SetUp() override {
    ASSERT_TRUE(write_test_certificate(path_));
    tls_ = *make_tls_setup(TLS_server_method());
    const bool used = use_certificate(*tls_, path_) && use_key(*tls_, path_, path_);
    std::filesystem::remove(path_);
    ASSERT_TRUE(used);
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
  }

  Socket connect(int send_buffer = 0) {
    Acceptor acceptor(context_.get_executor(), {asio::ip::address_v4::loopback(), 0});
    client_ = Socket(context_.get_executor(), asio::ip::tcp::v4());
    if (send_buffer > 0) {
      client_.set_option(Socket::receive_buffer_size(send_buffer));
      acceptor.set_option(Acceptor::send_buffer_size(send_buffer));
    }
    client_.connect(acceptor.local_endpoint());
    Socket accepted = acceptor.accept();
    accepted.set_option(asio::ip::tcp::no_delay(true));  // all is there at once
    accepted.non_blocking(true);
    client_.non_blocking(true);
    return accepted;
  }

  Stream secure(int send_buffer = 0) { return shake_hands(connect(send_buffer)); }

  Stream shake_hands(Socket accepted) {
    client_tls_.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client_tls_.get(), client_.native_handle());
    SSL_set_connect_state(client_tls_.get());
    TlsSession session(SSL_new(tls_.get()));
    SSL_set_fd(session.get(), accepted.native_handle());
    SSL_set_accept_state(session.get());
    for (int done = 0; done != 2;) {
      done = SSL_do_handshake(client_tls_.get()) == 1 ? 1 : 0;
      done += SSL_do_handshake(session.get()) == 1 ? 1 : 0;
    }
    return {std::move(accepted), std::move(session)};
  }

  // What one record holds, or nothing if there is none. Two tickets for later sessions may stand
  // before it, each of which OpenSSL reads by itself.
  std::string client_reads() {
    std::string octets(32u << 10, '\0');
    std::size_t count = 0;
    client_error_ = SSL_ERROR_WANT_READ;
    for (int i = 0; i < 3 && client_error_ == SSL_ERROR_WANT_READ; ++i) {
      ERR_clear_error();
      const int result = SSL_read_ex(client_tls_.get(), octets.data(), octets.size(), &count);
      client_error_ = SSL_get_error(client_tls_.get(), result);
    }
    octets.resize(count);
    return octets;
  }
  void client_writes(std::string_view octets) {
    std::size_t count = 0;
    ASSERT_EQ(SSL_write_ex(client_tls_.get(), octets.data(), octets.size(), &count), 1);
  }

  std::string path_;
  asio::io_context context_;
  Socket client_;
  TlsSetup tls_;
  TlsSetup client_context_;
  TlsSession client_tls_;
  int client_error_ = 0;
};

TEST_F(Streaming, WithoutTlsItIsTheSocket) {
  Stream stream(connect(), nullptr);
  EXPECT_FALSE(stream.secure());
  error_code failure;
  EXPECT_EQ(stream.write_some(asio::const_buffer("hello", 5), failure), 5u);
  std::array<char, 16> room{};
  EXPECT_EQ(client_.read_some(asio::buffer(room)), 5u);
  stream.read_some(asio::buffer(room), failure);
  EXPECT_EQ(failure, asio::error::would_block);
}

TEST_F(Streaming, SmallBuffersShareARecord) {
  Stream stream = secure();
  const std::string body(16'000, 'b');
  const std::array<asio::const_buffer, 3> parts = {asio::buffer("head", 4), asio::const_buffer(),
                                                   asio::buffer(body)};
  error_code failure;
  EXPECT_EQ(stream.write_some(parts, failure), 16'004u);
  EXPECT_TRUE(client_reads() == "head" + body);
}

TEST_F(Streaming, WhatTheSocketDoesNotTakeAtOnceComesWithoutGapOrRepetition) {
  Stream stream = secure(4096);
  const std::string head = "the head";
  std::string body(3u << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 % 251);
  const std::string whole = head + body;
  std::size_t written = 0;
  bool waiting = false;
  std::string arrived;
  const auto buffers = [&]() -> std::array<asio::const_buffer, 2> {
    if (written < head.size()) return {asio::buffer(head) + written, asio::buffer(body)};
    return {asio::buffer(body) + (written - head.size()), asio::const_buffer()};
  };
  while (arrived.size() < whole.size()) {
    if (!waiting && written < whole.size()) {
      waiting = true;
      stream.async_write_some(buffers(), [&](const error_code& failure, std::size_t count) {
        ASSERT_FALSE(failure);
        waiting = false;
        written += count;
      });
    }
    context_.restart();
    context_.poll();
    arrived += client_reads();
  }
  EXPECT_TRUE(arrived == whole);
}

TEST_F(Streaming, AReaderWhoTakesAllDoesNotKeepTheThread) {
  Stream stream = secure();
  const std::string body(64u << 20, 'b');
  error_code failure;
  EXPECT_LE(stream.write_some(asio::buffer(body), failure), (1u << 20) + (16u << 10));
}

TEST_F(Streaming, AReadWaitsForOctetsAndNeverCompletesWithinTheCall) {
  Stream stream = secure();
  std::array<char, 16> room{};
  std::string heard;
  const auto hear = [&](const error_code& failure, std::size_t count) {
    ASSERT_FALSE(failure);
    heard.assign(room.data(), count);
  };
  stream.async_read_some(asio::buffer(room), hear);
  context_.poll();
  EXPECT_EQ(heard, "");
  client_writes("one");
  context_.restart();
  context_.run();
  EXPECT_EQ(heard, "one");

  client_writes("two");
  stream.async_read_some(asio::buffer(room), hear);
  EXPECT_EQ(heard, "one");
  context_.restart();
  context_.run();
  EXPECT_EQ(heard, "two");
}

TEST_F(Streaming, AWaitCanBeCancelled) {
  Stream stream = secure();
  std::array<char, 16> room{};
  error_code came;
  stream.async_read_some(asio::buffer(room),
                         [&](const error_code& failure, std::size_t) { came = failure; });
  context_.poll();
  stream.cancel();
  context_.restart();
  context_.run();
  EXPECT_EQ(came, asio::error::operation_aborted);
}

TEST_F(Streaming, AnEndIsToldByCloseNotifyAndACloseIsACut) {
  {
    Stream ended = secure();
    EXPECT_TRUE(ended.end());
    client_reads();
    EXPECT_EQ(client_error_, SSL_ERROR_ZERO_RETURN);
  }
  {
    const Stream destroyed = secure();
  }
  client_reads();
  EXPECT_EQ(client_error_, SSL_ERROR_ZERO_RETURN);
  secure().close();
  client_reads();
  EXPECT_EQ(client_error_, SSL_ERROR_SSL);
}

TEST_F(Streaming, TheEndOfThePeerIsTheEndAndItsCutIsAFailure) {
  std::array<char, 16> room{};
  error_code failure;
  {
    Stream stream = secure();
    SSL_shutdown(client_tls_.get());
    stream.read_some(asio::buffer(room), failure);
    EXPECT_EQ(failure, asio::error::eof);
    EXPECT_EQ(stream.write_some(asio::const_buffer("late", 4), failure), 4u);
    EXPECT_EQ(client_reads(), "late");
  }
  Stream stream = secure();
  client_.close();
  stream.read_some(asio::buffer(room), failure);
  EXPECT_EQ(failure, asio::error::connection_aborted);
}

TEST_F(Streaming, AnEndThatCannotBeWrittenNowWaits) {
  Socket accepted = connect(4096);
  const int below = accepted.native_handle();
  Stream stream = shake_hands(std::move(accepted));
  const std::string filling(1u << 16, 'f');
  while (::send(below, filling.data(), filling.size(), MSG_DONTWAIT) > 0) {
  }
  EXPECT_FALSE(stream.end());
  std::string discarded(1u << 20, '\0');
  bool ended = false;
  stream.async_wait_writable([&](const error_code& failure) { ended = !failure && stream.end(); });
  while (!ended) {
    error_code nothing;
    client_.read_some(asio::buffer(discarded), nothing);
    context_.restart();
    context_.poll();
  }
}

TEST_F(Streaming, ADetachedStreamGoesOnWithWhatWasReadAhead) {
  Stream first = secure();
  client_writes("one");
  client_writes("two");
  std::array<char, 3> room{};
  error_code failure;
  EXPECT_EQ(first.read_some(asio::buffer(room, 1), failure), 1u);
  Stream second(context_.get_executor(), first.detach());
  EXPECT_FALSE(first.is_open());
  EXPECT_TRUE(second.secure());
  std::string heard;
  for (int i = 0; i < 2; ++i) {
    second.async_read_some(asio::buffer(room), [&](const error_code& failed, std::size_t count) {
      ASSERT_FALSE(failed);
      heard.append(room.data(), count);
    });
    context_.restart();
    context_.run();
  }
  EXPECT_EQ(heard, "netwo");
}

TEST_F(Streaming, ADetachedStreamThatNobodyTakesIsClosed) {
  {
    const DetachedStream lost = secure().detach();
  }
  client_reads();
  EXPECT_EQ(client_error_, SSL_ERROR_SSL);
}

}  // namespace
}  // namespace doctor::net
