#include "doctor/mqtt/publication.hpp"

#include <chrono>
#include <cstring>

#include "doctor/mqtt/properties.hpp"
#include "doctor/mqtt/topic.hpp"
#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

// The user property `commit` with the value `end`, and the identifier before a Message Expiry
// Interval of four bytes.
constexpr std::string_view commit_end("\x26\0\6commit\0\3end", 14);
constexpr char expiry_id = 0x02;
constexpr std::size_t expiry_size = 1 + 4;
constexpr char alias_id = 0x23;
constexpr std::size_t alias_size = 1 + 2;

// How a record of a publication begins.
constexpr unsigned of_client_flag = 1;
constexpr unsigned retain_flag = 2;
constexpr unsigned plain_id_flag = 4;
constexpr unsigned expires_flag = 8;
constexpr unsigned publisher_flag = 16;

// Writes into memory that is large enough. A message is copied once a receiver, so this is where a
// fan-out spends its time: appending to a string piece by piece took twice as long.
class Writer {
 public:
  explicit Writer(char* to) : to_(to) {}

  void byte(unsigned value) { *to_++ = static_cast<char>(value); }
  void two_bytes(unsigned value) {
    byte(value >> 8);
    byte(value & 0xFF);
  }
  void four_bytes(std::uint32_t value) {
    two_bytes(value >> 16);
    two_bytes(value & 0xFFFF);
  }
  void variable(std::size_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<unsigned>(value & 0x7F) | 0x80);
    byte(static_cast<unsigned>(value));
  }
  void bytes(std::string_view text) {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

 private:
  char* to_;
};

bool is_for_receivers(PropertyId id) {
  return id == PropertyId::payload_format_indicator || id == PropertyId::content_type ||
         id == PropertyId::response_topic || id == PropertyId::correlation_data ||
         id == PropertyId::user_property;
}

}  // namespace

PublicationPtr Publication::announcement(std::string_view topic, const document::Change& change,
                                         const FeedPosition& position) {
  boost::intrusive_ptr<Publication> made(new Publication);
  const std::string payload = announcement_payload(change);
  const std::string number = std::to_string(position.revision.value);
  const Property property{PropertyId::user_property, 0, "revision", number};
  std::string& bytes = made->bytes_;
  bytes.reserve(2 + topic.size() + 13 + number.size() + payload.size());
  append_binary(bytes, topic);
  made->topic_size_ = static_cast<std::uint32_t>(bytes.size());
  append_property(bytes, property);
  made->properties_size_ = static_cast<std::uint32_t>(bytes.size()) - made->topic_size_;
  bytes += payload;
  made->collection_size_ = static_cast<std::uint16_t>(change.collection.size());
  made->id_is_plain_ = topic.size() == change.collection.size() + 1 + change.id.size();
  made->position_ = position;
  return made;
}

PublicationPtr Publication::of_client(const Publish& publish, Clock::time_point now,
                                      std::uint64_t publisher) {
  boost::intrusive_ptr<Publication> made(new Publication);
  std::string& bytes = made->bytes_;
  append_binary(bytes, publish.topic);
  made->topic_size_ = static_cast<std::uint32_t>(bytes.size());
  for (const Property& property : publish.properties) {
    if (is_for_receivers(property.id)) append_property(bytes, property);
  }
  made->properties_size_ = static_cast<std::uint32_t>(bytes.size()) - made->topic_size_;
  bytes += publish.payload;
  made->of_client_ = true;
  made->publisher_ = publisher;
  made->retain_ = publish.retain;
  made->qos_ = publish.qos;
  made->published_ = now;
  if (const auto expiry = publish.properties.number(PropertyId::message_expiry_interval)) {
    made->expires_ = now + std::chrono::seconds(*expiry);
  }
  return made;
}

PublicationPtr Publication::begun(const Publication& publication, Clock::time_point now) {
  boost::intrusive_ptr<Publication> made(new Publication(publication));
  if (made->expires_) *made->expires_ += now - made->published_;
  made->published_ = now;
  return made;
}

void Publication::store(const Timeline& timeline, std::string& out) const {
  append_byte(out, static_cast<std::uint8_t>(
                       (of_client_ ? of_client_flag : 0) | (retain_ ? retain_flag : 0) |
                       (id_is_plain_ ? plain_id_flag : 0) | (expires_ ? expires_flag : 0) |
                       (publisher_ != 0 ? publisher_flag : 0)));
  append_byte(out, static_cast<std::uint8_t>(qos_));
  append_two_bytes(out, collection_size_);
  append_eight_bytes(out, static_cast<std::uint64_t>(timeline.wall_of(published_).value));
  append_eight_bytes(out,
                     static_cast<std::uint64_t>(expires_ ? timeline.wall_of(*expires_).value : 0));
  append_eight_bytes(out, position_.revision.value);
  append_eight_bytes(out, position_.index);
  if (publisher_ != 0) append_eight_bytes(out, publisher_);
  append_four_bytes(out, topic_size_);
  append_four_bytes(out, properties_size_);
  out += bytes_;
}

