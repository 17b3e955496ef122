"""Enhanced authentication of 5.0: refused properly by a server that has no method."""

import pytest

from . import wire
from .clause import clause, doctors_own, only_5
from .client import unique
from .wire import AUTH, BAD_AUTHENTICATION_METHOD, CONNACK, CONTINUE_AUTHENTICATION, MALFORMED_PACKET, NOT_AUTHORIZED
from .wire import PROTOCOL_ERROR, RE_AUTHENTICATE


@only_5
@clause("MQTT-4.12.0-1", "MQTT-4.12.0-4", "MQTT-4.13.2-1", "MQTT-3.2.2-7")
@pytest.mark.parametrize("data", [None, b"", b"\0secret"])
def test_an_unknown_method_is_refused(mqtt, version, data):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), authentication_method="nobody knows this", authentication_data=data))
    found = client.closed()
    assert [(packet.kind, packet.reason) for packet in found] in (
        [(CONNACK, BAD_AUTHENTICATION_METHOD)], [(CONNACK, NOT_AUTHORIZED)])


@doctors_own
@only_5
@clause("MQTT-4.12.0-1")
def test_the_reason_for_an_unknown_method_is_that_it_is_unknown(mqtt, version):
    client = mqtt.raw(version)
    assert client.connect(authentication_method="SCRAM-SHA-1").reason == BAD_AUTHENTICATION_METHOD


@only_5
@clause("5.0 §3.1.2.11.10")
def test_authentication_data_without_a_method_is_a_protocol_error(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), authentication_data=b"x"))
    assert all(packet.reason in (MALFORMED_PACKET, PROTOCOL_ERROR) for packet in client.closed())


@only_5
@clause("MQTT-4.12.0-6")
def test_without_a_method_the_server_sends_neither_auth_nor_a_method(mqtt, version):
    client = mqtt(version, user="u", password="p")
    assert not {"authentication_method", "authentication_data"} & set(client.connack.properties)
    client.ping()
    assert AUTH not in [packet.kind for packet in client.inbox]


@only_5
@clause("MQTT-4.12.0-7", "MQTT-4.12.1-1", "MQTT-4.12.1-2")
@pytest.mark.parametrize("reason", [0, CONTINUE_AUTHENTICATION, RE_AUTHENTICATE], ids=hex)
def test_auth_of_a_client_that_connected_without_a_method_is_a_protocol_error(mqtt, version, reason):
    client = mqtt(version)
    client.send(wire.auth(reason, authentication_method="m"))
    client.refused(PROTOCOL_ERROR, MALFORMED_PACKET)


@only_5
@clause("MQTT-3.15.2-1")
@pytest.mark.parametrize("body", [b"\x17" + b"\0", b"\x18", b"\x18\0"], ids=["unknown reason", "no properties", "no method"])
def test_a_malformed_auth_closes(mqtt, version, body):
    client = mqtt(version)
    client.send(wire.frame(AUTH, body))
    client.refused(PROTOCOL_ERROR, MALFORMED_PACKET)


@only_5
@clause("MQTT-3.1.2-30", "MQTT-3.1.4-6")
def test_only_auth_may_follow_a_connect_with_a_method(mqtt, version, topic):
    witness, client = mqtt(version), mqtt.raw(version)
    witness.subscribe(topic)
    client.send(wire.connect(version, unique(), authentication_method="nobody knows this"))
    client.send(wire.publish(version, topic, "must not be heard") + wire.frame(wire.PINGREQ))
    assert {packet.kind for packet in client.closed()} <= {CONNACK}
    assert witness.messages() == []
