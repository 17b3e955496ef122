"""Wills: published at every end of a connection but the orderly one, when their delay is over."""

import time

import pytest

from . import wire
from .clause import both, clause, only_5
from .client import unique
from .wire import DISCONNECT_WITH_WILL, V5, Will


def witness_of(mqtt, version, topic, **options):
    witness = mqtt(version)
    witness.subscribe(topic, qos=2, **options)
    return witness


@both
@clause("MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-14")
def test_a_will_is_published_when_the_connection_breaks(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic, b"gone")).drop()
    packet = witness.message()
    assert (packet.topic, packet.payload, packet.retain) == (topic, b"gone", False)


@both
@clause("MQTT-3.1.2-12", "3.1.1: MQTT-3.1.2-9")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_will_has_the_qos_of_its_flags(mqtt, version, topic, qos):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic, qos=qos)).drop()
    assert witness.message().qos == qos


@both
@clause("MQTT-3.14.4-3", "MQTT-3.1.2-10")
def test_an_orderly_disconnect_discards_the_will(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic)).disconnect()
    assert witness.messages() == []


@only_5
@clause("MQTT-3.1.2-8", "5.0 §3.14.2.1")
@pytest.mark.parametrize("reason", [DISCONNECT_WITH_WILL, 0x80, 0x81, 0x93], ids=hex)
def test_a_disconnect_with_another_reason_publishes_the_will(mqtt, version, topic, reason):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic)).disconnect(reason)
    assert witness.message().payload == b"will"


@both
@clause("MQTT-3.1.2-8")
def test_a_protocol_error_publishes_the_will(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    client = mqtt(version, will=Will(topic))
    client.send(wire.publish(version, "a/#"))
    client.closed()
    assert witness.message().payload == b"will"


@both
@clause("MQTT-3.1.2-8", "MQTT-3.1.2-22")
def test_the_end_of_the_keep_alive_publishes_the_will(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic), keep_alive=1)
    assert witness.message(timeout=8).payload == b"will"


@both
@clause("MQTT-3.1.2-8", "MQTT-3.1.4-3")
def test_take_over_publishes_the_will_of_the_old_connection(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, b"old"))
    mqtt(version, name)
    assert witness.message().payload == b"old"


@both
@clause("MQTT-3.1.2-10")
def test_a_published_will_is_not_published_again(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, b"once"), keep=True).drop()
    assert witness.message().payload == b"once"
    mqtt(version, name, clean=False, keep=True).drop()
    mqtt(version).publish(topic, "marker", qos=1)
    assert witness.message().payload == b"marker"


@both
@clause("MQTT-3.1.2-15")
def test_a_will_with_retain_is_retained(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    client = mqtt(version, will=Will(topic, b"state", retain=True))
    client.retained.add(topic)
    client.drop()
    assert not witness.message().retain
    late = witness_of(mqtt, version, topic)
    packet = late.message()
    assert (packet.payload, packet.retain) == (b"state", True)


@both
@clause("MQTT-3.1.2-14")
def test_a_will_without_retain_is_not_retained(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic)).drop()
    witness.message()
    assert witness_of(mqtt, version, topic).messages() == []


@both
@clause("3.1.1: MQTT-3.1.2-12", "5.0 §3.1.2.5")
def test_without_the_will_flag_nothing_is_published(mqtt, version, topic):
    witness = witness_of(mqtt, version, "conformance/#")
    mqtt(version, will=None).drop()
    mqtt(version).publish(topic, "marker")
    assert [packet for packet in witness.messages() if packet.topic == topic and packet.payload != b"marker"] == []


@both
@clause("5.0 §4.7.1", "MQTT-4.7.0-1")
@pytest.mark.parametrize("bad", ["a/#", "+", ""])
def test_a_will_topic_that_is_no_topic_name_is_refused(mqtt, version, bad):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), will=Will(bad)))
    assert all(packet.reason for packet in client.closed())


