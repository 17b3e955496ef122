#include "doctor/mqtt/publication.hpp"

#include <gtest/gtest.h>

#include "doctor/mqtt/decode.hpp"
#include "doctor/mqtt/encode.hpp"
#include "doctor/mqtt/topic.hpp"

namespace doctor::mqtt {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

const Clock::time_point start{1h};

// Checks a copy of a publication against what the codec makes of the whole packet.
void expect_copy(const Publication& publication, const Publication::Copy& copy, Publish expected) {
  expected.qos = copy.qos;
  expected.packet_id = copy.packet_id;
  expected.retain = copy.retain;
  expected.dup = copy.dup;
  std::string bytes;
  publication.encode(copy, bytes);
  std::string codec;
  encode(expected, copy.version, codec);
  EXPECT_EQ(bytes, codec);
  EXPECT_EQ(publication.encoded_size(copy), bytes.size());
}

TEST(Publication, AnAnnouncementIsEncodedAsTheCodecWould) {
  for (const std::size_t id_size : {1u, 100u, 120u, 255u}) {
    const std::string topic = "vm/" + std::string(id_size, 'x');
    const document::Change change{document::ChangeKind::updated, "vm", "x", {"a", "b,c"}};
    const auto publication =
        Publication::announcement(topic, change, {document::Revision(12'345'678'901)});
    for (const bool end : {false, true}) {
      for (const std::uint16_t packet_id : {0, 513}) {
        const QoS qos = packet_id == 0 ? QoS::at_most_once : QoS::at_least_once;
        Publish expected;
        expected.topic = topic;
        expected.payload = "a,b%2Cc";
        expect_copy(*publication, {Version::v3_1_1, qos, false, end, packet_id, start}, expected);
        expected.properties.add_user("revision", "12345678901");
        if (end) expected.properties.add_user("commit", "end");
        expect_copy(*publication, {Version::v5_0, qos, false, end, packet_id, start}, expected);
      }
    }
    EXPECT_EQ(publication->topic(), topic);
  }
}

TEST(Publication, WhatAClientPublishedKeepsThePropertiesThatAreForReceivers) {
  // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-18] [MQTT-3.3.2-20] [MQTT-3.3.1-3]
  Publish publish;
  publish.dup = true;
  publish.qos = QoS::at_least_once;
  publish.packet_id = 77;
  publish.topic = "a/b";
  publish.payload = "\x00payload"sv;
  publish.properties.add_user("z", "1");
  publish.properties.add(PropertyId::correlation_data, "\x00\xFF"sv);
  publish.properties.add_user("a", "2");
  publish.properties.add(PropertyId::response_topic, "r");
  publish.properties.add(PropertyId::content_type, "t");
  publish.properties.add(PropertyId::payload_format_indicator, 1);
  publish.properties.add_user("z", "1");
  const auto publication = Publication::of_client(publish, start);
  Publish expected = publish;
  expected.dup = false;
  expect_copy(*publication, {Version::v5_0, QoS::at_least_once, true, false, 3, start}, expected);
  expect_copy(*publication, {Version::v5_0, QoS::at_most_once, false, false, 0, start}, expected);
}

TEST(Publication, ACopyCarriesItsOwnDupAndIdentifiers) {  // [MQTT-3.3.1-1] [MQTT-3.3.4-3]
  Publish publish;
  publish.topic = "a";
  publish.payload = "x";
  const auto publication = Publication::of_client(publish, start);
  const auto identifiers = Identifiers::both(Identifiers::of(1), Identifiers::of(300));
  Publication::Copy copy{Version::v5_0, QoS::exactly_once, false, false, 9, start};
  copy.dup = true;
  copy.identifiers = identifiers.get();
  Publish expected = publish;
  expected.properties.add(PropertyId::subscription_identifier, 1);
  expected.properties.add(PropertyId::subscription_identifier, 300);
  expect_copy(*publication, copy, expected);
  copy.version = Version::v3_1_1;
  expect_copy(*publication, copy, publish);
}

TEST(Publication, AKnownAliasStandsForTheTopic) {  // [MQTT-3.3.2-12]
  Publish publish;
  publish.topic = "a/b";
  publish.payload = "x";
  const auto publication = Publication::of_client(publish, start);
  Publication::Copy copy{Version::v5_0, QoS::at_most_once, false, false, 0, start};
  copy.alias = {260, false};
  Publish expected = publish;
  expected.properties.add(PropertyId::topic_alias, 260);
  expect_copy(*publication, copy, expected);
  copy.alias.known = true;
  expected.topic = {};
  expect_copy(*publication, copy, expected);
}

TEST(Publication, WhatIsLeftOfTheExpiryIsSentOn) {  // [MQTT-3.3.2-6] [MQTT-3.3.2-5]
  Publish publish;
  publish.topic = "a";
  publish.properties.add(PropertyId::message_expiry_interval, 10);
  const auto publication = Publication::of_client(publish, start);
  Publish expected;
  expected.topic = "a";
  expected.properties.add(PropertyId::message_expiry_interval, 7);
  expect_copy(*publication, {Version::v5_0, QoS::at_most_once, false, false, 0, start + 3s},
              expected);
  EXPECT_FALSE(publication->expired(start + 9999ms));
  EXPECT_TRUE(publication->expired(start + 10s));
}

TEST(Publication, AnAnnouncementIsForThoseWhoMayReadTheDocument) {
  const auto permissions = document::Permissions::parse(R"({"vm":["1","a/b","%2F"]})").value();
  const auto heard = [&](std::string collection, std::string id) {
    const document::Change change{document::ChangeKind::removed, collection, id, {}};
    return Publication::announcement(document_topic(collection, id), change,
                                     {document::Revision(1)})
        ->may_be_heard(permissions);
  };
  EXPECT_TRUE(heard("vm", "1"));
  EXPECT_TRUE(heard("vm", "a/b"));
  EXPECT_TRUE(heard("vm", "%2F"));
  EXPECT_FALSE(heard("vm", "/"));
  EXPECT_FALSE(heard("vm", "a%2Fb"));
  EXPECT_FALSE(heard("vm", "12"));
  EXPECT_FALSE(heard("v", "m/1"));
}

TEST(Publication, WhatClientsPublishIsForThoseWhoMayReadEverything) {
  Publish publish;
  publish.topic = "vm/1";
  const auto publication = Publication::of_client(publish, start);
  EXPECT_TRUE(publication->may_be_heard(document::Permissions::everything()));
  EXPECT_FALSE(publication->may_be_heard(document::Permissions::parse(R"({"vm":"*"})").value()));
}

}  // namespace
}  // namespace doctor::mqtt
