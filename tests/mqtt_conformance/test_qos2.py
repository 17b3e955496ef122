"""Exactly once, in both directions, over reconnections."""

import time

import pytest

from . import wire
from .clause import both, clause, only_5
from .wire import PACKET_IDENTIFIER_NOT_FOUND, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, acknowledge

# -- from the client to the server ----------------------------------------------------------------


@both
@clause("MQTT-4.3.3-8", "MQTT-4.3.3-11", "MQTT-2.2.1-5", "MQTT-3.7.2-1", "3.1.1: MQTT-4.3.3-2")
def test_publish_and_pubrel_are_answered_with_their_identifier(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, qos=2, identifier=0x1234))
    assert client.receive().kind == PUBREC
    client.send(acknowledge(PUBREL, 0x1234))
    packet = client.receive()
    assert (packet.kind, packet.identifier, packet.reason) == (PUBCOMP, 0x1234, 0)


@both
@clause("MQTT-4.3.3-10", "3.1.1: MQTT-4.3.3-2")
@pytest.mark.parametrize("dup", [False, True])
def test_a_message_that_comes_again_before_pubrel_is_not_delivered_again(mqtt, version, topic, dup):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic, qos=2)
    for again in (False, dup, dup):
        publisher.send(wire.publish(version, topic, "once", qos=2, identifier=3, dup=again))
        assert publisher.expect(PUBREC).identifier == 3
    publisher.send(acknowledge(PUBREL, 3))
    publisher.expect(PUBCOMP)
    assert subscriber.payloads() == ["once"]


@both
@clause("MQTT-4.3.3-10", "MQTT-3.1.2-5", "3.1.1: MQTT-4.3.3-2")
def test_a_message_that_comes_again_after_a_reconnection_is_not_delivered_again(mqtt, version, name, topic):
    subscriber, publisher = mqtt(version), mqtt(version, name, keep=True)
    subscriber.subscribe(topic, qos=2)
    publisher.send(wire.publish(version, topic, "once", qos=2, identifier=3))
    publisher.expect(PUBREC)
    publisher.drop()
    again = mqtt(version, name, clean=False, keep=True)
    again.send(wire.publish(version, topic, "once", qos=2, identifier=3, dup=True))
    assert again.expect(PUBREC).identifier == 3
    again.send(acknowledge(PUBREL, 3))
    again.expect(PUBCOMP)
    assert subscriber.payloads() == ["once"]


@both
@clause("MQTT-4.3.3-11", "MQTT-4.4.0-1")
def test_a_pubrel_after_a_reconnection_completes_the_exchange(mqtt, version, name, topic):
    subscriber, publisher = mqtt(version), mqtt(version, name, keep=True)
    subscriber.subscribe(topic, qos=2)
    publisher.send(wire.publish(version, topic, "once", qos=2, identifier=3))
    publisher.expect(PUBREC)
    publisher.drop()
    again = mqtt(version, name, clean=False, keep=True)
    again.send(acknowledge(PUBREL, 3))
    assert again.expect(PUBCOMP).reason == 0
    assert subscriber.payloads() == ["once"]


@both
@clause("MQTT-4.3.3-11", "5.0 §3.7.2.1")
def test_a_pubrel_of_nothing_is_answered_and_the_identifier_named_unknown(mqtt, version):
    client = mqtt(version)
    client.send(acknowledge(PUBREL, 4711))
    packet = client.expect(PUBCOMP)
    assert (packet.identifier, packet.reason) == (4711, PACKET_IDENTIFIER_NOT_FOUND if version == V5 else 0)


@both
@clause("MQTT-4.3.3-12", "3.1.1: MQTT-4.3.3-2")
@pytest.mark.parametrize("dup", [False, True])
def test_a_completed_identifier_used_again_is_a_new_message(mqtt, version, topic, dup):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, "one", qos=2, identifier=3)
    publisher.publish(topic, "two", qos=2, identifier=3, dup=dup)
    assert subscriber.payloads() == ["one", "two"]


@both
@clause("MQTT-4.3.3-10", "MQTT-3.1.2-4")
def test_a_clean_start_forgets_identifiers(mqtt, version, name, topic):
    subscriber, publisher = mqtt(version), mqtt(version, name, keep=True)
    subscriber.subscribe(topic, qos=2)
    publisher.send(wire.publish(version, topic, "one", qos=2, identifier=3))
    publisher.expect(PUBREC)
    publisher.drop()
    again = mqtt(version, name, clean=True)
    again.publish(topic, "two", qos=2, identifier=3)
    assert "two" in subscriber.payloads()


