"""Headers, numbers, strings, properties: what is malformed closes its connection, and only that."""

import random

import pytest

from . import wire
from .clause import both, clause, doctors_own, only_5, only_311
from .client import unique
from .wire import MALFORMED_PACKET, PROTOCOL_ERROR, V5, frame, number, properties, string, variable

EITHER = (MALFORMED_PACKET, PROTOCOL_ERROR)


@both
@clause("MQTT-4.13.1-1", "3.1.1: MQTT-4.8.0-1")
def test_a_malformed_packet_closes_its_own_connection_and_no_other(mqtt, version, topic):
    other, publisher = mqtt(version), mqtt(version)
    other.subscribe(topic)
    publisher.publish(topic, "before")
    publisher.send(frame(wire.PUBLISH, string("a/+") + properties() if version == V5 else string("a/+")))
    publisher.closed()
    mqtt(version).publish(topic, "after")
    assert other.payloads() == ["before", "after"]


@both
@clause("5.0 §2.1.4", "3.1.1 §2.2.3")
def test_a_remaining_length_of_more_than_four_bytes_is_malformed(mqtt, version):
    client = mqtt(version)
    client.send(bytes([wire.PUBLISH << 4, 0x80, 0x80, 0x80, 0x80, 0x01]))
    client.refused(*EITHER)


@only_5
@clause("MQTT-1.5.5-1")
@pytest.mark.parametrize("where", ["remaining length", "property length", "subscription identifier"])
def test_a_variable_byte_integer_longer_than_it_must_be_is_malformed(mqtt, version, topic, where):
    client, long_zero = mqtt(version), b"\x80\x00"
    if where == "remaining length":
        client.send(bytes([wire.PINGREQ << 4]) + long_zero)
    elif where == "property length":
        client.send(frame(wire.PUBLISH, string(topic) + long_zero))
    else:
        more = b"\x0b\x81\x00"
        client.send(frame(wire.SUBSCRIBE, number(1) + variable(len(more)) + more + string(topic) + b"\0"))
    client.refused(*EITHER)


@both
@clause("MQTT-4.2-1")
def test_packets_may_come_a_byte_at_a_time_and_many_in_one_segment(mqtt, version, topic):
    client = mqtt.raw(version)
    data = wire.connect(version, unique()) + wire.subscribe(version, 1, [(topic, 0)])
    data += wire.publish(version, topic, "one") + wire.publish(version, topic, "two")
    for at in range(len(data)):
        client.send(data[at : at + 1])
    assert client.expect(wire.CONNACK).reason == 0
    assert client.expect(wire.SUBACK).reasons == [0]
    client.send((wire.publish(version, topic, "three") + frame(wire.PINGREQ)) * 50)
    for _ in range(50):
        client.expect(wire.PINGRESP)
    assert client.payloads() == ["one", "two"] + ["three"] * 50


WRONG_FLAGS = [
    ("PUBACK", wire.PUBACK, number(1), 1), ("PUBREC", wire.PUBREC, number(1), 8), ("PUBREL", wire.PUBREL, number(1), 0),
    ("PUBREL with another bit", wire.PUBREL, number(1), 3), ("PUBCOMP", wire.PUBCOMP, number(1), 2),
    ("SUBSCRIBE", wire.SUBSCRIBE, None, 0), ("SUBSCRIBE with another bit", wire.SUBSCRIBE, None, 3),
    ("UNSUBSCRIBE", wire.UNSUBSCRIBE, None, 0), ("PINGREQ", wire.PINGREQ, b"", 1), ("DISCONNECT", wire.DISCONNECT, b"", 1),
]


