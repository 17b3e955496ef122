#include "doctor/mqtt/test_broker.hpp"

#include <cstdio>

#include <gtest/gtest.h>

#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"

namespace doctor::mqtt::testing {
namespace {

std::string hex_of(Reason reason) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(reason));
  return text;
}

std::string property_text(const Property& property) {
  switch (property.id) {
    case PropertyId::user_property:
      return std::string(property.text) + "=" + std::string(property.value);
    case PropertyId::reason_string:
      return {};
    case PropertyId::session_expiry_interval:
      return "session_expiry=" + std::to_string(property.number);
    case PropertyId::server_keep_alive:
      return "keep_alive=" + std::to_string(property.number);
    case PropertyId::receive_maximum:
      return "receive_max=" + std::to_string(property.number);
    case PropertyId::maximum_qos:
      return "max_qos=" + std::to_string(property.number);
    case PropertyId::retain_available:
      return "retain=" + std::to_string(property.number);
    case PropertyId::maximum_packet_size:
      return "packet_max=" + std::to_string(property.number);
    case PropertyId::assigned_client_identifier:
      return "assigned=" + std::string(property.text);
    case PropertyId::topic_alias_maximum:
      return "alias_max=" + std::to_string(property.number);
    case PropertyId::subscription_identifiers_available:
      return "subscription_ids=" + std::to_string(property.number);
    case PropertyId::shared_subscription_available:
      return "shared=" + std::to_string(property.number);
    case PropertyId::topic_alias:
      return "alias=" + std::to_string(property.number);
    case PropertyId::subscription_identifier:
      return "subscription_id=" + std::to_string(property.number);
    case PropertyId::message_expiry_interval:
      return "expiry=" + std::to_string(property.number);
    case PropertyId::content_type:
      return "type=" + std::string(property.text);
    case PropertyId::response_topic:
      return "response=" + std::string(property.text);
    case PropertyId::correlation_data:
      return "correlation=" + std::string(property.text);
    case PropertyId::payload_format_indicator:
      return "format=" + std::to_string(property.number);
    default:
      return "property " + std::to_string(static_cast<unsigned>(property.id));
  }
}

std::string properties_text(const Properties& properties) {
  std::string text;
  for (const Property& property : properties) {
    const std::string one = property_text(property);
    if (!one.empty()) text += " " + one;
  }
  return text;
}

struct Describe {
  std::string operator()(const Connack& p) const {
    return "CONNACK " + hex_of(p.reason) + (p.session_present ? " present" : "") +
           properties_text(p.properties);
  }
  std::string operator()(const Publish& p) const {
    std::string text;
    if (p.qos != QoS::at_most_once) {
      text += "q" + std::to_string(static_cast<int>(p.qos)) + " #" + std::to_string(p.packet_id);
      text += ' ';
    }
    if (p.dup) text += "dup ";
    if (p.retain) text += "retain ";
    return text + std::string(p.topic) + " " + std::string(p.payload) +
           properties_text(p.properties);
  }
  template <PacketType type>
  std::string operator()(const Acknowledgement<type>& p) const {
    constexpr const char* names[] = {"PUBACK", "PUBREC", "PUBREL", "PUBCOMP"};
    return names[static_cast<int>(type) - static_cast<int>(PacketType::puback)] +
           std::string(" #") + std::to_string(p.packet_id) + " " + hex_of(p.reason) +
           properties_text(p.properties);
  }
  template <class Ack>
  static std::string acks(const char* name, const Ack& p) {
    std::string text = std::string(name) + " #" + std::to_string(p.packet_id);
    for (const Reason reason : p.reasons) text += " " + hex_of(reason);
    return text + properties_text(p.properties);
  }
  std::string operator()(const Suback& p) const { return acks("SUBACK", p); }
  std::string operator()(const Unsuback& p) const { return acks("UNSUBACK", p); }
  std::string operator()(const Pingresp&) const { return "PINGRESP"; }
  std::string operator()(const Disconnect& p) const {
    return "DISCONNECT " + hex_of(p.reason) + properties_text(p.properties);
  }
  template <class Other>
  std::string operator()(const Other& p) const {
    return "packet of type " + std::to_string(static_cast<unsigned>(p.type));
  }
};

}  // namespace

std::string describe(const Packet& packet) {
  return std::visit(Describe{}, packet);
}

document::Change created(std::string collection, std::string id) {
  return {document::ChangeKind::created, std::move(collection), std::move(id), {}};
}
document::Change updated(std::string collection, std::string id, std::vector<std::string> fields) {
  return {document::ChangeKind::updated, std::move(collection), std::move(id), std::move(fields)};
}
document::Change removed(std::string collection, std::string id) {
  return {document::ChangeKind::removed, std::move(collection), std::move(id), {}};
}

