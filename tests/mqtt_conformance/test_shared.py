"""Shared subscriptions of 5.0: each message to one member of the group."""

import pytest

from . import wire
from .clause import clause, doctors_own, only_5
from .wire import PROTOCOL_ERROR, SUBACK, TOPIC_FILTER_INVALID

NO_LOCAL = 0x04


def group(mqtt, topic, count, qos=0, share="group", **more):
    members = [mqtt(**more) for _ in range(count)]
    for member in members:
        assert member.subscribe(f"$share/{share}/{topic}", qos=qos).reasons == [qos]
    return members


@only_5
@clause("MQTT-4.8.2-1", "MQTT-4.8.2-2")
@pytest.mark.parametrize("bad", ["$share", "$share/", "$share//a", "$share/name", "$share/name/", "$share/na+me/a",
                                 "$share/na#me/a", "$share/+/a", "$share/#"])
def test_what_is_no_shared_filter_is_refused(mqtt, version, bad):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(bad, 0)]))
    packet = client.receive()
    if packet.kind == SUBACK:
        assert packet.reasons[0] in (TOPIC_FILTER_INVALID, 0x80)
    else:
        assert packet.reason in (0x81, PROTOCOL_ERROR, TOPIC_FILTER_INVALID)


@only_5
@clause("5.0 §4.8.2")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_message_goes_to_one_member(mqtt, version, topic, qos):
    members, publisher = group(mqtt, topic, 3, qos), mqtt(version)
    for number in range(30):
        publisher.publish(topic, str(number), qos=qos)
    found = [member.payloads() for member in members]
    assert sorted(sum(found, []), key=int) == [str(number) for number in range(30)]


@doctors_own
@only_5
@clause("5.0 §4.8.2")
def test_the_members_share_the_load(mqtt, version, topic):
    members, publisher = group(mqtt, topic, 3), mqtt(version)
    for number in range(60):
        publisher.publish(topic, str(number))
    assert min(len(member.payloads()) for member in members) >= 5


@only_5
@clause("5.0 §4.8.2")
def test_each_group_and_each_plain_subscription_gets_its_copy(mqtt, version, topic):
    (one,), (two,), plain = group(mqtt, topic, 1), group(mqtt, topic, 1, share="other"), mqtt(version)
    plain.subscribe(topic)
    mqtt(version).publish(topic, "x")
    assert [client.payloads() for client in (one, two, plain)] == [["x"], ["x"], ["x"]]


@only_5
@clause("5.0 §4.8.2")
def test_a_plain_and_a_shared_subscription_of_one_client_are_two(mqtt, version, topic):
    client, publisher = mqtt(version), mqtt(version)
    client.subscribe(topic, "$share/group/" + topic)
    publisher.publish(topic, "x")
    assert client.payloads() == ["x", "x"]
    client.unsubscribe("$share/group/" + topic)
    publisher.publish(topic, "y")
    assert client.payloads() == ["y"]


@only_5
@clause("5.0 §4.8.2", "MQTT-3.10.4-1")
def test_who_unsubscribes_is_no_member_any_more(mqtt, version, topic):
    members, publisher = group(mqtt, topic, 2), mqtt(version)
    assert members[0].unsubscribe("$share/other/" + topic).reasons == [0x11]
    assert members[0].unsubscribe("$share/group/" + topic).reasons == [0]
    for number in range(4):
        publisher.publish(topic, str(number))
    assert [len(member.messages()) for member in members] == [0, 4]


@only_5
@clause("5.0 §4.8.2")
def test_wildcards_work_in_a_shared_filter(mqtt, version, topic):
    members, publisher = group(mqtt, topic + "/+/#", 2), mqtt(version)
    publisher.publish(topic + "/a/b", "x")
    publisher.publish(topic, "not matched")
    assert sum((member.payloads() for member in members), []) == ["x"]


