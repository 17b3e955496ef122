#include "doctor/mqtt/publication.hpp"

#include <chrono>

#include "doctor/mqtt/properties.hpp"
#include "doctor/mqtt/topic.hpp"
#include "doctor/mqtt/wire.hpp"

namespace doctor::mqtt {
namespace {

constexpr Property commit_end{PropertyId::user_property, 0, "commit", "end"};
constexpr std::size_t commit_end_size = 1 + 2 + 6 + 2 + 3;
constexpr std::size_t expiry_size = 1 + 4;

bool is_for_receivers(PropertyId id) {
  return id == PropertyId::payload_format_indicator || id == PropertyId::content_type ||
         id == PropertyId::response_topic || id == PropertyId::correlation_data ||
         id == PropertyId::user_property;
}

}  // namespace

PublicationPtr Publication::announcement(std::string_view topic, const document::Change& change,
                                         document::Revision revision) {
  boost::intrusive_ptr<Publication> made(new Publication);
  const std::string payload = announcement_payload(change);
  const std::string number = std::to_string(revision.value);
  const Property property{PropertyId::user_property, 0, "revision", number};
  std::string& bytes = made->bytes_;
  bytes.reserve(2 + topic.size() + 13 + number.size() + payload.size());
  append_binary(bytes, topic);
  made->topic_size_ = static_cast<std::uint32_t>(bytes.size());
  append_property(bytes, property);
  made->properties_size_ = static_cast<std::uint32_t>(bytes.size()) - made->topic_size_;
  bytes += payload;
  return made;
}

PublicationPtr Publication::of_client(const Publish& publish, Clock::time_point now) {
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
  made->retain_ = publish.retain;
  if (const auto expiry = publish.properties.number(PropertyId::message_expiry_interval)) {
    made->expires_ = now + std::chrono::seconds(*expiry);
  }
  return made;
}

std::string_view Publication::topic() const {
  return std::string_view(bytes_).substr(2, topic_size_ - 2);
}

bool Publication::may_be_heard(const document::Permissions& permissions) const {
  return of_client_ ? permissions.reads_everything() : may_read_topic(permissions, topic());
}

std::size_t Publication::properties_size(const Copy& copy) const {
  return properties_size_ + (copy.commit_end ? commit_end_size : 0) + (expires_ ? expiry_size : 0);
}

std::size_t Publication::remaining_length(const Copy& copy) const {
  const std::size_t packet_id = copy.qos == QoS::at_most_once ? 0 : 2;
  if (copy.version != Version::v5_0) return bytes_.size() - properties_size_ + packet_id;
  const std::size_t properties = properties_size(copy);
  return bytes_.size() - properties_size_ + packet_id + properties +
         variable_size(static_cast<std::uint32_t>(properties));
}

std::size_t Publication::encoded_size(const Copy& copy) const {
  const std::size_t remaining = remaining_length(copy);
  return 1 + variable_size(static_cast<std::uint32_t>(remaining)) + remaining;
}

void Publication::encode(const Copy& copy, std::string& out) const {
  const auto qos = static_cast<unsigned>(copy.qos);
  append_byte(out, static_cast<std::uint8_t>(static_cast<unsigned>(PacketType::publish) << 4 |
                                             qos << 1 | (copy.retain ? 1u : 0u)));
  append_variable(out, static_cast<std::uint32_t>(remaining_length(copy)));
  out.append(bytes_, 0, topic_size_);
  if (copy.qos != QoS::at_most_once) append_two_bytes(out, copy.packet_id);
  if (copy.version == Version::v5_0) {
    append_variable(out, static_cast<std::uint32_t>(properties_size(copy)));
    out.append(bytes_, topic_size_, properties_size_);
    if (copy.commit_end) append_property(out, commit_end);
    if (expires_) {
      const auto left = std::chrono::ceil<std::chrono::seconds>(*expires_ - copy.now);
      append_property(
          out,
          {PropertyId::message_expiry_interval, static_cast<std::uint32_t>(left.count()), {}, {}});
    }
  }
  out.append(bytes_, topic_size_ + properties_size_);
}

}  // namespace doctor::mqtt
