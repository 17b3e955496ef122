#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doctor/base/time.hpp"
#include "doctor/document/commit.hpp"
#include "doctor/stomp/publication.hpp"

namespace doctor::hub {

/// What happened: the method and the params of a JSON-RPC notification.
struct Event {
  std::string id;      ///< `receiver|component|operation|unique id`; the receiver is empty
  std::string params;  ///< JSON: an object; empty: none
};

/// A part of an event's id, in which a bar would be the end of it.
std::string event_part(std::string_view text);

/// `notify_time`: orders events of one sender, as those of vdsm are, by milliseconds from an
/// arbitrary beginning.
std::int64_t notify_time(Clock::time_point now);

/// `|vm|updated|1` with `{"id":"1","fields":["status"],"revision":7,"notify_time":2147483999}`.
Event document_event(const document::Change& change, document::Revision revision,
                     Clock::time_point now);

/// `|doctor|overflow|` and what names the subscription, with
/// `{"dropped":n,"limit":"...","notify_time":...}`: the limit is the one that was passed last.
Event overflow_event(std::string_view subscription, std::uint64_t dropped, std::string_view limit,
                     Clock::time_point now);

/// `|doctor|overflow|documents` with `{"revision":n,"notify_time":...}`: what happened to documents
/// up to this revision is not told.
Event lost_event(document::Revision revision, Clock::time_point now);

/// The message that tells of it: a notification.
stomp::Message message_of(const Event& event, std::string destination);

}  // namespace doctor::hub
