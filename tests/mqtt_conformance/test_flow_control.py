"""Receive maximum and maximum packet size, both ways."""

import pytest

from . import wire
from .clause import both, clause, only_5
from .client import unique
from .wire import (CONNACK, PACKET_TOO_LARGE, PUBCOMP, PUBLISH, PUBREC, PUBREL, RECEIVE_MAXIMUM_EXCEEDED, V5, acknowledge)


def flooded(mqtt, topic, maximum, qos=1, count=10, name=None, **more):
    """A subscriber that acknowledges by hand, with `count` messages published for it, and the packets that came."""
    subscriber, publisher = mqtt(V5, name, acks=False, receive_maximum=maximum, **more), mqtt(V5)
    subscriber.subscribe(topic, qos=qos)
    for number in range(count):
        publisher.publish(topic, str(number), qos=qos)
    return subscriber, subscriber.messages()


@only_5
@clause("MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2")
@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("maximum", [1, 3, 10])
def test_the_server_sends_no_more_than_the_receive_maximum_unacknowledged(mqtt, version, topic, qos, maximum):
    _, found = flooded(mqtt, topic, maximum, qos)
    assert [int(packet.payload) for packet in found] == list(range(maximum))


@only_5
@clause("MQTT-4.9.0-2", "MQTT-3.3.4-9")
def test_each_puback_frees_one_place(mqtt, version, topic):
    subscriber, found = flooded(mqtt, topic, 2)
    for number in range(2, 10):
        subscriber.acknowledge(found.pop(0), reason=0x80 if number % 2 else None)
        found += subscriber.messages()
        assert int(found[-1].payload) == number and len(found) == 2


@only_5
@clause("MQTT-4.9.0-2", "MQTT-3.3.4-9")
def test_pubcomp_and_an_erroneous_pubrec_free_a_place_and_a_pubrec_does_not(mqtt, version, topic):
    subscriber, found = flooded(mqtt, topic, 1, 2, count=3)
    subscriber.acknowledge(found[0])
    assert subscriber.messages() == []
    assert subscriber.expect(PUBREL)
    subscriber.send(acknowledge(PUBCOMP, found[0].identifier))
    (second,) = subscriber.messages()
    subscriber.acknowledge(second, reason=0x83)
    (third,) = subscriber.messages()
    assert [packet.payload for packet in (second, third)] == [b"1", b"2"]


@only_5
@clause("MQTT-3.3.4-10", "MQTT-4.9.0-3", "MQTT-3.3.4-9")
def test_everything_but_messages_flows_when_the_quota_is_used_up(mqtt, version, topic):
    """A message of QoS 0 may wait behind those of QoS 1 and 2: a receiver of changes hears them in order."""
    subscriber, found = flooded(mqtt, topic, 1, 2)
    subscriber.ping()
    subscriber.subscribe(topic + "/low", qos=0)
    subscriber.publish(topic + "/nobody", qos=2)
    subscriber.unsubscribe(topic + "/low")
    subscriber.acknowledge(found[0])
    assert subscriber.expect(PUBREL)


@only_5
@clause("MQTT-4.9.0-1", "MQTT-4.4.0-1", "MQTT-3.3.4-9")
def test_the_quota_is_fresh_on_each_connection(mqtt, version, name, topic):
    subscriber, found = flooded(mqtt, topic, 2, name=name, keep=True)
    subscriber.drop()
    again = mqtt(version, name, clean=False, keep=True, acks=False, receive_maximum=5)
    resent = again.messages()
    assert [int(packet.payload) for packet in resent] == list(range(5))
    assert [packet.dup for packet in resent] == [True, True, False, False, False]
    again.drop()
    third = mqtt(version, name, clean=False, keep=True, acks=False, receive_maximum=1)
    assert [(packet.payload, packet.identifier) for packet in third.messages()] == [(b"0", found[0].identifier)]


@only_5
@clause("MQTT-3.3.4-9")
def test_pubrels_sent_again_count_against_the_quota(mqtt, version, name, topic):
    subscriber, found = flooded(mqtt, topic, 2, 2, name=name, keep=True)
    for packet in found:
        subscriber.acknowledge(packet)
        subscriber.expect(PUBREL)
    subscriber.drop()
    again = mqtt(version, name, clean=False, keep=True, acks=False, receive_maximum=2)
    again.settle()
    assert [packet.kind for packet in again.inbox].count(PUBREL) == 2
    assert [packet.kind for packet in again.inbox].count(PUBLISH) <= 2


@only_5
@clause("5.0 §3.3.4", "MQTT-4.13.1-1")
def test_a_client_above_the_receive_maximum_of_the_server_is_closed(mqtt, version, topic):
    client = mqtt(version)
    maximum = client.connack.properties.get("receive_maximum", 65535)
    if maximum == 65535:
        pytest.skip("there are no more packet identifiers than the server takes at once")
    for identifier in range(1, maximum + 2):
        client.send(wire.publish(version, topic, qos=2, identifier=identifier))
    client.refused(RECEIVE_MAXIMUM_EXCEEDED)


