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

  using Publisher::subscribe;
  void subscribe(std::shared_ptr<EventSubscriber> subscriber) override {
    if (subscriber != nullptr) subscribe_(std::move(subscriber));
  }

 private:
  const Subscribe subscribe_;
};

}  // namespace doctor::client
