#include "doctor/mqtt/records.hpp"

#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

// Each kind of value begins with its own version, so that one can change without the others.
constexpr std::uint8_t version = 1;

// Octets with a length of four bytes.
void append_long(std::string& out, std::string_view bytes) {
  append_four_bytes(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

std::string read_long(Reader& reader) {
  return std::string(reader.take(reader.four_bytes()));
}

void append_time(std::string& out, const std::optional<Timestamp>& time) {
  append_byte(out, time.has_value());
  if (time) append_eight_bytes(out, static_cast<std::uint64_t>(time->value));
}

std::optional<Timestamp> read_time(Reader& reader) {
  if (reader.byte() == 0) return std::nullopt;
  return Timestamp(static_cast<std::int64_t>(reader.eight_bytes()));
}

void append_place(std::string& out, const FeedPosition& place) {
  append_eight_bytes(out, place.revision.value);
  append_eight_bytes(out, place.index);
}

FeedPosition read_place(Reader& reader) {
  FeedPosition place;
  place.revision = document::Revision(reader.eight_bytes());
  place.index = reader.eight_bytes();
  return place;
}

QoS read_qos(Reader& reader) {
  const std::uint8_t value = reader.byte();
  if (value > 2) reader.fail(Reason::malformed_packet, "a QoS above 2");
  return static_cast<QoS>(value & 3);
}

std::string begin() {
  return std::string(1, static_cast<char>(version));
}

// Reads the version, and all else by `read`, which must take every octet.
template <class Record, class Read>
Result<Record> decoded(std::string_view bytes, const char* what, Read read) {
  Reader reader(bytes);
  Record record;
  if (reader.byte() != version) {
    return invalid(std::string("a record of a ") + what + " has a version that is not known");
  }
  read(reader, record);
  if (reader.failed() || !reader.at_end()) {
    return invalid(std::string("a record of a ") + what + " is not whole");
  }
  return record;
}

}  // namespace

std::string RecordKey::bytes() const {
  std::string out(1, static_cast<char>(kind));
  out.reserve(size);
  append_eight_bytes(out, first);
  append_eight_bytes(out, second);
  return out;
}

Result<RecordKey> RecordKey::decode(std::string_view bytes) {
  if (bytes.size() != size) return invalid("a key of another length");
  Reader reader(bytes);
  RecordKey key;
  key.kind = static_cast<RecordKind>(reader.byte());
  key.first = reader.eight_bytes();
  key.second = reader.eight_bytes();
  return key;
}

std::string Progress::bytes() const {
  std::string out = begin();
  append_place(out, place);
  return out;
}

Result<Progress> Progress::decode(std::string_view bytes) {
  return decoded<Progress>(bytes, "progress", [](Reader& reader, Progress& progress) {
    progress.place = read_place(reader);
  });
}

std::string SessionRecord::bytes() const {
  std::string out = begin();
  append_long(out, key);
  append_eight_bytes(out, since.value);
  append_four_bytes(out, expiry);
  append_time(out, ends);
  append_byte(out, place.has_value());
  if (place) append_place(out, *place);
  append_eight_bytes(out, next_sent);
  append_four_bytes(out, static_cast<std::uint32_t>(received.size()));
  for (const std::uint16_t packet_id : received) append_two_bytes(out, packet_id);
  append_byte(out, will.has_value());
  if (will) {
    append_four_bytes(out, will->delay);
    append_time(out, will->due);
    append_long(out, will->publication);
  }
  append_four_bytes(out, static_cast<std::uint32_t>(readings.size()));
  for (const Reading& reading : readings) {
    append_eight_bytes(out, reading.subscription);
    append_eight_bytes(out, reading.kept_before);
    append_long(out, reading.after);
  }
  return out;
}

Result<SessionRecord> SessionRecord::decode(std::string_view bytes) {
  return decoded<SessionRecord>(bytes, "session", [](Reader& reader, SessionRecord& record) {
    record.key = read_long(reader);
    record.since = document::Revision(reader.eight_bytes());
    record.expiry = reader.four_bytes();
    record.ends = read_time(reader);
    if (reader.byte() != 0) record.place = read_place(reader);
    record.next_sent = reader.eight_bytes();
    // A count that is too large runs into the end.
    for (auto count = reader.four_bytes(); count > 0 && !reader.failed(); --count) {
      record.received.push_back(reader.two_bytes());
    }
    if (reader.byte() != 0) {
      SessionRecord::Will will;
      will.delay = reader.four_bytes();
      will.due = read_time(reader);
      will.publication = read_long(reader);
      record.will = std::move(will);
    }
    for (auto count = reader.four_bytes(); count > 0 && !reader.failed(); --count) {
      SessionRecord::Reading& reading = record.readings.emplace_back();
      reading.subscription = reader.eight_bytes();
      reading.kept_before = reader.eight_bytes();
      reading.after = read_long(reader);
    }
  });
}

std::string SubscriptionRecord::bytes() const {
  std::string out = begin();
  append_long(out, filter);
  append_byte(out, static_cast<std::uint8_t>(options.qos));
  append_byte(out, options.no_local);
  append_byte(out, options.retain_as_published);
  append_long(out, identifiers);
  return out;
}

Result<SubscriptionRecord> SubscriptionRecord::decode(std::string_view bytes) {
  return decoded<SubscriptionRecord>(bytes, "subscription",
                                     [](Reader& reader, SubscriptionRecord& record) {
                                       record.filter = read_long(reader);
                                       record.options.qos = read_qos(reader);
                                       record.options.no_local = reader.byte() != 0;
                                       record.options.retain_as_published = reader.byte() != 0;
                                       record.identifiers = read_long(reader);
                                     });
}

std::string QueuedRecord::bytes() const {
  std::string out = begin();
  append_byte(out, static_cast<std::uint8_t>(stage));
  append_byte(out, static_cast<std::uint8_t>(qos));
  append_byte(out, retain);
  append_byte(out, commit_end);
  append_eight_bytes(out, message);
  append_eight_bytes(out, sent);
  append_long(out, identifiers);
  return out;
}

Result<QueuedRecord> QueuedRecord::decode(std::string_view bytes) {
  return decoded<QueuedRecord>(bytes, "message", [](Reader& reader, QueuedRecord& record) {
    const std::uint8_t stage = reader.byte();
    if (stage > 2) reader.fail(Reason::malformed_packet, "a stage that is not known");
    record.stage = static_cast<Stage>(stage);
    record.qos = read_qos(reader);
    record.retain = reader.byte() != 0;
    record.commit_end = reader.byte() != 0;
    record.message = reader.eight_bytes();
    record.sent = reader.eight_bytes();
    record.identifiers = read_long(reader);
  });
}

}  // namespace doctor::mqtt
