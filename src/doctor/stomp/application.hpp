#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/strong.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/stomp/publication.hpp"
#include "doctor/stomp/subscription.hpp"

namespace doctor::stomp {

using ConnectionId = Strong<struct ConnectionIdTag, std::uint64_t>;

/// What a client brought to show who it is.
struct Credentials {
  std::optional<std::string> login;
  std::optional<std::string> passcode;
  std::optional<std::string> certificate;  ///< the name in its TLS certificate, which was good
};

/// A SEND.
struct Sending {
  ConnectionId connection;
  const document::Principal& principal;
  const Message& message;
};

/// A SUBSCRIBE.
struct Subscribing {
  const document::Principal& principal;
  const Frame& frame;
};

/// What the application makes of a SUBSCRIBE.
struct Terms {
  Overflow overflow = Overflow::disconnect;  ///< unless `x-overflow` says otherwise
  bool may_block = true;
  EventFilter filter;
  std::size_t cost = 1;         ///< as how many subscriptions it counts
  std::size_t filter_text = 0;  ///< octets of text that the filter keeps
};

/// Whom a message goes to.
struct Routing {
  /// The names under which it is heard. More than one: see `each`.
  std::vector<std::string> destinations;
  /// Several names: to the subscriptions of each of them, once each; otherwise, for each connection
  /// by itself, to those of the first name under which it has any.
  bool each = false;
  Reach reach = Reach::all_readers;
  std::optional<Subject> subject;   ///< for Reach::subject_readers
  std::vector<std::string> events;  ///< methods of the notifications in it, for EventFilter
  bool is_served = false;           ///< somebody acts on it, even if nobody is subscribed
};

/// The answer to a request.
struct Answer {
  ConnectionId asked;                 ///< the connection that sent the request
  bool for_connectors = false;        ///< if `asked` does not hear it, other connectors may
  std::vector<std::string> reply_to;  ///< to the subscriptions of each, once each
  Message message;
};

/// The layer above the broker: who a client is, what it may, and what messages mean beyond their
/// destinations. The calls come from inside the broker and must not call it.
class Application {
 public:
  virtual ~Application() = default;

  /// Who the credentials make of a client, or nothing: refused.
  virtual std::optional<document::Principal> log_in(const Credentials& credentials) = 0;
  /// Notes and logs a failed login from an address, and says how long its answer must wait.
  virtual std::chrono::milliseconds failed_login(std::string_view peer, Clock::time_point now) = 0;

  /// Whether a client may subscribe so, and on what terms.
  virtual Decoded<Terms> subscribing(const Subscribing& subscribing) = 0;
  /// Whether a client may send this; asked when it comes, also in a transaction.
  virtual Decoded<void> sending(const Sending& sending) = 0;
  /// Whom a SEND would go to. It need not take effect.
  virtual Routing route(const Sending& sending) const = 0;
  /// A SEND takes effect: whom it goes to, as `route` says. What the application does with it
  /// besides, it does when the call into the broker has returned; then it has been queued for its
  /// subscribers.
  virtual Routing sent(const Sending& sending) = 0;

  /// Whether octets of a connection have come that the broker has not been given: asked before it
  /// is ended because nothing came. If the server was stopped or busy, they show that it is not
  /// silent.
  virtual bool has_unread(ConnectionId connection) const = 0;

  /// How a subscriber is told that messages were dropped that it was to hear, if it is.
  virtual std::optional<Message> overflowed(const Subscription& subscription, std::uint64_t dropped,
                                            Clock::time_point now) = 0;
};

}  // namespace doctor::stomp
