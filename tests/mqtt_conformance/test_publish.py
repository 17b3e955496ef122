"""PUBLISH: what is refused, and that all the rest arrives unaltered."""

import pytest

from . import wire
from .clause import both, clause, only_5
from .wire import MALFORMED_PACKET, PROTOCOL_ERROR, PUBACK, PUBREC, TOPIC_NAME_INVALID, V5, V311

EITHER = (MALFORMED_PACKET, PROTOCOL_ERROR)


@both
@clause("MQTT-3.3.1-4")
def test_qos_3_is_malformed(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, "x", qos=3, identifier=1))
    client.refused(MALFORMED_PACKET)


@both
@clause("MQTT-3.3.1-2")
def test_dup_at_qos_0_is_malformed(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, "x", dup=True))
    client.refused(*EITHER)


@both
@clause("MQTT-3.3.2-2", "MQTT-4.7.0-1", "3.1.1: MQTT-4.7.1-1")
@pytest.mark.parametrize("bad", ["a/#", "a/+", "#", "+", "a/b+c", "a#"])
def test_a_wildcard_in_a_topic_name_closes(mqtt, version, bad):
    client = mqtt(version)
    client.send(wire.publish(version, bad, "x"))
    client.refused(*EITHER, TOPIC_NAME_INVALID)


@both
@clause("MQTT-4.7.3-1")
def test_an_empty_topic_name_closes(mqtt, version):
    client = mqtt(version)
    client.send(wire.publish(version, "", "x"))
    client.refused(*EITHER, TOPIC_NAME_INVALID)


@only_5
@clause("MQTT-3.3.2-14")
@pytest.mark.parametrize("bad", ["a/#", "+"])
def test_a_wildcard_in_a_response_topic_closes(mqtt, version, topic, bad):
    client = mqtt(version)
    client.send(wire.publish(version, topic, "x", response_topic=bad))
    client.refused(*EITHER, TOPIC_NAME_INVALID)


@only_5
@clause("MQTT-3.3.4-6")
def test_a_subscription_identifier_from_a_client_is_a_protocol_error(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, "x", subscription_identifier=1))
    client.refused(*EITHER)


@both
@clause("MQTT-3.3.4-1", "MQTT-2.2.1-5", "MQTT-3.4.2-1", "MQTT-3.5.2-1")
def test_each_qos_has_its_answer_with_the_same_identifier(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, qos=0) + wire.publish(version, topic, qos=1, identifier=0x1234))
    client.send(wire.publish(version, topic, qos=2, identifier=0xFFFF) + wire.frame(wire.PINGREQ))
    found = {(packet.kind, packet.identifier) for packet in (client.receive(), client.receive(), client.receive())}
    assert found == {(PUBACK, 0x1234), (PUBREC, 0xFFFF), (wire.PINGRESP, None)}


