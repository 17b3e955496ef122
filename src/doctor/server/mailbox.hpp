#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>

#include "doctor/server/net.hpp"

namespace doctor::server {

/// How other threads answer an I/O thread: what they send is collected, and a wake-up is posted
/// only for the first, so that a group of commits costs one.
class Mailbox {
 public:
  class Letter {
   public:
    virtual ~Letter() = default;
    virtual void open() = 0;  ///< called once, on the I/O thread
  };

  explicit Mailbox(asio::io_context& context) : context_(context) {}

  /// Any thread.
  void post(std::shared_ptr<Letter> letter) {
    const std::scoped_lock lock(mutex_);
    const bool first = letters_.empty();
    letters_.push_back(std::move(letter));
    // Under the lock: whoever destroys the mailbox first makes sure that nobody posts any more.
    if (first) asio::post(context_, [this] { open_all(); });
  }

 private:
  void open_all() {
    {
      const std::scoped_lock lock(mutex_);
      opened_.swap(letters_);
    }
    for (const auto& letter : opened_) letter->open();
    opened_.clear();
  }

  asio::io_context& context_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Letter>> letters_;  // guarded by mutex_
  std::vector<std::shared_ptr<Letter>> opened_;   // of the I/O thread
};

/// The answer to a coroutine that waits on the I/O thread of a mailbox; sent once, from any thread.
template <class T>
class Reply final : public Mailbox::Letter, public std::enable_shared_from_this<Reply<T>> {
 public:
  template <class Handler>
  Reply(Mailbox& mailbox, Handler handler) : mailbox_(mailbox), handler_(std::move(handler)) {}

  void send(T value) {
    value_.emplace(std::move(value));
    mailbox_.post(this->shared_from_this());
  }
  void open() override { std::move(handler_)(std::move(*value_)); }

 private:
  Mailbox& mailbox_;
  asio::any_completion_handler<void(T)> handler_;
  std::optional<T> value_;
};

/// `co_await reply_of<T>(mailbox, start)`: calls `start` with a shared Reply<T> and waits for what
/// is sent to it.
template <class T, class Start>
Task<T> reply_of(Mailbox& mailbox, Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Mailbox* box, Start begin) {
        begin(std::make_shared<Reply<T>>(*box, std::move(handler)));
      },
      asio::use_awaitable_t<Executor>{}, &mailbox, std::move(start));
}

}  // namespace doctor::server