@both
@clause("MQTT-2.1.3-1", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1", "3.1.1: MQTT-2.2.2-2")
@pytest.mark.parametrize("kind, body, flags", [pytest.param(*row[1:], id=row[0]) for row in WRONG_FLAGS])
def test_reserved_flags_of_the_fixed_header_are_malformed(mqtt, version, topic, kind, body, flags):
    client = mqtt(version)
    if body is None:
        body = number(1) + (properties() if version == V5 else b"") + string(topic)
        body += b"\0" if kind == wire.SUBSCRIBE else b""
    client.send(frame(kind, body, flags))
    client.refused(MALFORMED_PACKET)


@only_5
@clause("MQTT-3.15.1-1")
def test_reserved_flags_of_auth_are_malformed(mqtt, version):
    client = mqtt(version)
    client.send(frame(wire.AUTH, b"\x19" + properties(authentication_method="m"), flags=1))
    client.refused(*EITHER)


@both
@clause("MQTT-2.1.3-1", "3.1.1: MQTT-2.2.2-2")
def test_reserved_flags_of_connect_are_malformed(mqtt, version):
    client = mqtt.raw(version)
    client.send(bytes([wire.CONNECT << 4 | 1]) + wire.connect(version, unique())[1:])
    assert all(packet.reason for packet in client.closed())


@both
@clause("5.0 §2.1.2", "3.1.1 §2.2.1")
@pytest.mark.parametrize("kind", [0, wire.CONNACK, wire.SUBACK, wire.UNSUBACK, wire.PINGRESP], ids=wire.NAMES.__getitem__)
def test_a_packet_that_clients_never_send_closes(mqtt, version, kind):
    client = mqtt(version)
    client.send(frame(kind, {wire.PINGRESP: b"", 0: b""}.get(kind, number(1) + b"\0\0")))
    client.refused(*EITHER)


@only_311
@clause("3.1.1 §2.2.1")
def test_packet_type_15_is_reserved(mqtt, version):
    client = mqtt(version)
    client.send(frame(15))
    client.closed()


# -- strings --------------------------------------------------------------------------------------

ILL_FORMED = {
    "surrogate": b"\xed\xa0\x80", "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80", "overlong": b"\xc1\xbf",
    "overlong NUL": b"\xc0\x80", "overlong of three": b"\xe0\x80\xaf", "cut short": b"\xe2\x82", "lone continuation": b"\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80", "no UTF-8 byte": b"\xff",
}
ill_formed = pytest.mark.parametrize("text", [pytest.param(text, id=key) for key, text in ILL_FORMED.items()])


@both
@clause("MQTT-1.5.4-1", "MQTT-3.3.2-1")
@ill_formed
def test_a_topic_name_that_is_not_utf_8_is_malformed(mqtt, version, text):
    client = mqtt(version)
    client.send(wire.publish(version, b"a/" + text, "x"))
    client.refused(MALFORMED_PACKET)


@both
@clause("MQTT-1.5.4-1", "MQTT-3.8.3-1")
def test_a_filter_of_subscribe_that_is_not_utf_8_is_malformed(mqtt, version):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(b"a/\xed\xa0\x80", 0)]))
    client.refused(MALFORMED_PACKET)


@both
@clause("MQTT-1.5.4-1", "MQTT-3.10.3-1")
def test_a_filter_of_unsubscribe_that_is_not_utf_8_is_malformed(mqtt, version):
    client = mqtt(version)
    client.send(wire.unsubscribe(version, 1, [b"a/\xff"]))
    client.refused(MALFORMED_PACKET)


@both
@clause("MQTT-1.5.4-1", "MQTT-3.1.3-4", "MQTT-3.1.3-11", "MQTT-3.1.3-12")
@pytest.mark.parametrize("where", ["client identifier", "will topic", "user name"])
def test_a_string_of_connect_that_is_not_utf_8_is_malformed(mqtt, version, where):
    client, bad = mqtt.raw(version), b"a\xed\xa0\x80"
    client.send(wire.connect(
        version, bad if where == "client identifier" else unique(),
        will=wire.Will(bad) if where == "will topic" else None, user=bad if where == "user name" else None))
    assert all(packet.reason for packet in client.closed())


@both
@clause("MQTT-1.5.4-2", "MQTT-4.7.3-2")
@pytest.mark.parametrize("kind", ["PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"])
def test_the_null_character_in_a_topic_is_malformed(mqtt, version, kind):
    client = mqtt(version)
    client.send({
        "PUBLISH": wire.publish(version, "a\0b"), "SUBSCRIBE": wire.subscribe(version, 1, [("a\0b", 0)]),
        "UNSUBSCRIBE": wire.unsubscribe(version, 1, ["a\0b"])}[kind])
    client.refused(MALFORMED_PACKET)


@both
@clause("MQTT-1.5.4-2", "MQTT-3.1.3-4")
def test_the_null_character_in_a_client_identifier_is_malformed(mqtt, version):
    client = mqtt.raw(version)
    client.send(wire.connect(version, "a\0b"))
    assert all(packet.reason for packet in client.closed())


