"""DISCONNECT: the last packet of either side."""

import pytest

from . import wire
from .clause import both, clause, only_5
from .wire import MALFORMED_PACKET, PROTOCOL_ERROR


@both
@clause("MQTT-3.14.4-1", "3.1.1: MQTT-3.14.4-1", "5.0 §3.14.4")
def test_the_server_closes_after_a_disconnect_and_says_nothing_more(mqtt, version):
    client = mqtt(version)
    client.send(wire.disconnect())
    assert client.closed() == []


@both
@clause("5.0 §3.14.4", "3.1.1: MQTT-3.14.4-2")
def test_what_follows_a_disconnect_is_not_processed(mqtt, version, topic):
    witness, client = mqtt(version), mqtt(version)
    witness.subscribe(topic)
    client.send(wire.disconnect() + wire.publish(version, topic, "must not be heard", qos=1, identifier=1))
    assert client.closed() == []
    assert witness.messages() == []


@only_5
@clause("MQTT-3.14.4-1", "MQTT-3.14.4-2", "MQTT-3.14.2-1", "MQTT-4.13.2-1", "MQTT-4.13.1-1")
def test_after_its_own_disconnect_the_server_sends_nothing_and_closes(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.send(wire.publish(version, topic, qos=3, identifier=1))
    client.send((wire.publish(version, topic) + wire.frame(wire.PINGREQ)) * 20)
    client.refused(MALFORMED_PACKET)


@only_5
@clause("MQTT-3.14.2-1")
@pytest.mark.parametrize("reason", [0x01, 0x8E, 0xFF], ids=hex)
def test_a_disconnect_with_a_reason_that_clients_have_not_closes(mqtt, version, reason):
    client = mqtt(version)
    client.send(wire.disconnect(reason))
    client.closed()


@only_5
@clause("5.0 §3.14.2.2")
def test_all_properties_of_disconnect_are_understood(mqtt, version):
    client = mqtt(version, keep=True)
    client.send(wire.disconnect(0x04, session_expiry_interval=5, reason_string="done", user_property=[("a", "b"), ("a", "b")]))
    assert client.closed() == []


@only_5
@clause("5.0 §3.14.2.2")
def test_a_property_twice_in_disconnect_is_a_protocol_error(mqtt, version):
    client = mqtt(version, keep=True)
    client.send(wire.disconnect(0, session_expiry_interval=[5, 5]))
    client.refused(PROTOCOL_ERROR, MALFORMED_PACKET)