Peer& Peer::open() {
  id_ = world_.broker_->accept("10.0.0.1", world_.now_, world_.wall_);
  is_open_ = true;
  reads_ = true;
  writing_ = false;
  close_after_ = false;
  input_.clear();
  return *this;
}

Peer& Peer::connect(Version version, const std::function<void(Connect&)>& edit) {
  if (!is_open_) open();
  version_ = version;
  Connect connect;
  connect.version = version;
  connect.client_id = client_id_;
  if (user_name_) connect.user_name = *user_name_;
  if (password_) connect.password = *password_;
  if (edit) edit(connect);
  return send(connect);
}

Peer& Peer::as_connector() {
  user_name_ = "connector";
  password_ = "the secret";
  return *this;
}

Peer& Peer::as_session(std::string id) {
  user_name_ = "session";
  password_ = std::move(id);
  return *this;
}

Peer& Peer::subscribe(std::string_view filter, int qos) {
  Subscribe subscribe;
  subscribe.packet_id = ++last_packet_id_;
  subscribe.requests = {{filter, {static_cast<QoS>(qos), false, false}, 0}};
  return send(subscribe);
}

Peer& Peer::unsubscribe(std::string_view filter) {
  return send(Unsubscribe{++last_packet_id_, {}, {filter}});
}

Peer& Peer::publish(std::string_view topic, std::string_view payload, int qos,
                    const std::function<void(Publish&)>& edit) {
  Publish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.qos = static_cast<QoS>(qos);
  if (qos > 0) publish.packet_id = ++last_packet_id_;
  if (edit) edit(publish);
  return send(publish);
}

Peer& Peer::acknowledge(std::uint16_t packet_id) {
  return send(Puback{packet_id, {}, {}});
}

Peer& Peer::send(const Packet& packet) {
  std::string bytes;
  encode(packet, version_, bytes);
  return send_bytes(bytes);
}

Peer& Peer::send_bytes(std::string_view bytes) {
  world_.broker_->receive(id_, bytes, world_.now_, world_.wall_);
  world_.pump();
  return *this;
}

Peer& Peer::stop_reading() {
  reads_ = false;
  return *this;
}

Peer& Peer::read() {
  reads_ = true;
  if (is_open_) take_output(close_after_);
  world_.pump();
  return *this;
}

void Peer::hang_up() {
  if (std::exchange(is_open_, false)) world_.broker_->closed(id_, world_.now_);
}

// One socket: a write is under way while the peer does not read.
void Peer::take_output(bool close) {
  close_after_ = close_after_ || close;
  if (!reads_) {
    // The kernel takes one write; after it the socket is blocked.
    if (writing_ || close_after_) return;
    std::string bytes;
    world_.broker_->output(id_, world_.output_max, bytes, world_.now_);
    if (watch_) watch_(bytes);
    input_ += bytes;
    writing_ = !bytes.empty();
    return;
  }
  writing_ = false;
  for (;;) {
    std::string bytes;
    world_.broker_->output(id_, world_.output_max, bytes, world_.now_);
    if (bytes.empty()) break;
    if (watch_) watch_(bytes);
    input_ += bytes;
  }
  bytes_received_ += input_.size();
  if (watch_) input_.clear();  // the one who watches reads it
  Splitter splitter(variable_max);
  for (std::string_view rest = input_;;) {
    const auto frame = splitter.next(rest);
    if (!frame) {
      heard_.push_back("not MQTT");
      break;
    }
    if (!*frame) break;
    const auto packet = decode(**frame, version_);
    heard_.push_back(packet ? describe(*packet)
                            : "malformed: " + std::string(packet.error().detail));
  }
  input_.clear();
  if (close_after_) {
    hang_up();
    heard_.push_back("closed");
  }
}

Lines Peer::hears() {
  return std::exchange(heard_, {});
}

Lines Peer::messages() {
  Lines lines = hears();
  std::erase_if(lines, [](const std::string& line) { return line.find('/') == line.npos; });
  return lines;
}

Peer& Peer::watch(std::function<void(std::string_view)> watch) {
  watch_ = std::move(watch);
  return *this;
}

Peer& Peer::quiet() {
  heard_.clear();
  return *this;
}

World::World(const Limits& limits, bool secured) : limits_(limits), secured_(secured) {
  make_broker();
}

void World::make_broker() {
  broker_ = std::make_unique<Broker>(
      limits_, [this](const Credentials& credentials) { return login(credentials); },
      [this](std::string_view, Clock::time_point) { return login_delay; },
      [this](ConnectionId connection) { return connection == unread; },
      [this](document::Revision revision, std::uint64_t from, std::size_t max) {
        return read_log(revision, from, max);
      },
      [this](std::string_view line) { warnings_.emplace_back(line); });
}

