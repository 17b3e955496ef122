"""Message expiry of 5.0: the time left goes on with a message, and what expired is not delivered."""

import time

from . import wire
from .clause import clause, only_5
from .wire import PUBCOMP, PUBREL, acknowledge


@only_5
@clause("MQTT-3.3.2-6")
def test_a_message_sent_on_at_once_keeps_its_interval(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, "x", message_expiry_interval=100)
    assert client.message().properties["message_expiry_interval"] in (99, 100)


@only_5
@clause("MQTT-3.3.2-6")
def test_a_message_without_an_interval_gets_none(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, "x")
    assert "message_expiry_interval" not in client.message().properties


def absent(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, qos=2)
    client.disconnect()


@only_5
@clause("MQTT-3.3.2-5", "MQTT-3.3.2-6")
def test_queued_messages_expire_and_others_lose_the_time_they_waited(mqtt, version, name, topic):
    absent(mqtt, version, name, topic)
    publisher = mqtt(version)
    for qos in (1, 2):
        publisher.publish(topic, "short", qos=qos, message_expiry_interval=1)
        publisher.publish(topic, "long", qos=qos, message_expiry_interval=100)
        publisher.publish(topic, "for ever", qos=qos)
    time.sleep(2.1)
    found = mqtt(version, name, clean=False, keep=True).messages()
    assert [packet.payload for packet in found] == [b"long", b"for ever"] * 2
    assert found[0].properties["message_expiry_interval"] in (97, 98)


@only_5
@clause("MQTT-3.3.2-5", "MQTT-3.3.2-6")
def test_retained_messages_expire_and_others_lose_the_time_they_waited(mqtt, version, topic):
    publisher, late = mqtt(version), mqtt(version)
    publisher.publish(topic + "/short", retain=True, message_expiry_interval=1)
    publisher.publish(topic + "/long", "x", retain=True, message_expiry_interval=100)
    publisher.publish(topic + "/short", "x", retain=True, message_expiry_interval=1)
    time.sleep(2.1)
    late.subscribe(topic + "/+")
    (packet,) = late.messages()
    assert packet.topic == topic + "/long"
    assert packet.properties["message_expiry_interval"] in (97, 98)


@only_5
@clause("MQTT-3.3.2-5")
def test_a_message_that_waits_for_the_receive_maximum_expires(mqtt, version, topic):
    subscriber, publisher = mqtt(version, acks=False, receive_maximum=1), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    publisher.publish(topic, "sent", qos=1, message_expiry_interval=1)
    publisher.publish(topic, "waits", qos=1, message_expiry_interval=1)
    publisher.publish(topic, "lasts", qos=1)
    packet = subscriber.message()
    time.sleep(2.1)
    subscriber.acknowledge(packet)
    assert subscriber.message().payload == b"lasts"


@only_5
@clause("MQTT-4.3.3-7", "MQTT-4.3.3-13")
def test_qos_2_exchanges_that_have_begun_complete_after_the_expiry(mqtt, version, name, topic):
    client, publisher = mqtt(version, name, keep=True, acks=False), mqtt(version)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, "acknowledged", qos=2, message_expiry_interval=1)
    publisher.publish(topic, "sent", qos=2, message_expiry_interval=1)
    acknowledged, sent = client.message(), client.message()
    client.acknowledge(acknowledged)
    client.expect(PUBREL)
    client.drop()
    time.sleep(2.1)
    again = mqtt(version, name, clean=False, keep=True, acks=False)
    found = again.message()
    assert (found.payload, found.identifier, found.dup) == (b"sent", sent.identifier, True)
    assert again.expect(PUBREL).identifier == acknowledged.identifier
    again.acknowledge(found)
    assert again.expect(PUBREL).identifier == sent.identifier
    for packet in (acknowledged, sent):
        again.send(acknowledge(PUBCOMP, packet.identifier))
    again.settle()
    assert not again.inbox


@only_5
@clause("MQTT-4.3.3-13")
def test_the_server_completes_an_exchange_of_an_expired_message(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.publish(version, topic, "x", qos=2, identifier=1, message_expiry_interval=1))
    client.expect(wire.PUBREC)
    time.sleep(1.2)
    client.send(acknowledge(PUBREL, 1))
    assert client.expect(PUBCOMP).reason == 0
