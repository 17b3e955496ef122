"""Sessions: what outlives a connection, for how long, and what does not."""

import time

import pytest

from . import wire
from .clause import both, clause, only_5, only_311
from .wire import CONNACK, PROTOCOL_ERROR, V5


@both
@clause("MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-3.1.3-2", "MQTT-3.1.2-23", "MQTT-3.1.4-4", "3.1.1: MQTT-3.1.2-4")
def test_a_kept_session_is_resumed_with_its_subscriptions(mqtt, version, name, topic):
    first = mqtt(version, name, keep=True)
    assert not first.connack.session_present
    first.subscribe(topic, qos=1)
    first.drop()
    again = mqtt(version, name, clean=False, keep=True)
    assert again.connack.session_present
    mqtt(version).publish(topic, "x", qos=1)
    assert again.payloads() == ["x"]


@both
@clause("MQTT-3.1.2-6", "MQTT-3.2.2-3", "3.1.1: MQTT-3.2.2-3")
def test_without_a_session_a_new_one_is_created(mqtt, version, name):
    assert not mqtt(version, name, clean=False, keep=True).connack.session_present


@both
@clause("MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-3.1.4-4", "3.1.1: MQTT-3.1.2-6", "3.1.1: MQTT-3.2.2-1")
def test_a_clean_start_discards_the_session(mqtt, version, name, topic):
    first = mqtt(version, name, keep=True)
    first.subscribe(topic, qos=1)
    first.drop()
    mqtt(version).publish(topic, "queued", qos=1)
    clean = mqtt(version, name, clean=True)
    assert not clean.connack.session_present
    mqtt(version).publish(topic, "later", qos=1)
    assert clean.messages() == []
    clean.disconnect()
    again = mqtt(version, name, clean=False, keep=True)
    assert not again.connack.session_present
    assert again.messages() == []


@only_311
@clause("3.1.1: MQTT-3.1.2-6", "3.1.1: MQTT-4.1.0-2")
def test_a_clean_session_keeps_nothing_after_its_connection(mqtt, version, name, topic):
    first = mqtt(version, name)
    first.subscribe(topic, qos=1)
    first.disconnect()
    mqtt(version).publish(topic, "lost", qos=1)
    again = mqtt(version, name, keep=True)
    assert not again.connack.session_present and again.messages() == []


@only_5
@clause("MQTT-4.1.0-2", "5.0 §3.1.2.11.2")
def test_a_session_without_an_expiry_interval_ends_with_its_connection(mqtt, version, name, topic):
    first = mqtt(version, name)
    first.subscribe(topic, qos=1)
    first.disconnect()
    assert not mqtt(version, name, clean=False).connack.session_present


@only_5
@clause("MQTT-4.1.0-2", "MQTT-4.1.0-1", "MQTT-3.1.2-23")
def test_a_session_lasts_as_long_as_its_expiry_interval_from_the_close_on(mqtt, version, name, topic):
    first = mqtt(version, name, session_expiry_interval=1)
    first.subscribe(topic, qos=1)
    time.sleep(1.2)  # an open connection keeps its session
    first.drop()
    second = mqtt(version, name, clean=False, session_expiry_interval=1)
    assert second.connack.session_present
    second.drop()
    time.sleep(2.1)
    assert not mqtt(version, name, clean=False).connack.session_present


@only_5
@clause("5.0 §3.1.2.11.2")
def test_a_session_may_never_expire(mqtt, version, name):
    mqtt(version, name, session_expiry_interval=0xFFFFFFFF).disconnect()
    assert mqtt(version, name, clean=False, session_expiry_interval=60).connack.session_present


@only_5
@clause("5.0 §3.14.2.2.2")
def test_disconnect_may_end_a_session_at_once(mqtt, version, name):
    mqtt(version, name, keep=True).disconnect(0, session_expiry_interval=0)
    assert not mqtt(version, name, clean=False).connack.session_present


@only_5
@clause("5.0 §3.14.2.2.2")
def test_disconnect_without_an_expiry_interval_leaves_that_of_connect(mqtt, version, name):
    mqtt(version, name, keep=True).disconnect(0)
    assert mqtt(version, name, clean=False).connack.session_present


@only_5
@clause("5.0 §3.14.2.2.2")
def test_disconnect_may_lengthen_an_expiry_interval_that_was_not_zero(mqtt, version, name):
    mqtt(version, name, session_expiry_interval=1).disconnect(0, session_expiry_interval=60)
    time.sleep(1.5)
    assert mqtt(version, name, clean=False).connack.session_present


