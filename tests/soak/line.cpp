#include "line.hpp"

#include <charconv>
#include <limits>

namespace soak {

using namespace doctor::client;

std::size_t number_of(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  std::size_t number = std::numeric_limits<std::size_t>::max();
  if (auto at = json.find(key); at != std::string_view::npos) {
    at = json.find_first_not_of(' ', at + key.size());
    std::from_chars(json.data() + at, json.data() + json.size(), number);
  }
  return number;
}

void Line::start() {
  (*client_.events({"*|doctor|overflow|*"}))->subscribe(shared_from_this());
}

void Line::cut_begins() {
  const std::lock_guard lock(mutex_);
  ++cuts_;
  if (!cut_since_) cut_since_ = std::chrono::steady_clock::now();
  ++findings_.outages;
}

std::vector<Outage> Line::outages() const {
  const std::lock_guard lock(mutex_);
  std::vector<Outage> all = over_;
  if (cut_since_) all.push_back({*cut_since_, std::chrono::steady_clock::now()});
  return all;
}

bool Line::is_whole() const {
  const std::lock_guard lock(mutex_);
  return !cut_since_;
}

void Line::on_subscribe(std::shared_ptr<Subscription> subscription) {
  subscription->request(std::numeric_limits<std::int64_t>::max());
}

void Line::on_next(const Event& event) {
  const std::size_t dropped = number_of(event.params(), "dropped");
  dropped_by_peer_ += dropped;
  findings_.dropped_by_peer += dropped;
}

void Line::on_error(const Error& failure) {
  findings_.fault("on_error: " + failure.message);
}

void Line::on_disconnect(const Error& reason) {
  const std::lock_guard lock(mutex_);
  if (!cut_since_) findings_.fault("a connection was lost that nobody cut: " + reason.message);
}

// Once the answer to a request has come, all that is published from then on comes.
void Line::on_reconnect(const Gap&) {
  std::uint64_t cuts = 0;
  {
    const std::lock_guard lock(mutex_);
    cuts = cuts_;
  }
  client_.call("Host.ping", {},
               [self = shared_from_this(), cuts](const Expected<std::string>& answer) {
                 const std::lock_guard lock(self->mutex_);
                 if (!answer || cuts != self->cuts_ || !self->cut_since_) return;
                 self->over_.push_back({*self->cut_since_, std::chrono::steady_clock::now()});
                 self->cut_since_.reset();
               });
}

void Line::on_dropped(std::uint64_t) {
  findings_.fault("notices of dropped events were dropped");
}

}  // namespace soak
