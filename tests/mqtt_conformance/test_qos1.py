"""At least once, in both directions."""

import time

import pytest

from . import wire
from .clause import both, clause, doctors_own, only_5
from .wire import PUBACK, PUBLISH


def published(packets):
    return [(packet.payload.decode(), packet.identifier, packet.dup) for packet in packets]


# -- from the client to the server ----------------------------------------------------------------


@both
@clause("MQTT-4.3.2-4", "MQTT-2.2.1-5", "MQTT-4.6.0-2", "3.1.1: MQTT-4.3.2-2")
def test_each_message_is_acknowledged_with_its_identifier_in_order(mqtt, version, topic):
    client, order = mqtt(version), [5, 1, 65535, 77, 2]
    client.send(b"".join(wire.publish(version, topic, qos=1, identifier=one) for one in order))
    assert [client.expect(PUBACK).identifier for _ in order] == order


@both
@clause("MQTT-4.3.2-5", "3.1.1: MQTT-4.3.2-2")
@pytest.mark.parametrize("dup", [False, True])
def test_an_acknowledged_identifier_used_again_is_a_new_message(mqtt, version, topic, dup):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    publisher.publish(topic, "one", qos=1, identifier=9)
    publisher.publish(topic, "two", qos=1, identifier=9, dup=dup)
    assert subscriber.payloads() == ["one", "two"]


@both
@clause("MQTT-4.3.2-4")
def test_a_first_message_with_dup_is_delivered(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic, qos=1)
    client.publish(topic, "x", qos=1, dup=True)
    assert client.payloads() == ["x"]


@both
@clause("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_of_a_topic_and_qos_come_in_the_order_of_their_arrival(mqtt, version, topic, qos):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic + "/#", qos=qos)
    for number in range(100):
        publisher.publish(f"{topic}/{number % 2}", str(number), qos=qos)
    found = [int(packet.payload) for packet in subscriber.messages()]
    for parity in (0, 1):
        assert [number for number in found if number % 2 == parity] == list(range(parity, 100, 2))


@both
@clause("5.0 §4.3.2")
def test_an_acknowledgement_of_nothing_does_no_harm(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.acknowledge(PUBACK, 4711))
    client.subscribe(topic, qos=1)
    client.publish(topic, "x", qos=1)
    assert client.payloads() == ["x"]


# -- from the server to the client ----------------------------------------------------------------


@both
@clause("MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.2-3", "MQTT-2.2.1-4", "3.1.1: MQTT-4.3.2-1")
def test_unacknowledged_messages_have_different_identifiers_and_no_dup(mqtt, version, topic):
    subscriber, publisher = mqtt(version, acks=False), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    for number in range(10):
        publisher.publish(topic, str(number), qos=1)
    found = [subscriber.message() for _ in range(10)]
    assert len({packet.identifier for packet in found}) == 10
    assert not any(packet.dup for packet in found)
    for packet in found[::2]:  # those free their identifiers, the others keep them
        subscriber.acknowledge(packet)
    for number in range(5):
        publisher.publish(topic, str(number), qos=1)
    more = [subscriber.message() for _ in range(5)]
    assert not {packet.identifier for packet in more} & {packet.identifier for packet in found[1::2]}


@doctors_own
@both
@clause("MQTT-2.2.1-4")
def test_identifiers_count_up_from_1_in_each_session(mqtt, version, topic):
    for _ in range(2):
        subscriber = mqtt(version)
        subscriber.subscribe(topic, qos=1)
        for _ in range(5):
            subscriber.publish(topic, qos=1)
        assert [packet.identifier for packet in subscriber.messages()] == [1, 2, 3, 4, 5]


@both
@clause("MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.2-3", "MQTT-4.6.0-1", "3.1.1: MQTT-2.3.1-4")
def test_unacknowledged_messages_come_again_after_a_reconnection_in_order(mqtt, version, name, topic):
    subscriber, publisher = mqtt(version, name, keep=True, acks=False), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    for number in range(6):
        publisher.publish(topic, str(number), qos=1)
    first = [subscriber.message() for _ in range(6)]
    subscriber.acknowledge(first[0])
    subscriber.acknowledge(first[1])
    subscriber.ping()
    subscriber.drop()
    again = mqtt(version, name, clean=False, keep=True)
    assert published(again.messages()) == [(str(at), first[at].identifier, True) for at in range(2, 6)]


@both
@clause("MQTT-4.4.0-1")
def test_messages_do_not_come_again_on_a_living_connection(mqtt, version, topic):
    subscriber, publisher = mqtt(version, acks=False), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    publisher.publish(topic, "x", qos=1)
    subscriber.message()
    time.sleep(0.5)
    assert subscriber.messages() == []


@both
@clause("MQTT-4.4.0-1", "MQTT-3.1.2-5")
def test_acknowledged_messages_do_not_come_again(mqtt, version, name, topic):
    subscriber = mqtt(version, name, keep=True)
    subscriber.subscribe(topic, qos=1)
    mqtt(version).publish(topic, "x", qos=1)
    assert subscriber.payloads() == ["x"]
    subscriber.drop()
    assert mqtt(version, name, clean=False, keep=True).messages() == []


@both
@clause("MQTT-3.3.1-1", "MQTT-3.3.1-3")
def test_dup_is_set_exactly_on_what_was_sent_before(mqtt, version, name, topic):
    subscriber, publisher = mqtt(version, name, keep=True, acks=False), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    publisher.publish(topic, "sent", qos=1)
    subscriber.message()
    subscriber.disconnect()
    publisher.publish(topic, "queued", qos=1)
    again = mqtt(version, name, clean=False, keep=True)
    assert [(packet.payload, packet.dup) for packet in again.messages()] == [(b"sent", True), (b"queued", False)]


@only_5
@clause("MQTT-4.4.0-2")
def test_a_message_that_the_client_refused_does_not_come_again(mqtt, version, name, topic):
    subscriber = mqtt(version, name, keep=True, acks=False)
    subscriber.subscribe(topic, qos=1)
    mqtt(version).publish(topic, "x", qos=1)
    subscriber.acknowledge(subscriber.message(), reason=0x80)
    subscriber.ping()
    subscriber.drop()
    assert mqtt(version, name, clean=False, keep=True).messages() == []


@both
@clause("MQTT-2.2.1-4", "5.0 §2.2.1", "3.1.1: MQTT-2.3.1-2")
def test_identifiers_of_both_directions_are_independent(mqtt, version, topic):
    client = mqtt(version, acks=False)
    client.subscribe(topic, qos=1)
    mqtt(version).publish(topic, "from the server", qos=1)
    packet = client.message()
    client.send(wire.publish(version, topic + "/other", "from the client", qos=1, identifier=packet.identifier))
    assert client.expect(PUBACK).identifier == packet.identifier
    client.acknowledge(packet)
    client.ping()
    assert not [found for found in client.inbox if found.kind == PUBLISH]


@both
@clause("MQTT-4.5.0-1")
def test_a_message_is_added_to_all_sessions_that_match(mqtt, version, topic):
    subscribers = [mqtt(version) for _ in range(10)]
    for subscriber in subscribers:
        subscriber.subscribe(topic, qos=1)
    mqtt(version).publish(topic, "x", qos=1)
    assert [subscriber.payloads() for subscriber in subscribers] == [["x"]] * 10


@both
@clause("MQTT-4.3.1-1", "MQTT-3.3.1-2")
def test_qos_0_is_sent_without_dup(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic, qos=0)
    client.publish(topic, "x", qos=1, dup=True)
    packet = client.message()
    assert (packet.qos, packet.dup, packet.identifier) == (0, False, None)