@only_5
@clause("5.0 §3.14.2.2.2")
def test_disconnect_must_not_raise_an_expiry_interval_of_zero(mqtt, version, name):
    client = mqtt(version, name)
    client.send(wire.disconnect(0, session_expiry_interval=60))
    client.refused(PROTOCOL_ERROR)
    assert not mqtt(version, name, clean=False).connack.session_present


@both
@clause("MQTT-4.5.0-1", "MQTT-4.6.0-5", "3.1.1: MQTT-3.1.2-5", "3.1.1: MQTT-4.1.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_messages_for_an_absent_session_wait_in_order(mqtt, version, name, topic, qos):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic + "/#", qos=qos)
    client.disconnect()
    publisher = mqtt(version)
    for number in range(30):
        publisher.publish(f"{topic}/{number % 3}", str(number), qos=qos)
    again = mqtt(version, name, clean=False, keep=True)
    found = again.messages()
    assert [int(packet.payload) for packet in found] == list(range(30))
    assert {(packet.qos, packet.dup, packet.retain) for packet in found} == {(qos, False, False)}


@both
@clause("MQTT-3.2.0-1")
def test_the_connack_comes_before_the_messages_of_a_resumed_session(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, qos=1)
    client.disconnect()
    mqtt(version).publish(topic, "queued", qos=1)
    again = mqtt.raw(version)
    again.send(wire.connect(version, name, clean=False, **({"session_expiry_interval": 60} if version == V5 else {})))
    assert again.receive().kind == CONNACK
    assert again.receive().payload == b"queued"


@both
@clause("MQTT-3.1.2-5", "MQTT-3.1.4-3")
def test_a_session_taken_over_goes_on(mqtt, version, name, topic):
    old = mqtt(version, name, keep=True, acks=False)
    old.subscribe(topic, qos=1)
    publisher = mqtt(version)
    publisher.publish(topic, "one", qos=1)
    old.message()
    new = mqtt(version, name, clean=False, keep=True)
    assert new.connack.session_present
    publisher.publish(topic, "two", qos=1)
    assert new.payloads() == ["one", "two"]


@both
@clause("MQTT-3.1.2-5", "MQTT-3.10.4-1")
def test_what_was_unsubscribed_stays_so_in_a_resumed_session(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, topic + "/other", qos=1)
    client.unsubscribe(topic)
    client.drop()
    again = mqtt(version, name, clean=False, keep=True)
    publisher = mqtt(version)
    publisher.publish(topic, "gone", qos=1)
    publisher.publish(topic + "/other", "kept", qos=1)
    assert again.payloads() == ["kept"]


@both
@clause("MQTT-3.1.2-5", "MQTT-3.8.4-8")
def test_the_qos_and_options_of_a_subscription_survive(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe((topic, 0x0D if version == V5 else 1))  # QoS 1, No Local, Retain As Published
    client.drop()
    again = mqtt(version, name, clean=False, keep=True)
    again.retained.add(topic)
    again.publish(topic, "own", qos=2)
    mqtt(version).publish(topic, "of another", qos=2, retain=True)
    found = [(packet.payload, packet.qos, packet.retain) for packet in again.messages()]
    assert found == ([(b"of another", 1, True)] if version == V5 else [(b"own", 1, False), (b"of another", 1, False)])


@only_5
@clause("MQTT-3.1.2-5", "MQTT-3.3.4-3")
def test_subscription_identifiers_survive(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, subscription_identifier=77)
    client.drop()
    again = mqtt(version, name, clean=False, keep=True)
    mqtt(version).publish(topic, "x")
    assert [packet.properties.get("subscription_identifier") for packet in again.messages()] == [[77]]


@both
@clause("3.1.1: MQTT-3.1.2-7", "5.0 §4.1")
def test_retained_messages_are_no_part_of_a_session(mqtt, version, name, topic):
    client = mqtt(version, name)
    client.publish(topic, "stays", qos=1, retain=True)
    client.disconnect()
    mqtt(version, name).disconnect()
    reader = mqtt(version)
    reader.subscribe(topic)
    assert reader.payloads() == ["stays"]


@both
@clause("MQTT-3.1.3-2")
def test_sessions_of_different_client_identifiers_do_not_mix(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, qos=1)
    client.drop()
    other = mqtt(version, name.upper(), keep=True)
    assert not other.connack.session_present
    mqtt(version).publish(topic, "x", qos=1)
    assert other.messages() == []


@both
@clause("3.1.1: MQTT-3.2.2-2", "MQTT-3.2.2-3")
def test_a_session_without_subscriptions_is_a_session_too(mqtt, version, name):
    mqtt(version, name, keep=True).disconnect()
    assert mqtt(version, name, clean=False, keep=True).connack.session_present