@both
@clause("MQTT-3.3.1-3", "3.1.1: MQTT-3.3.1-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_dup_is_not_passed_on(mqtt, version, topic, qos):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic, qos=qos)
    publisher.publish(topic, "x", qos=qos, dup=True)
    assert not subscriber.message().dup


@both
@clause("MQTT-3.3.2-3", "MQTT-4.7.3-4")
@pytest.mark.parametrize("ending", [
    "a", "A", " ", "a b", "/", "//", "/a/", "é", "e\u0301", "日本語", "😀", "%2B", "\\", "..", "a\u00adb", "$x", "\u200b"])
def test_topic_names_arrive_and_match_as_they_are(mqtt, version, topic, ending):
    client = mqtt(version)
    client.subscribe(topic + "/#", topic + "-exact" + ending, qos=0)
    client.publish(topic + "/" + ending, "under")
    client.publish(topic + "-exact" + ending, "exact")
    assert [packet.topic for packet in client.messages()] == [topic + "/" + ending, topic + "-exact" + ending]


@both
@clause("MQTT-4.7.3-4")
def test_neither_case_nor_unicode_normal_form_is_ignored(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/é", topic + "/a", topic + "/x/")
    for ending in ("/e\u0301", "/A", "/x", "/x//"):
        client.publish(topic + ending, "must not be heard")
    assert client.messages() == []


@both
@clause("MQTT-4.7.3-3")
def test_a_topic_of_65535_bytes_is_carried_or_refused_properly(mqtt, version, topic):
    subscriber, publisher = mqtt(version), mqtt(version)
    long = (topic + "/").ljust(65535, "x")
    answer = subscriber.subscribe(topic + "/#")
    assert answer.reasons == [0]
    publisher.send(wire.publish(version, long, "x", qos=1, identifier=1))
    try:
        found = publisher.expect(PUBACK)
    except ConnectionError:
        return
    assert [packet.topic for packet in subscriber.messages()] == [long] or found.reason >= 0x80


@both
@clause("5.0 §3.3.3", "3.1.1 §3.3.3")
@pytest.mark.parametrize("payload", [b"", b"\0", bytes(range(256)), b"x" * 127, b"x" * 128, b"x" * 16384, b"\xff" * 200_000],
                         ids=lambda payload: f"{len(payload)} bytes")
def test_payloads_arrive_as_they_are(mqtt, version, topic, payload):
    subscriber = mqtt(version)
    subscriber.subscribe(topic, qos=1)
    mqtt(version).publish(topic, payload, qos=1)
    assert subscriber.message().payload == payload


@only_5
@clause("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-20")
@pytest.mark.parametrize("name, value", [
    ("payload_format_indicator", 1), ("payload_format_indicator", 0), ("content_type", "application/json; é"),
    ("response_topic", "answers/é/1"), ("correlation_data", bytes(range(256))), ("correlation_data", b"")])
def test_properties_of_a_message_are_passed_on_unaltered(mqtt, version, topic, name, value):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, "text", **{name: value})
    found = client.message().properties
    assert found.get(name, 0 if value == 0 else None) == value


@only_5
@clause("MQTT-3.3.2-17", "MQTT-3.3.2-18")
def test_user_properties_are_passed_on_in_order_and_with_repetitions(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    pairs = [("b", "1"), ("a", ""), ("b", "1"), ("", "é"), ("b", "0"), ("commit", "x")]
    client.publish(topic, "x", user_property=pairs)
    assert client.message().user == pairs


@only_5
@clause("MQTT-3.3.2-17", "5.0 §3.3.2.3")
def test_nothing_is_added_to_a_message_of_a_client(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, "x")
    assert client.message().properties == {}


@clause("5.0 §3.3.2.3", "3.1.1 §3.3.2")
@pytest.mark.parametrize("here, there", [(V311, V5), (V5, V311)], ids=["from 3.1.1 to 5.0", "from 5.0 to 3.1.1"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_cross_from_one_version_to_the_other(mqtt, here, there, topic, qos):
    subscriber, publisher = mqtt(there), mqtt(here)
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, "x", qos=qos, **({"content_type": "c", "user_property": [("a", "b")]} if here == V5 else {}))
    packet = subscriber.message()
    assert (packet.topic, packet.payload, packet.qos, packet.retain) == (topic, b"x", qos, False)


@both
@clause("MQTT-3.12.4-1")
def test_a_ping_is_answered(mqtt, version):
    client = mqtt(version)
    for _ in range(3):
        client.ping()


@both
@clause("5.0 §3.4.2.1", "3.1.1 §3.3.5")
def test_a_message_that_nobody_hears_is_acknowledged_too(mqtt, version, topic):
    client = mqtt(version)
    for qos in (1, 2):
        assert client.publish(topic, "x", qos=qos).reason in (0, 0x10 if version == V5 else 0)


@both
@clause("5.0 §3.3.4", "3.1.1 §3.3.5")
def test_a_publisher_hears_its_own_messages(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic, qos=1)
    client.publish(topic, "own", qos=1)
    assert client.payloads() == ["own"]
