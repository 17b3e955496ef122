#include <utility>

#include "doctor/client/reactive.hpp"

namespace doctor::client {
namespace {

class Lenient final : public EventSubscriber {
 public:
  explicit Lenient(std::shared_ptr<Subscriber> inner) : inner_(std::move(inner)) {}

  void on_subscribe(std::shared_ptr<Subscription> subscription) override {
    inner_->on_subscribe(std::move(subscription));
  }
  void on_next(const Event& event) override { inner_->on_next(event); }
  void on_error(const Error& failure) override { inner_->on_error(failure); }
  void on_complete() override { inner_->on_complete(); }
  void on_disconnect(const Error& reason) override { inner_->on_error(reason); }
  void on_reconnect(const Gap&) override {}
  void on_dropped(std::uint64_t) override {}

 private:
  const std::shared_ptr<Subscriber> inner_;
};

class Strict final : public EventSubscriber {
 public:
  explicit Strict(std::shared_ptr<Subscriber> inner) : inner_(std::move(inner)) {}

  void on_subscribe(std::shared_ptr<Subscription> subscription) override {
    subscription_ = subscription;
    inner_->on_subscribe(std::move(subscription));
  }
  void on_next(const Event& event) override { inner_->on_next(event); }
  void on_error(const Error& failure) override { finish(failure); }
  void on_complete() override {
    if (auto inner = std::move(inner_)) inner->on_complete();
  }
  void on_disconnect(const Error& reason) override { finish(reason); }
  void on_reconnect(const Gap&) override {}
  void on_dropped(std::uint64_t count) override {
    finish(client::error(Code::communication,
                         std::to_string(count) + " events were dropped: they came too fast"));
  }

 private:
  // The cancel that this may be makes the flow say on_complete, which nobody hears any more.
  void finish(const Error& failure) {
    auto inner = std::move(inner_);
    if (auto subscription = std::move(subscription_)) subscription->cancel();
    if (inner) inner->on_error(failure);
  }

  std::shared_ptr<Subscriber> inner_;
  std::shared_ptr<Subscription> subscription_;
};

}  // namespace

std::shared_ptr<EventSubscriber> lenient(std::shared_ptr<Subscriber> subscriber) {
  if (subscriber == nullptr) return nullptr;
  return std::make_shared<Lenient>(std::move(subscriber));
}

std::shared_ptr<EventSubscriber> strict(std::shared_ptr<Subscriber> subscriber) {
  if (subscriber == nullptr) return nullptr;
  return std::make_shared<Strict>(std::move(subscriber));
}

}  // namespace doctor::client