PublicationPtr Publication::restored(std::string_view bytes, const Timeline& timeline) {
  boost::intrusive_ptr<Publication> made(new Publication);
  Reader reader(bytes);
  const unsigned flags = reader.byte();
  made->of_client_ = (flags & of_client_flag) != 0;
  made->retain_ = (flags & retain_flag) != 0;
  made->id_is_plain_ = (flags & plain_id_flag) != 0;
  const unsigned qos = reader.byte();
  made->qos_ = static_cast<QoS>(qos & 3);
  made->collection_size_ = reader.two_bytes();
  const auto time = [&] {
    return timeline.time_of(Timestamp(static_cast<std::int64_t>(reader.eight_bytes())));
  };
  made->published_ = time();
  const Clock::time_point expires = time();
  if ((flags & expires_flag) != 0) made->expires_ = expires;
  made->position_.revision = document::Revision(reader.eight_bytes());
  made->position_.index = reader.eight_bytes();
  if ((flags & publisher_flag) != 0) made->publisher_ = reader.eight_bytes();
  made->topic_size_ = reader.four_bytes();
  made->properties_size_ = reader.four_bytes();
  made->bytes_ = reader.take_rest();
  const std::uint64_t head = std::uint64_t{made->topic_size_} + made->properties_size_;
  const bool fits = head <= made->bytes_.size() && made->topic_size_ > 2 &&
                    made->topic_size_ <= 2 + 0xFFFFu && qos <= 2 &&
                    (!made->id_is_plain_ || made->collection_size_ + 2u < made->topic_size_);
  if (reader.failed() || !fits) return nullptr;
  return made;
}

std::string_view Publication::topic() const {
  return std::string_view(bytes_).substr(2, topic_size_ - 2);
}

bool Publication::may_be_heard(const document::Permissions& permissions) const {
  if (of_client_) return permissions.reads_everything();
  const std::string_view name = topic();
  if (!id_is_plain_) return may_read_topic(permissions, name);
  return permissions.may_read(name.substr(0, collection_size_), name.substr(collection_size_ + 1));
}

std::size_t Publication::topic_size(const Copy& copy) const {
  return copy.alias.known ? 2 : topic_size_;
}

std::size_t Publication::properties_size(const Copy& copy) const {
  return properties_size_ + (copy.commit_end ? commit_end.size() : 0) +
         (copy.identifiers ? copy.identifiers->properties().size() : 0) +
         (copy.alias.number != 0 ? alias_size : 0) + (expires_ ? expiry_size : 0);
}

std::size_t Publication::remaining_length(const Copy& copy) const {
  const std::size_t packet_id = copy.qos == QoS::at_most_once ? 0 : 2;
  const std::size_t payload = bytes_.size() - topic_size_ - properties_size_;
  if (copy.version != Version::v5_0) return topic_size_ + packet_id + payload;
  const std::size_t properties = properties_size(copy);
  return topic_size(copy) + packet_id + variable_size(static_cast<std::uint32_t>(properties)) +
         properties + payload;
}

std::size_t Publication::encoded_size(const Copy& copy) const {
  const std::size_t remaining = remaining_length(copy);
  return 1 + variable_size(static_cast<std::uint32_t>(remaining)) + remaining;
}

void Publication::encode(const Copy& copy, std::string& out) const {
  const std::size_t remaining = remaining_length(copy);
  const std::size_t before = out.size();
  out.resize(before + 1 + variable_size(static_cast<std::uint32_t>(remaining)) + remaining);
  Writer writer(out.data() + before);
  const std::string_view bytes = bytes_;

  writer.byte(static_cast<unsigned>(PacketType::publish) << 4 | (copy.dup ? 8u : 0u) |
              static_cast<unsigned>(copy.qos) << 1 | (copy.retain ? 1u : 0u));
  writer.variable(remaining);
  if (copy.alias.known) {
    writer.two_bytes(0);
  } else {
    writer.bytes(bytes.substr(0, topic_size_));
  }
  if (copy.qos != QoS::at_most_once) writer.two_bytes(copy.packet_id);
  if (copy.version == Version::v5_0) {
    writer.variable(properties_size(copy));
    writer.bytes(bytes.substr(topic_size_, properties_size_));
    if (copy.commit_end) writer.bytes(commit_end);
    if (copy.identifiers) writer.bytes(copy.identifiers->properties());
    if (copy.alias.number != 0) {
      writer.byte(alias_id);
      writer.two_bytes(copy.alias.number);
    }
    if (expires_) {
      // Of what is sent again nothing may be left.
      const auto left = std::max(std::chrono::ceil<std::chrono::seconds>(*expires_ - copy.now),
                                 std::chrono::seconds(0));
      writer.byte(expiry_id);
      writer.four_bytes(static_cast<std::uint32_t>(left.count()));
    }
  }
  writer.bytes(bytes.substr(topic_size_ + properties_size_));
}

}  // namespace doctor::mqtt