@both
@clause("MQTT-3.1.2-8")
def test_a_will_of_a_refused_connection_is_never_published(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    client = mqtt.raw(version)
    if version == V5:
        client.send(wire.connect(version, unique(), will=Will(topic), authentication_method="nobody knows this"))
    else:
        client.send(wire.connect(version, "", clean=False, will=Will(topic)))
    client.closed()
    assert witness.messages() == []


@both
@clause("5.0 §3.1.3.4", "3.1.1 §3.1.3.3")
def test_a_will_may_be_empty(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, will=Will(topic, b"")).drop()
    assert witness.message().payload == b""


# -- 5.0: delay and properties --------------------------------------------------------------------


@only_5
@clause("MQTT-3.1.2-8")
def test_a_will_waits_for_its_delay(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 1}), keep=True).drop()
    started = time.monotonic()
    assert witness.messages() == []
    assert "will_delay_interval" not in witness.message().properties
    assert 0.8 < time.monotonic() - started < 2.5


@only_5
@clause("MQTT-3.1.3-9")
def test_a_reconnection_in_time_cancels_a_delayed_will(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 1}), keep=True).drop()
    again = mqtt(version, name, clean=False, keep=True)
    assert again.connack.session_present
    time.sleep(1.5)
    assert witness.messages() == []


@only_5
@clause("MQTT-3.1.3-9", "MQTT-3.1.4-3")
def test_take_over_in_time_cancels_a_delayed_will(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    old = mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 1}), keep=True)
    mqtt(version, name, clean=False, keep=True)
    old.closed()
    time.sleep(1.5)
    assert witness.messages() == []


@only_5
@clause("MQTT-3.1.2-8")
def test_the_end_of_the_session_does_not_wait_for_the_delay(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, b"at the close", properties={"will_delay_interval": 60})).drop()
    assert witness.message().payload == b"at the close"
    mqtt(version, name, will=Will(topic, b"at the expiry", properties={"will_delay_interval": 60}),
         session_expiry_interval=1).drop()
    assert witness.messages() == []
    assert witness.message().payload == b"at the expiry"


@only_5
@clause("MQTT-3.1.2-8", "MQTT-3.1.2-4")
def test_a_clean_start_ends_the_session_and_so_publishes_its_will(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 60}), keep=True).drop()
    assert witness.messages() == []
    mqtt(version, name, clean=True)
    assert witness.message().payload == b"will"


@only_5
@clause("MQTT-3.1.2-8", "5.0 §3.14.2.2.2")
def test_a_disconnect_with_will_that_ends_the_session_does_not_wait(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    client = mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 60}), keep=True)
    client.disconnect(DISCONNECT_WITH_WILL, session_expiry_interval=0)
    assert witness.message().payload == b"will"


@only_5
@clause("MQTT-3.1.2-8", "MQTT-3.14.4-3")
def test_a_disconnect_with_will_waits_for_the_delay(mqtt, version, name, topic):
    witness = witness_of(mqtt, version, topic)
    client = mqtt(version, name, will=Will(topic, properties={"will_delay_interval": 1}), keep=True)
    client.disconnect(DISCONNECT_WITH_WILL)
    assert witness.messages() == []
    assert witness.message().payload == b"will"


@only_5
@clause("MQTT-3.1.3-10", "MQTT-3.1.2-9")
def test_the_properties_of_a_will_are_those_of_its_message(mqtt, version, topic):
    witness = witness_of(mqtt, version, topic)
    users = [("z", "1"), ("a", "2"), ("z", "3"), ("z", "1")]
    given = {
        "payload_format_indicator": 1, "message_expiry_interval": 100, "content_type": "text/plain",
        "response_topic": "answers/here", "correlation_data": b"\0\xff\1", "user_property": users}
    mqtt(version, will=Will(topic, properties=given)).drop()
    found = dict(witness.message().properties)
    assert 98 <= found.pop("message_expiry_interval") <= 100
    assert [pair for pair in found.pop("user_property") if pair in users] == users
    assert found == {key: value for key, value in given.items() if key not in ("message_expiry_interval", "user_property")}


@only_5
@clause("5.0 §3.1.3.2")
@pytest.mark.parametrize("name_of, value", [("will_delay_interval", 1), ("content_type", "a"), ("payload_format_indicator", 1)])
def test_a_will_property_twice_is_a_protocol_error(mqtt, version, topic, name_of, value):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), will=Will(topic, properties={name_of: [value, value]})))
    assert all(packet.reason in (0x81, 0x82) for packet in client.closed())