@only_5
@clause("5.0 §4.8.2")
def test_a_shared_subscription_brings_no_retained_messages(mqtt, version, topic):
    mqtt(version).publish(topic, "state", retain=True)
    (member,) = group(mqtt, topic, 1)
    assert member.messages() == []


@only_5
@clause("MQTT-4.8.2-3")
def test_each_member_has_its_own_granted_qos(mqtt, version, topic):
    (low,), (high,), publisher = group(mqtt, topic, 1, 0), group(mqtt, topic, 1, 2), mqtt(version)
    for number in range(20):
        publisher.publish(topic, str(number), qos=2)
    found = [(packet.qos, int(packet.payload)) for packet in low.messages()]
    found += [(packet.qos + 10, int(packet.payload)) for packet in high.messages()]
    assert sorted(number for _, number in found) == list(range(20))
    assert {qos for qos, _ in found} <= {0, 12}


@only_5
@clause("5.0 §4.8.2", "MQTT-3.3.4-3")
def test_a_shared_subscription_has_its_subscription_identifier(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe("$share/group/" + topic, subscription_identifier=4)
    client.publish(topic, "x")
    assert client.message().properties["subscription_identifier"] == [4]


@only_5
@clause("MQTT-3.8.3-4")
def test_no_local_on_a_shared_subscription_is_a_protocol_error(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [("$share/group/" + topic, NO_LOCAL)]))
    client.refused(PROTOCOL_ERROR)


@only_5
@clause("MQTT-4.8.2-4")
@pytest.mark.parametrize("when", ["before PUBREC", "after PUBREC"])
def test_a_qos_2_message_under_way_stays_with_its_member(mqtt, version, name, topic, when):
    member = mqtt(version, name, keep=True, acks=False)
    member.subscribe("$share/group/" + topic, qos=2)
    mqtt(version).publish(topic, "x", qos=2)
    packet = member.message()
    (other,) = group(mqtt, topic, 1, 2)
    if when == "after PUBREC":
        member.acknowledge(packet)
        member.expect(wire.PUBREL)
    member.drop()
    assert other.messages() == []
    again = mqtt(version, name, clean=False, keep=True)
    if when == "after PUBREC":
        assert again.expect(wire.PUBREL).identifier == packet.identifier
        assert again.messages() == []
    else:
        assert [(m.payload, m.identifier, m.dup) for m in again.messages()] == [(b"x", packet.identifier, True)]
    assert other.messages() == []


@only_5
@clause("MQTT-4.8.2-5")
def test_a_qos_2_message_of_a_session_that_ended_goes_to_nobody_else(mqtt, version, name, topic):
    member = mqtt(version, name, keep=True, acks=False)
    member.subscribe("$share/group/" + topic, qos=2)
    mqtt(version).publish(topic, "x", qos=2)
    member.message()
    (other,) = group(mqtt, topic, 1, 2)
    member.drop()
    mqtt(version, name, clean=True)
    assert other.messages() == []


@only_5
@clause("MQTT-4.8.2-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_refused_by_its_member_is_offered_to_nobody_else(mqtt, version, topic, qos):
    (member,) = group(mqtt, topic, 1, qos, acks=False)
    mqtt(version).publish(topic, "x", qos=qos)
    packet = member.message()
    (other,) = group(mqtt, topic, 1, qos)
    member.acknowledge(packet, reason=0x83)
    member.ping()
    assert other.messages() == [] and member.messages() == [] and not member.inbox


@doctors_own
@only_5
@clause("5.0 §4.8.2")
def test_members_that_are_offline_get_nothing_while_others_are_there(mqtt, version, name, topic):
    absent = mqtt(version, name, keep=True)
    absent.subscribe("$share/group/" + topic, qos=1)
    absent.disconnect()
    (member,), publisher = group(mqtt, topic, 1, 1), mqtt(version)
    for number in range(6):
        publisher.publish(topic, str(number), qos=1)
    assert member.payloads() == [str(number) for number in range(6)]
    assert mqtt(version, name, clean=False, keep=True).messages() == []
