"""Topic aliases of 5.0, both ways."""

import pytest

from . import wire
from .clause import clause, doctors_own, only_5
from .wire import MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_ALIAS_INVALID, V5

EITHER = (MALFORMED_PACKET, PROTOCOL_ERROR)


@pytest.fixture
def publisher(mqtt):
    client = mqtt(V5)
    client.maximum = client.connack.properties.get("topic_alias_maximum", 0)
    return client


def needs_aliases(client):
    if not client.maximum:
        pytest.skip("the server accepts no aliases")


@only_5
@clause("MQTT-3.3.2-12")
def test_every_alias_up_to_the_maximum_is_accepted(mqtt, version, topic, publisher):
    needs_aliases(publisher)
    subscriber, count = mqtt(version), min(publisher.maximum, 300)
    aliases = list(range(1, count + 1)) + [publisher.maximum]
    subscriber.subscribe(topic + "/+")
    for alias in aliases:
        publisher.send(wire.publish(version, f"{topic}/{alias}", "first", topic_alias=alias))
    for alias in aliases:
        publisher.publish("", "by alias", topic_alias=alias)
    found = [packet.topic for packet in subscriber.messages() if packet.payload == b"by alias"]
    assert found == [f"{topic}/{alias}" for alias in aliases]


@only_5
@clause("5.0 §3.3.2.3.4")
def test_an_alias_may_be_given_another_topic(mqtt, version, topic, publisher):
    needs_aliases(publisher)
    subscriber = mqtt(version)
    subscriber.subscribe(topic + "/+")
    for where in ("a", "b"):
        publisher.publish(f"{topic}/{where}", "named", topic_alias=1)
        publisher.publish("", "by alias", topic_alias=1)
    assert [packet.topic[-1] for packet in subscriber.messages()] == ["a", "a", "b", "b"]


@only_5
@clause("MQTT-3.3.2-8", "MQTT-3.3.2-9")
@pytest.mark.parametrize("which", ["zero", "above the maximum"])
def test_an_alias_of_zero_or_above_the_maximum_closes(broker, version, topic, publisher, which):
    alias = 0 if which == "zero" else publisher.maximum + 1
    if alias > 65535:
        pytest.skip("every alias is allowed")
    publisher.send(wire.publish(version, topic, "x", topic_alias=alias))
    publisher.refused(TOPIC_ALIAS_INVALID, *(EITHER if which == "zero" and not broker.own else ()))


@only_5
@clause("5.0 §3.3.2.3.4", "5.0 §3.3.2.1")
def test_an_alias_that_was_never_set_closes(mqtt, version, publisher):
    publisher.send(wire.publish(version, "", "x", topic_alias=max(publisher.maximum, 1)))
    publisher.refused(*EITHER, TOPIC_ALIAS_INVALID)


@only_5
@clause("MQTT-3.3.2-7")
def test_aliases_are_forgotten_with_their_connection(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    if not client.connack.properties.get("topic_alias_maximum"):
        pytest.skip("the server accepts no aliases")
    client.publish(topic, "x", topic_alias=1)
    client.drop()
    again = mqtt(version, name, clean=False, keep=True)
    again.send(wire.publish(version, "", "x", topic_alias=1))
    again.refused(*EITHER, TOPIC_ALIAS_INVALID)


@only_5
@clause("MQTT-3.3.2-7")
def test_aliases_of_two_connections_are_different(mqtt, version, topic, publisher):
    needs_aliases(publisher)
    subscriber, other = mqtt(version), mqtt(version)
    subscriber.subscribe(topic + "/+")
    publisher.publish(topic + "/a", topic_alias=1)
    other.publish(topic + "/b", topic_alias=1)
    publisher.publish("", topic_alias=1)
    assert [packet.topic[-1] for packet in subscriber.messages()] == ["a", "b", "a"]


@only_5
@clause("MQTT-3.1.2-26", "MQTT-3.3.2-11")
def test_the_server_sends_no_alias_above_the_maximum_of_the_client(mqtt, version, topic):
    subscriber, publisher, known = mqtt(version, topic_alias_maximum=2), mqtt(version), {}
    subscriber.subscribe(topic + "/+")
    for _ in range(3):
        for where in "abcd":
            publisher.publish(f"{topic}/{where}", where)
    for packet in subscriber.messages():
        alias = packet.properties.get("topic_alias")
        assert alias in (None, 1, 2)
        if packet.topic and alias:
            known[alias] = packet.topic
        assert (packet.topic or known[alias]) == f"{topic}/{packet.payload.decode()}"


@only_5
@clause("MQTT-3.1.2-27")
@pytest.mark.parametrize("maximum", [None, 0])
def test_the_server_sends_no_alias_to_a_client_that_wants_none(mqtt, version, topic, maximum):
    subscriber, publisher = mqtt(version, topic_alias_maximum=maximum), mqtt(version)
    subscriber.subscribe(topic)
    for _ in range(5):
        publisher.publish(topic)
    assert [(packet.topic, packet.properties) for packet in subscriber.messages()] == [(topic, {})] * 5


@only_5
@clause("MQTT-3.3.2-7", "MQTT-3.1.2-26")
def test_the_server_sets_its_aliases_anew_on_each_connection(mqtt, version, name, topic):
    publisher = mqtt(version)
    for first in (True, False):
        client = mqtt(version, name, clean=first, keep=True, topic_alias_maximum=5)
        if first:
            client.subscribe(topic, qos=1)
        known = set()
        for _ in range(3):
            publisher.publish(topic, qos=1)
        for packet in client.messages():
            assert packet.topic or packet.properties["topic_alias"] in known
            known.add(packet.properties.get("topic_alias"))
        client.drop()


@doctors_own
@only_5
@clause("5.0 §3.1.2.11.5")
def test_the_server_makes_use_of_aliases_for_topics_that_come_again(mqtt, version, topic):
    subscriber, publisher = mqtt(version, topic_alias_maximum=10), mqtt(version)
    subscriber.subscribe(topic)
    for _ in range(5):
        publisher.publish(topic)
    assert [packet.topic for packet in subscriber.messages()][-1] == ""