Peer& World::client(std::string client_id) {
  return peers_.emplace_back(*this, std::move(client_id));
}

std::optional<LoggedIn> World::login(const Credentials& credentials) const {
  using document::Principal;
  if (credentials.user_name == "session" && credentials.password) {
    const auto found = sessions_.find(*credentials.password);
    if (found != sessions_.end() && !found->second->expired(wall_)) {
      return LoggedIn{{Principal::Kind::session, found->second}, revision_};
    }
  }
  if (!secured_) return LoggedIn{{Principal::Kind::anyone, nullptr}, revision_};
  if (credentials.user_name == "connector" && credentials.password == "the secret") {
    return LoggedIn{{Principal::Kind::connector, nullptr}, revision_};
  }
  return std::nullopt;
}

void World::session(std::string id, std::string_view permissions,
                    std::optional<Timestamp> expires) {
  auto session = std::make_shared<document::Session>();
  session->id = id;
  session->permissions = document::Permissions::parse(permissions).value();
  session->expires = expires;
  sessions_[id] = session;
}

document::SessionChange World::edit(std::string id, std::string_view permissions,
                                    std::optional<Timestamp> expires) {
  session(id, permissions, expires);
  return {id, sessions_[id]};
}

document::SessionChange World::remove_session(std::string id) {
  sessions_.erase(id);
  return {id, nullptr};
}

void World::commit_silently(std::vector<document::Change> changes,
                            std::vector<document::SessionChange> sessions) {
  ++revision_.value;
  silent_.push_back(std::make_shared<const document::Commit>(
      document::Commit{revision_, wall_, std::move(changes), std::move(sessions)}));
  log_.push_back(silent_.back());
}

std::optional<document::CommitPart> World::read_log(document::Revision revision, std::uint64_t from,
                                                    std::size_t max) {
  ++log_reads;
  if (revision.value < log_begins || revision.value > log_.size()) return std::nullopt;
  const auto& all = log_[revision.value - 1]->changes;
  const std::size_t end = std::min(from + std::min(max, log_part_max), all.size());
  const auto at = [&](std::size_t i) { return all.begin() + static_cast<std::ptrdiff_t>(i); };
  return document::CommitPart{{at(from), at(end)}, end, end == all.size()};
}

void World::announce() {
  broker_->announce(silent_, now_);
  silent_.clear();
  pump();
}

void World::advance_to_the_end() {
  for (pump(); broker_->unfinished(); pump()) broker_->advance(now_);
}

void World::commit(std::vector<document::Change> changes,
                   std::vector<document::SessionChange> sessions) {
  commit_silently(std::move(changes), std::move(sessions));
  announce();
  advance_to_the_end();
}

void World::pass(std::chrono::milliseconds time) {
  now_ += time;
  wall_.value += time.count();
  broker_->tick(now_, wall_);
  pump();
}

void World::pass_unnoticed(std::chrono::milliseconds time) {
  now_ += time;
  wall_.value += time.count();
}

void World::pump() {
  for (;;) {
    if (writes_state) write_state();
    const auto all = broker_->attention();
    if (all.empty()) return;
    for (const Attention& attention : all) {
      for (Peer& peer : peers_) {
        if (peer.is_open_ && peer.id_ == attention.connection) peer.take_output(attention.close);
      }
    }
  }
}

void World::write_state() {
  if (writing_) end_write();
  while (begin_write()) end_write();
}

bool World::begin_write() {
  if (!writing_) writing_ = broker_->take_state();
  return writing_.has_value();
}

void World::end_write() {
  if (!writing_) return;
  keep(*writing_);
  broker_->persisted(std::exchange(writing_, std::nullopt)->number, now_);
}

void World::keep(const StateBatch& batch) {
  for (const StateRecord& record : batch.records) {
    if (record.value) {
      state_[record.key] = *record.value;
    } else {
      state_.erase(record.key);
    }
  }
}

void World::crash(bool in_time) {
  if (writing_ && in_time) keep(*writing_);
  writing_.reset();
  for (Peer& peer : peers_) peer.is_open_ = false;
  silent_.clear();
  make_broker();
  broker_->set_revision(revision_);
  std::vector<StateRecord> records;
  for (const auto& [key, value] : state_) records.push_back({key, value});
  const auto restored = broker_->restore(records, now_, wall_);
  if (!restored) ADD_FAILURE() << restored.error().detail;
}

}  // namespace doctor::mqtt::testing
