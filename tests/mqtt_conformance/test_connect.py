"""CONNECT and CONNACK: the first packets of a connection."""

import string

import pytest

from . import wire
from .clause import both, clause, doctors_own, only_5, only_311
from .client import unique
from .wire import (BAD_AUTHENTICATION_METHOD, CONNACK, MALFORMED_PACKET, PROTOCOL_ERROR, SESSION_TAKEN_OVER,
                   UNSUPPORTED_PROTOCOL_VERSION, V5, V311, Will)

EITHER = (MALFORMED_PACKET, PROTOCOL_ERROR)


def refused_at_connect(client, *reasons):
    """The server closes; before that at most a CONNACK with one of the reasons, never a DISCONNECT."""
    found = client.closed()
    assert len(found) <= 1
    for packet in found:
        assert packet.kind == CONNACK and packet.reason in reasons, packet
    return found


@both
@clause("MQTT-3.1.0-1", "MQTT-3.14.0-1")
@pytest.mark.parametrize("first", ["PUBLISH", "SUBSCRIBE", "PINGREQ", "DISCONNECT"])
def test_a_first_packet_other_than_connect_closes_without_a_word(mqtt, version, topic, first):
    client = mqtt.raw(version)
    client.send({
        "PUBLISH": wire.publish(version, topic), "SUBSCRIBE": wire.subscribe(version, 1, [(topic, 0)]),
        "PINGREQ": wire.frame(wire.PINGREQ), "DISCONNECT": wire.disconnect()}[first])
    assert client.closed() == []


@only_5
@clause("MQTT-3.1.0-1", "MQTT-3.14.0-1")
def test_auth_as_first_packet_closes_without_a_word(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.auth(wire.CONTINUE_AUTHENTICATION, authentication_method="m"))
    assert client.closed() == []


@both
@clause("MQTT-3.1.0-2")
def test_a_second_connect_closes(mqtt, version):
    client = mqtt(version)
    client.send(wire.connect(version, client.client_id))
    client.refused(PROTOCOL_ERROR)


@both
@clause("MQTT-3.1.2-1")
@pytest.mark.parametrize("protocol", ["", "mqtt", "MQTT ", "MQTTT", "HTTP", b"MQT\xff"])
def test_a_wrong_protocol_name_closes(mqtt, version, protocol):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), name=protocol))
    refused_at_connect(client, UNSUPPORTED_PROTOCOL_VERSION, *EITHER, 1)


@clause("MQTT-3.1.2-2", "3.1.1: MQTT-3.1.2-2")
@pytest.mark.parametrize("level", [0, 1, 2, 3, 6, 7, 0x83, 0xFF])
def test_an_unknown_protocol_version_is_told_so_and_closed(mqtt, level):
    client = mqtt.raw(V311)
    client.send(wire.connect(V5 if level in (6, 7) else V311, unique(), level=level))
    got = b""
    while more := client.stream.receive(3):
        got += more
    assert more == b"", "not closed"
    assert got[:1] == b"\x20" and got[3] in (0x01, 0x84), f"no CONNACK but {got!r}"


@doctors_own
@clause("3.1.1 §3.1.2.2")
def test_a_client_of_version_3_1_is_served_or_told_that_it_is_not(mqtt):
    client = mqtt.raw(V311)
    client.send(wire.connect(V311, unique(), name="MQIsdp", level=3))
    answer = client.expect(CONNACK)
    assert answer.reason in (0, 1)
    if answer.reason:
        client.closed()
    else:
        client.ping()


@both
@clause("MQTT-3.1.2-3")
def test_the_reserved_connect_flag_closes(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), flags=3))
    refused_at_connect(client, *EITHER)


@both
@clause("MQTT-3.1.2-11", "MQTT-3.1.2-13", "3.1.1: MQTT-3.1.2-11")
@pytest.mark.parametrize("flags", [0x0A, 0x12, 0x22], ids=["QoS 1", "QoS 2", "retain"])
def test_will_qos_or_retain_without_the_will_flag_closes(mqtt, version, flags):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), flags=flags))
    refused_at_connect(client, *EITHER)


@both
@clause("MQTT-3.1.2-12")
def test_will_qos_3_closes(mqtt, version, topic):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), will=Will(topic, qos=3)))
    refused_at_connect(client, *EITHER)


@only_311
@clause("3.1.1: MQTT-3.1.2-22")
def test_a_password_without_a_user_name_closes(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), password="p"))
    refused_at_connect(client)


@only_5
@clause("5.0 §3.1.2.9")
def test_a_password_without_a_user_name_is_well_formed(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), password="p"))
    assert client.expect(CONNACK).reason not in EITHER


@both
@clause("MQTT-3.1.2-9", "MQTT-3.1.2-17", "MQTT-3.1.2-19", "MQTT-3.1.4-1")
@pytest.mark.parametrize("flags", [0x06, 0x82, 0xC2], ids=["will", "user name", "user name and password"])
def test_a_field_that_its_flag_announces_must_be_there(mqtt, version, flags):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), flags=flags))
    refused_at_connect(client, *EITHER)