@both
@clause("MQTT-4.3.3-8", "MQTT-4.6.0-5", "MQTT-4.6.0-3")
def test_exchanges_may_be_interleaved(mqtt, version, topic):
    subscriber, publisher = mqtt(version), mqtt(version)
    subscriber.subscribe(topic, qos=2)
    identifiers = list(range(1, 11))
    publisher.send(b"".join(wire.publish(version, topic, str(one), qos=2, identifier=one) for one in identifiers))
    assert [publisher.expect(PUBREC).identifier for _ in identifiers] == identifiers
    publisher.send(b"".join(acknowledge(PUBREL, one) for one in identifiers))
    assert [publisher.expect(PUBCOMP).identifier for _ in identifiers] == identifiers
    assert subscriber.payloads() == [str(one) for one in identifiers]


# -- from the server to the client ----------------------------------------------------------------


def heard(mqtt, version, topic, count=1, name=None, **more):
    """A subscriber that acknowledges by hand, and the messages it has got."""
    subscriber, publisher = mqtt(version, name, acks=False, **more), mqtt(version)
    subscriber.subscribe(topic, qos=2)
    for number in range(count):
        publisher.publish(topic, str(number), qos=2)
    return subscriber, [subscriber.message() for _ in range(count)]


@both
@clause("MQTT-4.3.3-1", "MQTT-4.3.3-2", "MQTT-4.3.3-4", "MQTT-3.6.2-1", "MQTT-4.5.0-1",
        "3.1.1: MQTT-4.3.3-1", "3.1.1: MQTT-3.6.1-1")
def test_a_delivery_goes_through_publish_pubrel_and_pubcomp(mqtt, version, topic):
    subscriber, (packet,) = heard(mqtt, version, topic)
    assert (packet.qos, packet.dup) == (2, False)
    subscriber.send(acknowledge(PUBREC, packet.identifier))
    release = subscriber.receive()
    assert (release.kind, release.identifier, release.reason) == (PUBREL, packet.identifier, 0)
    subscriber.send(acknowledge(PUBCOMP, packet.identifier))
    subscriber.ping()
    assert not subscriber.inbox


@both
@clause("MQTT-4.6.0-4")
def test_pubrels_come_in_the_order_of_the_pubrecs(mqtt, version, topic):
    subscriber, packets = heard(mqtt, version, topic, 5)
    order = [packets[at].identifier for at in (3, 0, 4, 1, 2)]
    subscriber.send(b"".join(acknowledge(PUBREC, identifier) for identifier in order))
    assert [subscriber.expect(PUBREL).identifier for _ in order] == order


@both
@clause("MQTT-4.4.0-1", "MQTT-4.3.3-3", "MQTT-3.3.1-1", "3.1.1: MQTT-4.3.3-1")
def test_a_publish_without_pubrec_comes_again_after_a_reconnection(mqtt, version, name, topic):
    subscriber, packets = heard(mqtt, version, topic, 3, name, keep=True)
    subscriber.drop()
    again = mqtt(version, name, clean=False, keep=True)
    assert [(m.payload, m.identifier, m.dup) for m in again.messages()] == [
        (packet.payload, packet.identifier, True) for packet in packets]


@both
@clause("MQTT-4.4.0-1", "MQTT-4.3.3-5", "MQTT-4.3.3-6", "3.1.1: MQTT-4.3.3-1")
def test_a_pubrel_without_pubcomp_comes_again_after_a_reconnection_and_not_the_publish(mqtt, version, name, topic):
    subscriber, (packet,) = heard(mqtt, version, topic, 1, name, keep=True)
    subscriber.acknowledge(packet)
    subscriber.expect(PUBREL)
    subscriber.drop()
    again = mqtt(version, name, clean=False, keep=True, acks=False)
    release = again.receive()
    assert (release.kind, release.identifier) == (PUBREL, packet.identifier)
    again.send(acknowledge(PUBCOMP, packet.identifier))
    again.settle()
    assert not again.inbox
    again.drop()
    last = mqtt(version, name, clean=False, keep=True)
    assert last.messages() == []


@both
@clause("MQTT-4.6.0-1", "MQTT-4.4.0-1")
def test_what_comes_again_keeps_its_order_and_precedes_what_is_new(mqtt, version, name, topic):
    subscriber, packets = heard(mqtt, version, topic, 4, name, keep=True)
    subscriber.acknowledge(packets[0])
    subscriber.expect(PUBREL)
    subscriber.disconnect()
    mqtt(version).publish(topic, "new", qos=2)
    again = mqtt(version, name, clean=False, keep=True, acks=False)
    again.settle()
    found = list(again.inbox)
    assert [packet.identifier for packet in found if packet.kind == PUBREL] == [packets[0].identifier]
    assert [packet.payload for packet in found if packet.kind == PUBLISH] == [b"1", b"2", b"3", b"new"]


