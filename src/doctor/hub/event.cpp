#include "doctor/hub/event.hpp"

#include <chrono>
#include <limits>

#include "doctor/events/json_rpc.hpp"
#include "doctor/json/value.hpp"

namespace doctor::hub {
namespace {

std::string_view name_of(document::ChangeKind kind) {
  switch (kind) {
    case document::ChangeKind::created:
      return "created";
    case document::ChangeKind::updated:
      return "updated";
    case document::ChangeKind::removed:
      break;
  }
  return "removed";
}

void append_notify_time(std::string& params, Clock::time_point now) {
  params += ",\"notify_time\":" + std::to_string(notify_time(now)) + "}";
}

}  // namespace

std::string event_part(std::string_view text) {
  std::string part;
  part.reserve(text.size());
  for (const char c : text) {
    if (c == '|') {
      part += "%7C";
    } else {
      part += c;
    }
  }
  return part;
}

std::int64_t notify_time(Clock::time_point now) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return std::numeric_limits<std::int32_t>::max() +
         duration_cast<milliseconds>(now.time_since_epoch()).count();
}

Event document_event(const document::Change& change, document::Revision revision,
                     Clock::time_point now) {
  Event event;
  event.id = "|" + event_part(change.collection) + "|";
  event.id += name_of(change.kind);
  event.id += "|" + event_part(change.id);

  event.params = "{\"id\":" + json::quoted(change.id);
  if (change.kind == document::ChangeKind::updated) {
    event.params += ",\"fields\":[";
    for (std::size_t i = 0; i < change.fields.size(); ++i) {
      if (i > 0) event.params += ',';
      json::append_string(event.params, change.fields[i]);
    }
    event.params += ']';
  }
  event.params += ",\"revision\":" + std::to_string(revision.value);
  append_notify_time(event.params, now);
  return event;
}

Event overflow_event(std::string_view subscription, std::uint64_t dropped, std::string_view limit,
                     Clock::time_point now) {
  Event event;
  event.id = "|doctor|overflow|" + event_part(subscription);
  event.params = "{\"dropped\":" + std::to_string(dropped) + ",\"limit\":" + json::quoted(limit);
  append_notify_time(event.params, now);
  return event;
}

Event lost_event(document::Revision revision, Clock::time_point now) {
  Event event;
  event.id = "|doctor|overflow|documents";
  event.params = "{\"revision\":" + std::to_string(revision.value);
  append_notify_time(event.params, now);
  return event;
}

stomp::Message message_of(const Event& event, std::string destination) {
  stomp::Message message{std::move(destination), {{"content-type", "application/json"}}, {}};
  events::write(message.body, events::RpcRequest{std::nullopt, event.id, event.params});
  return message;
}

}  // namespace doctor::hub
