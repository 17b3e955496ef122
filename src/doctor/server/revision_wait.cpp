#include "doctor/server/revision_wait.hpp"

#include <memory>
#include <utility>

namespace doctor::server {
namespace {

// Either the engine reaches the revision or the timer ends; whichever is first sends the reply. All
// but `reached` is of the I/O thread.
class RevisionWait final : public Mailbox::Letter,
                           public std::enable_shared_from_this<RevisionWait> {
 public:
  RevisionWait(Executor executor, Mailbox& mailbox, std::shared_ptr<Reply<bool>> reply)
      : timer_(executor), mailbox_(mailbox), reply_(std::move(reply)) {}

  void start(engine::Engine& engine, document::Revision revision,
             std::chrono::milliseconds patience) {
    timer_.expires_after(patience);
    timer_.async_wait([self = shared_from_this()](const error_code& failure) {
      if (!failure) self->finish(false);
    });
    engine_ = &engine;
    number_ = engine.when_reached(revision, [self = shared_from_this()] { self->reached(); });
  }
  void open() override { finish(true); }

 private:
  void reached() { mailbox_.post(shared_from_this()); }

  void finish(bool in_time) {
    if (!reply_) return;
    timer_.cancel();
    if (!in_time) engine_->forget(number_);
    std::exchange(reply_, nullptr)->send(in_time);
  }

  Timer timer_;
  Mailbox& mailbox_;
  std::shared_ptr<Reply<bool>> reply_;
  engine::Engine* engine_ = nullptr;
  engine::Engine::WaitNumber number_ = 0;
};

}  // namespace

Task<void> wait_for_revision(IoThread& thread, engine::Engine& engine, document::Revision revision,
                             std::chrono::milliseconds patience) {
  co_await reply_of<bool>(thread.mailbox(), [&](std::shared_ptr<Reply<bool>> reply) {
    std::make_shared<RevisionWait>(thread.executor(), thread.mailbox(), std::move(reply))
        ->start(engine, revision, patience);
  });
}

}  // namespace doctor::server
