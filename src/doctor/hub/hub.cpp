#include "doctor/hub/hub.hpp"

#include <utility>

#include "doctor/hub/hub_impl.hpp"

namespace doctor::hub {

Hub::Impl::Impl(const Limits& limits, Options options, Settings settings, Surroundings surroundings)
    : limits_(limits),
      surroundings_(std::move(surroundings)),
      events_(std::move(options.event_queues)),
      keeps_events_(options.keeps_events),
      settings_(std::move(settings)),
      warnings_(surroundings_.log),
      feed_(surroundings_.read_log, limits.events_backlog_bytes),
      broker_(limits, std::move(options.broker), *this, surroundings_.log) {}

Hub::Hub(const Limits& limits, Options options, Settings settings, Surroundings surroundings)
    : impl_(std::make_unique<Impl>(limits, std::move(options), std::move(settings),
                                   std::move(surroundings))) {}
Hub::~Hub() = default;

stomp::Broker& Hub::broker() {
  return impl_->broker();
}
void Hub::use(Settings settings) {
  impl_->use(std::move(settings));
}
void Hub::set_revision(document::Revision revision) {
  impl_->set_revision(revision);
}
void Hub::announce(std::span<const document::CommitPtr> commits, Clock::time_point now) {
  impl_->announce(commits, now);
}
bool Hub::unfinished() const {
  return impl_->unfinished();
}
void Hub::advance(Clock::time_point now) {
  impl_->advance(now);
}
std::vector<Request> Hub::take_requests(Clock::time_point now) {
  return impl_->take_requests(now);
}
void Hub::answer(RequestNumber number, std::vector<events::RpcResponse> responses,
                 Clock::time_point now) {
  impl_->answer(number, std::move(responses), now);
}
void Hub::publish(const Event& event, Clock::time_point now) {
  impl_->publish(event, now);
}
std::deque<Event> Hub::take_events() {
  return impl_->take_events();
}
Figures Hub::figures() const {
  return impl_->figures();
}

}  // namespace doctor::hub