@both
@clause("MQTT-1.5.4-3")
def test_a_byte_order_mark_is_kept_as_a_character(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/\ufeffx")
    client.publish(topic + "/x", "without")
    client.publish(topic + "/\ufeffx", "with")
    assert [(packet.topic, packet.payload) for packet in client.messages()] == [(topic + "/\ufeffx", b"with")]


@only_5
@clause("MQTT-1.5.7-1")
@pytest.mark.parametrize("pair", [(b"\xff", b"v"), (b"n", b"\xed\xa0\x80"), (b"\0", b"v"), (b"n", b"\0")])
def test_both_strings_of_a_user_property_are_utf_8(mqtt, version, topic, pair):
    client = mqtt(version)
    client.send(wire.publish(version, topic, user_property=[pair]))
    client.refused(MALFORMED_PACKET)


@only_5
@clause("MQTT-3.3.2-13", "MQTT-3.3.2-19")
@pytest.mark.parametrize("which", ["response_topic", "content_type"])
def test_string_properties_of_publish_are_utf_8(mqtt, version, topic, which):
    client = mqtt(version)
    client.send(wire.publish(version, topic, **{which: b"\xed\xa0\x80"}))
    client.refused(MALFORMED_PACKET)


@doctors_own
@both
@clause("5.0 §1.5.4")
@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0001fffe"], ids=ascii)
def test_control_characters_and_non_characters_in_a_topic_close_as_the_standard_allows(mqtt, version, character):
    client = mqtt(version)
    client.send(wire.publish(version, "a" + character))
    client.refused(*EITHER, wire.TOPIC_NAME_INVALID)


# -- packet identifiers ---------------------------------------------------------------------------


@both
@clause("MQTT-2.2.1-3")
@pytest.mark.parametrize("kind", ["SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH QoS 1", "PUBLISH QoS 2"])
def test_packet_identifier_zero_closes(mqtt, version, topic, kind):
    client = mqtt(version)
    client.send({
        "SUBSCRIBE": wire.subscribe(version, 0, [(topic, 0)]), "UNSUBSCRIBE": wire.unsubscribe(version, 0, [topic]),
        "PUBLISH QoS 1": wire.publish(version, topic, qos=1, identifier=0),
        "PUBLISH QoS 2": wire.publish(version, topic, qos=2, identifier=0)}[kind])
    client.refused(*EITHER)


@both
@clause("MQTT-2.2.1-2")
def test_qos_0_carries_no_packet_identifier(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, b"\0\1payload")
    assert [packet.payload for packet in client.messages()] == [b"\0\1payload"]


# -- properties -----------------------------------------------------------------------------------


@only_5
@clause("5.0 §2.2.2.2")
@pytest.mark.parametrize("name, value", [
    ("payload_format_indicator", 0), ("message_expiry_interval", 9), ("content_type", "a"), ("response_topic", "a"),
    ("correlation_data", b"a"), ("topic_alias", 1)])
def test_a_property_twice_in_publish_is_a_protocol_error(mqtt, version, topic, name, value):
    client = mqtt(version)
    client.send(wire.publish(version, topic, pairs=[(name, value), (name, value)]))
    client.refused(*EITHER)


@only_5
@clause("5.0 §3.1.2.11")
@pytest.mark.parametrize("name, value", [
    ("session_expiry_interval", 1), ("receive_maximum", 5), ("maximum_packet_size", 1000), ("topic_alias_maximum", 2),
    ("request_response_information", 0), ("request_problem_information", 1)])
def test_a_property_twice_in_connect_is_a_protocol_error(mqtt, version, name, value):
    client = mqtt.raw(version)
    client.send(wire.connect(version, unique(), **{name: [value, value]}))
    assert all(packet.reason in EITHER for packet in client.closed())


@only_5
@clause("5.0 §2.2.2.2")
@pytest.mark.parametrize("name, value", [
    ("session_expiry_interval", 1), ("assigned_client_identifier", "a"), ("server_keep_alive", 1), ("reason_string", "a"),
    ("will_delay_interval", 1), ("receive_maximum", 1), ("maximum_qos", 1), ("shared_subscription_available", 1)])
def test_a_property_that_has_no_place_in_publish_closes(mqtt, version, topic, name, value):
    client = mqtt(version)
    client.send(wire.publish(version, topic, **{name: value}))
    client.refused(*EITHER)


@only_5
@clause("5.0 §2.2.2.2")
@pytest.mark.parametrize("kind", ["SUBSCRIBE", "UNSUBSCRIBE", "PUBACK", "PUBREL", "DISCONNECT"])
def test_a_property_that_has_no_place_in_other_packets_closes(mqtt, version, topic, kind):
    client, wrong = mqtt(version), properties(topic_alias=1)
    client.send({
        "SUBSCRIBE": frame(wire.SUBSCRIBE, number(1) + wrong + string(topic) + b"\0"),
        "UNSUBSCRIBE": frame(wire.UNSUBSCRIBE, number(1) + wrong + string(topic)),
        "PUBACK": frame(wire.PUBACK, number(1) + b"\0" + wrong), "PUBREL": frame(wire.PUBREL, number(1) + b"\0" + wrong),
        "DISCONNECT": frame(wire.DISCONNECT, b"\0" + wrong)}[kind])
    client.refused(*EITHER)


@only_5
@clause("5.0 §2.2.2.2")
@pytest.mark.parametrize("code", [0x00, 0x04, 0x2B, 0x7F])
def test_an_unknown_property_is_malformed(mqtt, version, topic, code):
    client = mqtt(version)
    client.send(frame(wire.PUBLISH, string(topic) + variable(2) + bytes([code, 0])))
    client.refused(*EITHER)


@only_5
@clause("5.0 §2.2.2.1")
@pytest.mark.parametrize("body", [b"\x05\x01\x00", b"\x01\x01", b"\x02\x02\x00", b""], ids=[
    "longer than the packet", "ends within a value", "ends within a number", "absent"])
def test_a_property_length_that_does_not_fit_is_malformed(mqtt, version, topic, body):
    client = mqtt(version)
    client.send(frame(wire.PUBLISH, string(topic) + body))
    client.refused(*EITHER)


@only_5
@clause("5.0 §3.3.2.3.2", "5.0 §3.1.2.11")
@pytest.mark.parametrize("name", ["payload_format_indicator in PUBLISH", "request_problem_information in CONNECT",
                                  "request_response_information in CONNECT"])
def test_a_property_with_a_value_other_than_0_and_1_is_a_protocol_error(mqtt, version, topic, name):
    which, _, kind = name.split()
    client = mqtt.raw(version)
    if kind == "CONNECT":
        client.send(wire.connect(version, unique(), **{which: 2}))
        assert all(packet.reason in EITHER for packet in client.closed())
    else:
        client.connect()
        client.send(wire.publish(version, topic, **{which: 2}))
        client.refused(*EITHER)


@only_5
@clause("MQTT-2.2.2-1")
def test_no_properties_are_written_as_length_zero(mqtt, version, topic):
    client = mqtt.raw(version)
    client.connect(request_problem_information=0)
    assert len(client.connack.body) >= 3
    client.send(wire.subscribe(version, 7, [(topic, 0)]))
    assert client.expect(wire.SUBACK).body == b"\0\7" + b"\0" + b"\0"
    client.publish(topic, "x")
    assert client.message().body == string(topic) + b"\0" + b"x"


@only_5
@clause("MQTT-2.2.2-1", "5.0 §3.8.2")
def test_subscribe_without_a_property_length_is_malformed(mqtt, version):
    client = mqtt(version)
    client.send(frame(wire.SUBSCRIBE, number(1)))
    client.refused(*EITHER)


@only_5
@clause("5.0 §3.4.2.1", "5.0 §3.14.2")
def test_the_short_forms_of_acknowledgements_and_disconnect_are_understood(mqtt, version, topic):
    subscriber, publisher = mqtt(version, acks=False), mqtt(version)
    subscriber.subscribe(topic, qos=1)
    for form in (b"", b"\0", b"\0\0"):
        publisher.publish(topic, "x", qos=1)
        subscriber.send(frame(wire.PUBACK, number(subscriber.message().identifier) + form))
    subscriber.ping()
    subscriber.send(frame(wire.DISCONNECT, b"\0"))
    assert subscriber.closed() == []


@both
@clause("5.0 §4.13.1", "3.1.1: MQTT-4.8.0-1")
@pytest.mark.parametrize("data", [
    frame(wire.PUBLISH), frame(wire.PUBLISH, b"\0\5ab"), frame(wire.PUBACK), frame(wire.PUBACK, b"\0"),
    frame(wire.SUBSCRIBE, b"\0"), frame(wire.PINGREQ, b"x"), frame(wire.PUBLISH, b"\0\1a", flags=2)],
    ids=["empty PUBLISH", "topic cut short", "empty PUBACK", "half an identifier", "half a SUBSCRIBE", "PINGREQ with a body",
         "PUBLISH QoS 1 without an identifier"])
def test_a_packet_too_short_or_too_long_for_its_fields_closes(mqtt, version, data):
    client = mqtt(version)
    client.send(data)
    client.refused(*EITHER)


@doctors_own
@both
@clause("5.0 §4.13.1")
def test_random_packets_close_nothing_but_their_own_connections(mqtt, version, topic):
    dice = random.Random(version)
    witness = mqtt(version)
    witness.subscribe(topic)
    for _ in range(300):
        client = mqtt.raw(version)
        client.send(wire.connect(version, unique()) + frame(dice.randrange(1, 15), dice.randbytes(dice.randrange(40)),
                                                            dice.randrange(16)))
        client.drop()
    mqtt(version).publish(topic, "still here")
    assert witness.payloads() == ["still here"]