@both
@clause("MQTT-3.1.2-16", "MQTT-3.1.2-18", "MQTT-3.1.4-1", "3.1.1: MQTT-3.1.2-11")
@pytest.mark.parametrize("more", [
    pytest.param({"user": "u", "flags": 0x02}, id="user name"),
    pytest.param({"user": "u", "password": "p", "flags": 0x82}, id="password"),
    pytest.param({"will": Will("t"), "flags": 0x02}, id="will"), pytest.param({"after": b"\0"}, id="a byte")])
def test_a_field_that_no_flag_announces_closes(mqtt, version, more):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), **more))
    refused_at_connect(client, *EITHER)


@both
@clause("MQTT-3.1.3-1", "MQTT-3.1.3-3")
def test_the_fields_of_the_payload_are_read_in_their_order(mqtt, version, topic):
    witness = mqtt(version)
    witness.subscribe(topic)
    client = mqtt(version, will=Will(topic, b"the will"), user="user", password="password")
    client.drop()
    assert witness.message().payload == b"the will"


@both
@clause("MQTT-3.1.3-5")
@pytest.mark.parametrize("client_id", [
    "a", "Z", "0", string.ascii_lowercase[:23], string.ascii_uppercase[:23], string.digits + "abcXYZ",
    string.ascii_lowercase[23:] + string.ascii_uppercase[23:]])
def test_client_identifiers_of_23_letters_and_digits_are_allowed(mqtt, version, client_id):
    mqtt(version, client_id).ping()


@only_5
@clause("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16", "MQTT-3.2.2-2")
def test_an_empty_client_identifier_is_answered_with_one_of_its_own(mqtt, version, topic):
    first, second = mqtt(version, "", keep=True), mqtt(version, "")
    assigned = first.connack.properties["assigned_client_identifier"]
    assert assigned and assigned != second.connack.properties["assigned_client_identifier"]
    assert not first.connack.session_present
    first.subscribe(topic, qos=1)
    first.drop()
    again = mqtt(version, assigned, clean=False, keep=True)
    assert again.connack.session_present
    mqtt(version).publish(topic, "x", qos=1)
    assert again.payloads() == ["x"]


@only_5
@clause("5.0 §3.2.2.3.7")
def test_a_client_that_brings_an_identifier_is_assigned_none(mqtt, version):
    assert "assigned_client_identifier" not in mqtt(version).connack.properties


@only_311
@clause("3.1.1: MQTT-3.1.3-6", "3.1.1: MQTT-3.1.3-7")
def test_empty_client_identifiers_with_clean_session_do_not_meet(mqtt, version):
    first, second = mqtt(version, ""), mqtt(version, "")
    first.ping()
    second.ping()


@only_311
@clause("3.1.1: MQTT-3.1.3-8", "3.1.1: MQTT-3.1.3-9", "3.1.1: MQTT-3.2.2-4", "3.1.1: MQTT-3.2.2-5")
def test_an_empty_client_identifier_with_a_kept_session_is_refused(mqtt, version):
    client = mqtt.raw(version)
    assert client.connect("", keep=True).reason == 2
    assert client.closed() == []


@both
@clause("MQTT-3.1.3-8", "3.1.1: MQTT-3.1.3-9", "3.1.1: MQTT-3.2.2-6")
def test_an_identifier_too_long_for_the_server_is_refused_as_such(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, "x" * 1000) + wire.frame(wire.PINGREQ))
    packet = client.receive()
    assert packet.kind == CONNACK
    if packet.reason:
        assert packet.reason == (0x85 if version == V5 else 2)
        assert client.closed() == []


# -- acceptance -----------------------------------------------------------------------------------


@both
@clause("MQTT-3.1.4-5", "MQTT-3.2.0-1", "MQTT-3.2.0-2", "MQTT-3.2.2-1", "MQTT-3.2.2-8", "3.1.1: MQTT-3.1.4-4")
def test_connect_is_answered_by_one_connack_before_anything_else(mqtt, version, topic):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique()) + wire.frame(wire.PINGREQ) + wire.subscribe(version, 1, [(topic, 0)]))
    found = [client.receive() for _ in range(3)]
    assert [packet.kind for packet in found] == [CONNACK, wire.PINGRESP, wire.SUBACK]
    assert found[0].reason == 0
    assert client.messages() == [] and not client.inbox


@both
@clause("MQTT-3.1.4-3", "3.1.1: MQTT-3.1.4-2")
def test_a_client_identifier_that_connects_again_takes_over(mqtt, version, name):
    old = mqtt(version, name)
    new = mqtt(version, name)
    old.refused(SESSION_TAKEN_OVER)
    new.ping()


