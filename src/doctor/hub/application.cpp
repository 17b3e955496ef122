#include <algorithm>
#include <utility>

#include "doctor/hub/event_filter.hpp"
#include "doctor/hub/hub_impl.hpp"

// What a frame means, and who may send it.
namespace doctor::hub {
namespace {

using document::Principal;
using stomp::Fault;
using stomp::Refusal;

bool is_session(const Principal& principal) {
  return principal.kind == Principal::Kind::session;
}

}  // namespace

std::optional<Principal> Hub::Impl::log_in(const stomp::Credentials& credentials) {
  return hub::log_in(credentials, surroundings_.authority, settings_.connectors);
}

std::chrono::milliseconds Hub::Impl::failed_login(std::string_view peer, Clock::time_point now) {
  return surroundings_.failed_login(peer, now);
}

// What many may send without end is dropped for whoever does not read it: events, and requests,
// which sessions send too. And events hold nobody up.
stomp::Decoded<stomp::Terms> Hub::Impl::subscribing(const stomp::Subscribing& subscribing) {
  stomp::Terms terms;
  const std::string_view destination = subscribing.frame.header("destination").value_or("");
  const bool hears_events = events_.are_heard_by(destination);
  if (hears_events || requests_are_heard_by(destination)) {
    terms.overflow = stomp::Overflow::drop_oldest;
  }
  terms.may_block = !hears_events && !is_session(subscribing.principal);
  if (const auto header = subscribing.frame.header("event-filter")) {
    auto filter = parse_event_filter(*header, limits_.events_filters);
    if (!filter) return filter.error();
    terms.filter = std::move(*filter);
    terms.filter_text = header->size();
    // Each of its ids is compared with each event.
    terms.cost = 1 + static_cast<std::size_t>(std::count(header->begin(), header->end(), ','));
  }
  return terms;
}

stomp::Decoded<void> Hub::Impl::sending(const stomp::Sending& sending) {
  const RequestDestination* destination = request_destination(sending.message.destination);
  if (destination == nullptr) {
    if (!is_session(sending.principal)) return {};
    return Refusal{Fault::forbidden, "A session may send only to destinations of requests"};
  }
  if (const auto fault = fault_of_request(sending, *destination)) return *fault;
  return {};
}

std::optional<Refusal> Hub::Impl::fault_of_request(const stomp::Sending& sending,
                                                   const RequestDestination& destination) const {
  const std::string* encoding = sending.message.header("content-encoding");
  if (encoding != nullptr && *encoding != "gzip") {
    return Refusal{Fault::unsupported, "A request's content-encoding may only be gzip"};
  }
  const std::string* reply_to =
      destination.heeds_reply_to ? sending.message.header("reply-to") : nullptr;
  if (reply_to != nullptr && is_session(sending.principal) && events_.covers(*reply_to)) {
    return Refusal{Fault::forbidden, "A session's reply-to may not be a destination of events"};
  }
  return std::nullopt;
}

stomp::Routing Hub::Impl::route(const stomp::Sending& sending) const {
  return route(sending.message, notifications_in(sending.message));
}

stomp::Routing Hub::Impl::sent(const stomp::Sending& sending) {
  const stomp::Message& message = sending.message;
  if (const RequestDestination* destination = request_destination(message.destination)) {
    ask(sending, *destination);
  }
  std::vector<Event> told = notifications_in(message);
  stomp::Routing routing = route(message, told);
  figures_.events += told.size();
  for (Event& event : told) keep(std::move(event));
  return routing;
}

stomp::Routing Hub::Impl::route(const stomp::Message& message,
                                const std::vector<Event>& told) const {
  stomp::Routing routing;
  routing.destinations = {message.destination};
  if (request_destination(message.destination) != nullptr) {
    routing.reach = stomp::Reach::connectors;
    routing.is_served = true;
    return routing;
  }
  for (const Event& event : told) routing.events.push_back(event.id);
  // An answer is no event: it goes where it was sent to.
  if (!told.empty() && events_.has(message.destination)) routing.destinations = events_.names();
  return routing;
}

std::vector<Event> Hub::Impl::notifications_in(const stomp::Message& message) const {
  std::vector<Event> told;
  const bool is_request = request_destination(message.destination) != nullptr;
  if (is_request || !events_.covers(message.destination)) return told;
  auto calls = events::parse_calls(
      message.body, events::RpcLimits{.batch = limits_.rpc_batch, .nesting = limits_.nesting});
  for (auto& call : calls.calls) {
    auto* notification = std::get_if<events::RpcRequest>(&call);
    if (notification == nullptr || !notification->is_notification()) continue;
    told.push_back({std::move(notification->method), std::move(notification->params)});
  }
  return told;
}

std::optional<stomp::Message> Hub::Impl::overflowed(const stomp::Subscription& subscription,
                                                    std::uint64_t dropped, Clock::time_point now) {
  const std::string& name = subscription.id.value_or(subscription.destination);
  const std::string_view limit = stomp::name_of(subscription.dropped_over);
  return message_of(overflow_event(name, dropped, limit, now), subscription.destination);
}

}  // namespace doctor::hub
