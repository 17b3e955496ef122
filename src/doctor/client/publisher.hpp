#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "doctor/client/reactive.hpp"

namespace doctor::client {

/// What `Client::events` gives: it outlives its client, and then completes whoever subscribes.
class EventPublisher final : public Publisher {
 public:
  using Subscribe = std::function<void(std::shared_ptr<EventSubscriber>)>;
  explicit EventPublisher(Subscribe subscribe) : subscribe_(std::move(subscribe)) {}

  void subscribe(std::shared_ptr<Subscriber> subscriber) override {
    if (subscriber == nullptr) return;
    auto hears_all = std::dynamic_pointer_cast<EventSubscriber>(subscriber);
    subscribe_(hears_all != nullptr ? std::move(hears_all) : lenient(std::move(subscriber)));
  }

 private:
  const Subscribe subscribe_;
};

}  // namespace doctor::client