@only_5
@clause("MQTT-4.4.0-2", "MQTT-4.3.3-4")
def test_a_pubrec_with_an_error_ends_the_exchange(mqtt, version, name, topic):
    subscriber, (packet,) = heard(mqtt, version, topic, 1, name, keep=True)
    subscriber.acknowledge(packet, reason=0x83)
    subscriber.ping()
    assert not subscriber.inbox, "no PUBREL after it"
    subscriber.drop()
    assert mqtt(version, name, clean=False, keep=True).messages() == []


@only_5
@clause("5.0 §3.6.2.1", "5.0 §4.3.3")
def test_a_pubrec_of_nothing_is_answered_with_an_unknown_identifier(mqtt, version):
    client = mqtt(version, acks=False)
    client.send(acknowledge(PUBREC, 4711))
    packet = client.expect(PUBREL)
    assert (packet.identifier, packet.reason) == (4711, PACKET_IDENTIFIER_NOT_FOUND)


@both
@clause("MQTT-4.3.3-4")
def test_a_pubrec_twice_does_no_harm(mqtt, version, topic):
    subscriber, (packet,) = heard(mqtt, version, topic)
    for _ in range(2):
        subscriber.acknowledge(packet)
        assert subscriber.expect(PUBREL).identifier == packet.identifier
    subscriber.send(acknowledge(PUBCOMP, packet.identifier))
    subscriber.acks = True
    subscriber.publish(topic, "next", qos=2)
    assert subscriber.payloads() == ["next"]


@both
@clause("MQTT-4.3.3-4", "MQTT-4.9.0-2", "MQTT-4.6.0-5")
def test_a_burst_of_100_messages_arrives_whole(mqtt, version, topic):
    """A server that only moves its queue on at new publications stops after the first twenty."""
    subscriber = mqtt(version, **({"receive_maximum": 20} if version == V5 else {}))
    publisher = mqtt(version)
    subscriber.subscribe(topic, qos=2)
    for number in range(100):
        publisher.publish(topic, str(number), qos=2)
    found = [int(subscriber.message().payload) for _ in range(100)]
    assert found == list(range(100))
    assert subscriber.messages() == []


@both
@clause("MQTT-4.3.3-10", "MQTT-4.3.3-12", "MQTT-4.4.0-1", "MQTT-2.2.1-4")
def test_many_broken_connections_neither_lose_nor_double_a_message(mqtt, version, name, topic):
    subscriber = mqtt(version, name, keep=True, acks=False)
    subscriber.subscribe(topic, qos=2)
    publisher, got, open_exchanges = mqtt(version), [], set()

    def take(packet, finish):
        if packet.kind == PUBLISH:
            if packet.identifier not in open_exchanges:
                got.append(int(packet.payload))
            open_exchanges.add(packet.identifier)
            if finish % 3:
                subscriber.acknowledge(packet)
        elif packet.kind == PUBREL:
            open_exchanges.discard(packet.identifier)
            if finish % 2:
                subscriber.send(acknowledge(PUBCOMP, packet.identifier))

    for number in range(40):
        publisher.publish(topic, str(number), qos=2)
        subscriber.ping()
        while subscriber.inbox:
            take(subscriber.inbox.popleft(), number)
        if number % 5 == 4:
            subscriber.drop()
            subscriber = mqtt(version, name, clean=False, keep=True, acks=False)
    for _ in range(10):
        subscriber.settle()
        while subscriber.inbox:
            take(subscriber.inbox.popleft(), 1)
    assert got == list(range(40))
    assert not open_exchanges


@both
@clause("MQTT-2.2.1-4", "MQTT-4.3.3-10")
def test_65535_open_exchanges_do_not_hang(mqtt, version, topic):
    """A client without a word from its server on its limits may open them all (3.1.1), or as many as was said (5.0)."""
    client, other = mqtt(version), mqtt(version)
    count = client.connack.properties.get("receive_maximum", 65535)
    try:
        for at in range(1, count + 1, 1000):
            some = range(at, min(at + 1000, count + 1))
            client.send(b"".join(wire.publish(version, topic, qos=2, identifier=one) for one in some))
            if version == V5:
                assert [client.expect(PUBREC).identifier for _ in some] == list(some)
            else:
                client.expect_bytes(b"".join(acknowledge(PUBREC, one) for one in some))
        client.send(acknowledge(PUBREL, 1) + acknowledge(PUBREL, count))
        assert client.expect(PUBCOMP).identifier == 1
    except ConnectionError:
        assert version != V5, "closed within the receive maximum that it gave"
    other.publish(topic, qos=2)
