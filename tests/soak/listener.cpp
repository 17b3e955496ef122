#include "listener.hpp"

namespace soak {

using namespace doctor::client;

Listener::Signal::Signal(Listener& listener) : of(listener) {
  if (of.inside_.exchange(true)) of.findings_.fault("two signals at a time");
  if (of.ended_) of.findings_.fault("a signal after the end");
}

void Listener::request(std::int64_t n) {
  requested_ += n;
  subscription_->request(n);
}

void Listener::cancel() {
  subscription_->cancel();
}

void Listener::judge(const std::vector<std::size_t>& published) {
  const std::lock_guard lock(mutex_);
  findings_.events += account_.events();
  ++findings_.subscriptions;
  const std::string fault = account_.fault(line_->outages(), line_->dropped_by_peer(), published);
  if (!fault.empty()) findings_.fault(fault);
}

// A subscription is in force before any request that is made after it is executed.
void Listener::on_subscribe(std::shared_ptr<Subscription> subscription) {
  subscription_ = std::move(subscription);
  line_->client().call("Host.ping", {},
                       [self = shared_from_this()](const Expected<std::string>& answer) {
                         const std::lock_guard lock(self->mutex_);
                         if (answer) self->account_.in_force(self->log_.sizes());
                       });
}

void Listener::on_next(const Event& event) {
  const Signal signal(*this);
  if (++given_ > requested_) findings_.fault("more events than were asked for");
  const std::lock_guard lock(mutex_);
  account_.heard(number_of(event.params(), "publisher"), number_of(event.params(), "number"),
                 event.arrived());
}

void Listener::on_error(const Error& failure) {
  findings_.fault("on_error: " + failure.message);
}

void Listener::on_complete() {
  const Signal signal(*this);
  ended_ = true;
}

void Listener::on_dropped(std::uint64_t count) {
  const Signal signal(*this);
  findings_.dropped += count;
  const std::lock_guard lock(mutex_);
  account_.told_of(count);
}

}  // namespace soak