@clause("MQTT-3.1.4-3", "3.1.1: MQTT-3.1.4-2")
@pytest.mark.parametrize("older, newer", [(V311, V5), (V5, V311)], ids=["from 3.1.1", "from 5.0"])
def test_take_over_works_across_versions(mqtt, older, newer, name):
    old = mqtt(older, name)
    new = mqtt(newer, name)
    old.refused(SESSION_TAKEN_OVER)
    new.ping()


@clause("MQTT-3.1.4-6", "MQTT-3.1.4-2", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-4.13.2-1", "3.1.1: MQTT-3.1.4-5")
@both
def test_nothing_that_follows_a_refused_connect_is_processed(mqtt, version, topic):
    witness, client = mqtt(version), mqtt.raw(version)
    witness.subscribe(topic)
    if version == V5:
        refused = wire.connect(version, unique(), authentication_method="nobody knows this")
    else:
        refused = wire.connect(version, "", clean=False)
    client.send(refused + wire.publish(version, topic, "must not be heard", qos=1, identifier=1) + wire.frame(wire.PINGREQ))
    assert len(refused_at_connect(client, BAD_AUTHENTICATION_METHOD, wire.NOT_AUTHORIZED, 2)) == 1
    assert witness.messages() == []


@only_5
@clause("5.0 §3.1.2.11.3", "5.0 §3.1.2.11.4", "MQTT-3.1.4-2")
@pytest.mark.parametrize("which", ["receive_maximum", "maximum_packet_size"])
def test_a_maximum_of_zero_is_a_protocol_error(mqtt, version, which):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), **{which: 0}))
    refused_at_connect(client, *EITHER)


@only_5
@clause("MQTT-3.1.2-28")
@pytest.mark.parametrize("asked", [None, 0])
def test_response_information_is_not_returned_unasked(mqtt, version, asked):
    assert "response_information" not in mqtt(version, request_response_information=asked).connack.properties


@only_5
@clause("MQTT-3.1.2-29")
def test_without_problem_information_no_acknowledgement_carries_reasons_or_user_properties(mqtt, version, topic):
    client = mqtt(version, request_problem_information=0)
    answers = [client.subscribe(topic, qos=2), client.unsubscribe(topic)]
    answers += [client.publish(topic, qos=1), client.publish(topic, qos=2)]
    client.send(wire.acknowledge(wire.PUBREL, 777))
    answers.append(client.expect(wire.PUBCOMP))
    assert [answer.properties for answer in answers] == [{}] * 5


@only_5
@clause("MQTT-3.2.2-9", "MQTT-3.2.2-10", "MQTT-3.2.2-12")
def test_a_server_with_a_maximum_qos_keeps_to_it(mqtt, version, topic):
    client = mqtt(version)
    limit = client.connack.properties.get("maximum_qos", 2)
    for qos in range(3):
        assert client.subscribe(topic, qos=qos).reasons[0] <= min(qos, limit)
    for qos in range(3):
        wills = mqtt.raw(version)
        assert wills.connect(will=Will(topic, qos=qos)).reason == (0 if qos <= limit else 0x9B)


@only_5
@clause("MQTT-3.2.2-13")
def test_a_will_to_retain_is_accepted_exactly_if_retained_messages_are(mqtt, version, topic):
    able = mqtt(version).connack.properties.get("retain_available", 1)
    client = mqtt.raw(version)
    client.retained.add(topic)
    assert client.connect(will=Will(topic, retain=True)).reason == (0 if able else 0x9A)


@doctors_own
@only_5
@clause("5.0 §3.2.2.3")
def test_the_connack_promises_all_of_mqtt(mqtt, version):
    found = mqtt(version).connack.properties
    assert "maximum_qos" not in found  # 2 is told by its absence
    for feature in ("retain_available", "wildcard_subscription_available", "subscription_identifiers_available",
                    "shared_subscription_available"):
        assert found.get(feature, 1) == 1, feature
    assert found["receive_maximum"] >= 20 and found["topic_alias_maximum"] >= 1


@only_5
@clause("MQTT-3.2.2-22", "MQTT-3.1.2-21")
def test_a_keep_alive_that_the_server_keeps_is_not_answered_with_another(mqtt, version):
    assert mqtt(version, keep_alive=60).connack.properties.get("server_keep_alive", 60) <= 60


@only_5
@clause("5.0 §3.1.2.11")
def test_all_properties_of_connect_are_understood(mqtt, version):
    mqtt(version, session_expiry_interval=0, receive_maximum=10, maximum_packet_size=100_000, topic_alias_maximum=5,
         request_response_information=1, request_problem_information=1, user_property=[("a", "1"), ("a", "1"), ("b", "")])


@both
@clause("5.0 §5.4.1", "3.1.1 §5.4.1")
def test_two_connections_with_different_identifiers_do_not_disturb_each_other(mqtt, version):
    first, second = mqtt(version), mqtt(version)
    first.disconnect()
    second.ping()
