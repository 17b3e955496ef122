#include "doctor/client/runtime.hpp"

#include <csignal>
#include <pthread.h>

namespace doctor::client {
namespace {

// Signals are the program's: none is handled on a thread of ours. That also keeps a peer's end from
// ending the program by SIGPIPE, which OpenSSL would let through.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Runtime::Impl::Impl(std::size_t delivery_count) {
  const NoSignals none;
  delivery_threads = std::make_unique<DeliveryThreads>(deliveries, delivery_count);
  socket_thread = std::thread([this] { sockets->run(); });
}

Runtime::Impl::~Impl() {
  open.reset();
  socket_thread.join();  // once all clients have said goodbye
  delivery_threads.reset();
}

Runtime::Runtime() = default;
Runtime::~Runtime() = default;

std::shared_ptr<Runtime> Runtime::make(std::size_t delivery_threads) {
  const std::shared_ptr<Runtime> runtime(new Runtime);
  runtime->impl_ = std::make_unique<Impl>(delivery_threads == 0 ? 1 : delivery_threads);
  return runtime;
}

}  // namespace doctor::client