@only_5
@clause("5.0 §3.3.4", "MQTT-4.9.0-2")
def test_the_server_counts_exchanges_and_not_publishes(mqtt, version, topic):
    client = mqtt(version)
    maximum = min(client.connack.properties.get("receive_maximum", 65535), 100)
    for identifier in range(1, maximum + 1):
        client.send(wire.publish(version, topic, qos=2, identifier=identifier))
    for _ in range(maximum):
        client.expect(PUBREC)
    client.send(wire.publish(version, topic, qos=2, identifier=1, dup=True))  # known already, so no further one
    client.expect(PUBREC)
    client.send(acknowledge(PUBREL, 1))
    client.expect(PUBCOMP)
    client.send(wire.publish(version, topic, qos=2, identifier=1))
    client.expect(PUBREC)
    client.send(wire.publish(version, topic, qos=0))
    client.ping()


# -- maximum packet size --------------------------------------------------------------------------


@only_5
@clause("MQTT-3.1.2-24", "MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_too_large_for_a_client_is_not_sent_and_counts_as_sent(mqtt, version, topic, qos):
    small, large, publisher = mqtt(version, maximum_packet_size=200, receive_maximum=1), mqtt(version), mqtt(version)
    small.subscribe(topic, qos=qos)
    large.subscribe(topic, qos=qos)
    for payload in ("one", "x" * 300, "two", "y" * 300, "three"):
        publisher.publish(topic, payload, qos=qos)
    assert small.payloads() == ["one", "two", "three"]
    assert len(large.payloads()) == 5


@only_5
@clause("MQTT-3.1.2-24")
def test_the_maximum_packet_size_is_that_of_the_whole_packet(mqtt, version, topic):
    payload = b"x" * 100
    exact = len(wire.publish(version, topic, payload))
    fits, misses = mqtt(version, maximum_packet_size=exact), mqtt(version, maximum_packet_size=exact - 1)
    fits.subscribe(topic)
    misses.subscribe(topic)
    mqtt(version).publish(topic, payload)
    assert [packet.payload for packet in fits.messages()] == [payload]
    assert misses.messages() == []


@only_5
@clause("MQTT-3.1.2-25")
def test_a_queued_message_too_large_for_the_next_connection_is_not_sent(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, qos=1)
    client.disconnect()
    publisher = mqtt(version)
    for payload in ("one", "x" * 300, "two"):
        publisher.publish(topic, payload, qos=1)
    again = mqtt(version, name, clean=False, keep=True, maximum_packet_size=200)
    assert again.payloads() == ["one", "two"]


@only_5
@clause("MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3", "MQTT-3.7.2-2",
        "MQTT-3.7.2-3", "MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2", "MQTT-3.6.2-2", "MQTT-3.6.2-3")
@pytest.mark.parametrize("limit", [30, 64])
def test_reasons_and_user_properties_are_left_out_where_they_do_not_fit(mqtt, version, topic, limit):
    client = mqtt(version, maximum_packet_size=limit)
    client.subscribe(topic, topic + "/other", qos=2)  # each answer is held to the limit as it is read
    client.unsubscribe(topic, "none")
    client.publish("nobody/" + topic, qos=1)
    client.publish("nobody/" + topic, qos=2)
    client.send(acknowledge(PUBREL, 4711))
    assert client.expect(PUBCOMP).identifier == 4711
    client.acks = False
    client.send(acknowledge(PUBREC, 4711))
    assert client.expect(PUBREL).identifier == 4711


@only_5
@clause("MQTT-3.14.2-3", "MQTT-3.14.2-4", "MQTT-3.14.2-2", "MQTT-3.14.2-1")
@pytest.mark.parametrize("limit", [16, 30])
def test_a_disconnect_fits_as_well_and_carries_no_session_expiry(mqtt, version, topic, limit):
    client = mqtt.raw(version)
    try:
        client.connect(maximum_packet_size=limit, session_expiry_interval=60)
    except ConnectionError:
        return  # its CONNACK does not fit
    client.send(wire.publish(version, topic + "/#"))
    client.refused(wire.MALFORMED_PACKET, wire.PROTOCOL_ERROR, wire.TOPIC_NAME_INVALID)


@only_5
@clause("MQTT-3.2.2-19", "MQTT-3.2.2-20")
def test_a_connack_that_refuses_fits_as_well(mqtt, version):
    client = mqtt.raw(version)
    client.limit = 16
    client.send(wire.connect(version, unique(), maximum_packet_size=16, authentication_method="nobody knows this"))
    for packet in client.closed():
        assert packet.kind == CONNACK and packet.reason >= 0x80


@only_5
@clause("5.0 §3.2.2.3.6", "MQTT-4.13.1-1")
def test_a_packet_above_the_maximum_of_the_server_is_refused(mqtt, version, topic):
    client = mqtt(version)
    maximum = client.connack.properties.get("maximum_packet_size", 268_435_455)
    if maximum > 16 << 20:
        pytest.skip("the server takes larger packets than a test should send")
    client.send(wire.publish(version, topic, b"x" * maximum))
    client.refused(PACKET_TOO_LARGE)


@both
@clause("5.0 §2.1.4", "3.1.1 §2.2.3")
def test_a_huge_remaining_length_costs_the_server_nothing(mqtt, version, topic):
    clients = [mqtt(version) for _ in range(20)]
    for client in clients:
        client.send(bytes([PUBLISH << 4, 0xFF, 0xFF, 0xFF, 0x7F]) + wire.string(topic))
    mqtt(version).publish(topic, "still served")
