#include <algorithm>

#include "doctor/base/crypto.hpp"
#include "doctor/mqtt/broker_impl.hpp"
#include "doctor/mqtt/wire.hpp"

// What operators see of the clients, and the one thing that they do to them.
namespace doctor::mqtt {
namespace {

// Of the filters of one client: in a list of many, and alone. An answer stays bounded however
// many a client has, and however long they are.
struct ShownMax {
  std::size_t filters;
  std::size_t bytes;
};
constexpr ShownMax in_a_list{10, 1u << 10};
constexpr ShownMax alone{1'000, 256u << 10};

constexpr std::string_view connector = "connector:";
constexpr std::string_view anyone = "anyone:";
constexpr std::string_view session = "session:";
constexpr std::size_t fingerprint_digits = 16;

std::string_view client_id_of(const Session& of) {
  return std::string_view(of.key).substr(of.key.find('\0') + 1);
}

std::string id_of(const Session& of) {
  std::string id;
  switch (of.principal.kind) {
    case document::Principal::Kind::connector:
      id = connector;
      break;
    case document::Principal::Kind::anyone:
      id = anyone;
      break;
    case document::Principal::Kind::session:
      id.append(session).append(fingerprint(of.principal.session->id, fingerprint_digits));
      id += ':';
      break;
  }
  return id.append(client_id_of(of));
}

// The client id in an id as `id_of` makes it; nothing if it is none.
std::optional<std::string_view> client_id_in(std::string_view id) {
  const std::size_t before = id.starts_with(connector) ? connector.size()
                             : id.starts_with(anyone)  ? anyone.size()
                             : id.starts_with(session) ? session.size() + fingerprint_digits + 1
                                                       : id.size() + 1;
  if (before > id.size()) return std::nullopt;
  return id.substr(before);
}

std::optional<std::uint32_t> identifier_of(const IdentifiersPtr& identifiers) {
  if (!identifiers) return std::nullopt;
  Reader reader(identifiers->properties());
  reader.byte();
  return reader.variable();
}

std::chrono::seconds in_seconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration);
}

}  // namespace

ClientView Broker::Impl::view_of(const Session& of, std::size_t filters_max,
                                 std::size_t bytes_max) const {
  ClientView view;
  view.id = id_of(of);
  view.client_id = client_id_of(of);
  view.principal = of.principal.kind;
  if (of.principal.session) view.session = fingerprint(of.principal.session->id);
  view.session_expiry = in_seconds(of.expiry);
  if (const Client* client = of.client) {
    ClientView::Connection connection;
    connection.id = client->id;
    connection.user_name = client->user_name;
    connection.version = client->version;
    connection.since = timeline_.wall_of(client->connected_at);
    connection.keep_alive = in_seconds(client->silence_max * 2 / 3);
    connection.clean_start = client->clean_start;
    view.connection = std::move(connection);
  } else {
    view.away = {timeline_.wall_of(of.ends_at - of.expiry), timeline_.wall_of(of.ends_at)};
  }
  view.subscriptions = of.filters.size();
  std::size_t bytes = 0;
  for (const Session::Own& own : of.filters) {
    bytes += own.filter.size();
    if (view.shown.size() == filters_max || bytes > bytes_max) break;
    const auto* found = subscriptions_.find(of.number, own.key());
    view.shown.push_back({own.filter, found->options, identifier_of(found->identifiers)});
  }
  view.outbox = {of.outbox.pushed() - of.outbox.popped(), of.outbox.bytes()};
  view.inflight = {of.inflight.size(), of.inflight.bytes()};
  if (of.catching_up && !of.filters.empty()) {
    view.behind = place_.revision.value - of.catching_up->place.revision.value;
  }
  return view;
}

Session* Broker::Impl::find_session(std::string_view id) const {
  const auto client_id = client_id_in(id);
  if (!client_id) return nullptr;
  for (const auto& candidate : sessions_) {
    if (candidate && client_id_of(*candidate) == *client_id && id_of(*candidate) == id) {
      return candidate.get();
    }
  }
  return nullptr;
}

ClientPage Broker::Impl::clients(std::uint32_t from, std::size_t limit) const {
  ClientPage page;
  for (std::size_t number = from; number < sessions_.size(); ++number) {
    if (!sessions_[number]) continue;
    if (page.clients.size() == limit) {
      page.next = static_cast<std::uint32_t>(number);
      break;
    }
    page.clients.push_back(view_of(*sessions_[number], in_a_list.filters, in_a_list.bytes));
  }
  return page;
}

std::optional<ClientView> Broker::Impl::client(std::string_view id) const {
  const Session* found = find_session(id);
  if (found == nullptr) return std::nullopt;
  return view_of(*found, alone.filters, alone.bytes);
}

std::optional<Disconnected> Broker::Impl::disconnect(std::string_view id, bool end_its_session,
                                                     Clock::time_point now) {
  now_ = now;
  Session* found = find_session(id);
  if (found == nullptr) return std::nullopt;
  const bool was_connected = found->client != nullptr;
  const std::string key = found->key;
  if (end_its_session) found->expiry = {};
  if (was_connected) {
    end(*found->client, Reason::administrative_action, "disconnected by an operator",
        &Figures::closed_operator);
  } else if (end_its_session) {
    end_session(*found);
  }
  settle();
  return Disconnected{was_connected, !by_key_.contains(key)};
}

}  // namespace doctor::mqtt
