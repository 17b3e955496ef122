"""Retained messages: the last word of each topic, for those who subscribe later."""

import pytest

from . import wire
from .clause import both, clause, only_5, only_311
from .wire import V5, V311

RETAIN_AS_PUBLISHED, ONLY_IF_NEW, NEVER = 0x08, 0x10, 0x20


def seen(client):
    return [(packet.payload.decode(), packet.retain) for packet in client.messages()]


@both
@clause("MQTT-3.3.1-5", "MQTT-3.3.1-9", "3.1.1: MQTT-3.3.1-6", "3.1.1: MQTT-3.3.1-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_retained_message_is_sent_to_later_subscribers(mqtt, version, topic, qos):
    mqtt(version).publish(topic, "state", qos=qos, retain=True)
    late = mqtt(version)
    late.subscribe(topic, qos=2)
    assert [(p.payload, p.retain, p.qos, p.dup) for p in late.messages()] == [(b"state", True, qos, False)]


@both
@clause("MQTT-3.3.1-9", "MQTT-3.8.4-8")
@pytest.mark.parametrize("published, granted", [(2, 1), (2, 0), (1, 2), (1, 0), (0, 2)])
def test_a_retained_message_comes_at_the_lesser_qos(mqtt, version, topic, published, granted):
    mqtt(version).publish(topic, "state", qos=published, retain=True)
    late = mqtt(version)
    late.subscribe(topic, qos=granted)
    assert late.message().qos == min(published, granted)


@both
@clause("MQTT-3.3.1-5", "3.1.1: MQTT-3.3.1-7")
def test_a_retained_message_replaces_the_one_before(mqtt, version, topic):
    publisher = mqtt(version)
    publisher.publish(topic, "old", qos=2, retain=True)
    publisher.publish(topic, "new", qos=0, retain=True)
    late = mqtt(version)
    late.subscribe(topic, qos=2)
    assert late.payloads() == ["new"]


@both
@clause("MQTT-3.3.1-6", "MQTT-3.3.1-7", "3.1.1: MQTT-3.3.1-10", "3.1.1: MQTT-3.3.1-11")
def test_an_empty_retained_message_deletes_and_is_still_heard_live(mqtt, version, topic):
    publisher, live = mqtt(version), mqtt(version)
    publisher.publish(topic, "state", retain=True)
    live.subscribe(topic)
    assert seen(live) == [("state", True)]
    publisher.publish(topic, "", retain=True)
    assert seen(live) == [("", False)]
    late = mqtt(version)
    late.subscribe(topic)
    assert late.messages() == []


@both
@clause("MQTT-3.3.1-7")
def test_an_empty_retained_message_is_not_stored_where_none_was(mqtt, version, topic):
    mqtt(version).publish(topic, "", qos=1, retain=True)
    late = mqtt(version)
    late.subscribe(topic, qos=1)
    assert late.messages() == []


@both
@clause("MQTT-3.3.1-8", "3.1.1: MQTT-3.3.1-12")
@pytest.mark.parametrize("payload", ["other", ""])
def test_a_message_that_is_not_retained_leaves_the_retained_one(mqtt, version, topic, payload):
    publisher = mqtt(version)
    publisher.publish(topic, "state", retain=True)
    publisher.publish(topic, payload, qos=1)
    late = mqtt(version)
    late.subscribe(topic)
    assert late.payloads() == ["state"]


@both
@clause("MQTT-3.3.1-8", "3.1.1: MQTT-3.3.1-12")
def test_a_message_that_is_not_retained_is_not_kept(mqtt, version, topic):
    mqtt(version).publish(topic, "gone", qos=2)
    late = mqtt(version)
    late.subscribe(topic, qos=2)
    assert late.messages() == []


@both
@clause("MQTT-3.3.1-12", "3.1.1: MQTT-3.3.1-9")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_live_messages_lose_their_retain_flag(mqtt, version, topic, qos):
    live = mqtt(version)
    live.subscribe(topic, qos=2)
    mqtt(version).publish(topic, "x", qos=qos, retain=True)
    assert seen(live) == [("x", False)]


@only_5
@clause("MQTT-3.3.1-13")
@pytest.mark.parametrize("retain", [False, True])
def test_retain_as_published_keeps_the_flag(mqtt, version, topic, retain):
    live = mqtt(version)
    live.subscribe((topic, RETAIN_AS_PUBLISHED))
    mqtt(version).publish(topic, "x", retain=retain)
    assert seen(live) == [("x", retain)]


@only_5
@clause("MQTT-3.3.1-12", "MQTT-3.3.1-13")
def test_retain_as_published_does_not_change_the_flag_of_stored_messages(mqtt, version, topic):
    mqtt(version).publish(topic, "state", retain=True)
    for options in (0, RETAIN_AS_PUBLISHED):
        late = mqtt(version)
        late.subscribe((topic, options))
        assert seen(late) == [("state", True)]


@both
@clause("MQTT-3.3.1-9", "MQTT-3.8.4-3", "MQTT-3.8.4-4", "3.1.1: MQTT-3.8.4-3")
def test_retain_handling_0_sends_again_when_the_subscription_is_made_again(mqtt, version, topic):
    mqtt(version).publish(topic, "state", retain=True)
    client = mqtt(version)
    for _ in range(2):
        client.subscribe(topic)
        assert seen(client) == [("state", True)]


@only_5
@clause("MQTT-3.3.1-10")
def test_retain_handling_1_sends_only_for_a_new_subscription(mqtt, version, topic):
    mqtt(version).publish(topic, "state", retain=True)
    client = mqtt(version)
    client.subscribe((topic, ONLY_IF_NEW))
    assert seen(client) == [("state", True)]
    client.subscribe((topic, ONLY_IF_NEW | 1))
    assert seen(client) == []
    client.unsubscribe(topic)
    client.subscribe((topic, ONLY_IF_NEW))
    assert seen(client) == [("state", True)]


@only_5
@clause("MQTT-3.3.1-10")
def test_retain_handling_1_knows_the_subscriptions_of_a_resumed_session(mqtt, version, name, topic):
    client = mqtt(version, name, keep=True)
    client.subscribe((topic, ONLY_IF_NEW))
    client.disconnect()
    mqtt(version).publish(topic, "state", retain=True)
    again = mqtt(version, name, clean=False, keep=True)
    again.messages()  # the live copy, if the server queues QoS 0
    again.subscribe((topic, ONLY_IF_NEW))
    assert seen(again) == []


@only_5
@clause("MQTT-3.3.1-11")
def test_retain_handling_2_sends_nothing(mqtt, version, topic):
    publisher, client = mqtt(version), mqtt(version)
    publisher.publish(topic, "state", retain=True)
    client.subscribe((topic, NEVER))
    assert seen(client) == []
    publisher.publish(topic, "live", retain=True)
    assert seen(client) == [("live", False)]


@both
@clause("MQTT-3.3.1-9")
def test_a_wildcard_brings_the_retained_message_of_each_topic(mqtt, version, topic):
    publisher, late = mqtt(version), mqtt(version)
    for number in range(40):
        publisher.publish(f"{topic}/{number}/x", str(number), qos=1, retain=True)
    late.subscribe(topic + "/+/x", qos=1)
    assert sorted(late.payloads(), key=int) == [str(number) for number in range(40)]


@both
@clause("MQTT-3.3.1-9", "MQTT-3.8.4-5")
def test_each_filter_of_a_subscribe_brings_its_retained_messages(mqtt, version, topic):
    publisher, late = mqtt(version), mqtt(version)
    publisher.publish(topic + "/a", "a", retain=True)
    publisher.publish(topic + "/b", "b", retain=True)
    late.subscribe(topic + "/a", topic + "/b", topic + "/none")
    assert sorted(late.payloads()) == ["a", "b"]


@both
@clause("MQTT-3.3.1-9")
def test_a_resumed_session_is_not_sent_retained_messages_again(mqtt, version, name, topic):
    mqtt(version).publish(topic, "state", qos=1, retain=True)
    client = mqtt(version, name, keep=True)
    client.subscribe(topic, qos=1)
    assert seen(client) == [("state", True)]
    client.disconnect()
    assert seen(mqtt(version, name, clean=False, keep=True)) == []


@only_5
@clause("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-18", "MQTT-3.3.2-20")
def test_a_retained_message_keeps_its_properties(mqtt, version, topic):
    given = {
        "payload_format_indicator": 1, "content_type": "text", "response_topic": "answers", "correlation_data": b"\0\1",
        "user_property": [("b", "1"), ("a", "2"), ("b", "1")]}
    mqtt(version).publish(topic, "state", retain=True, **given)
    late = mqtt(version)
    late.subscribe(topic)
    assert late.message().properties == given


@only_5
@clause("MQTT-3.3.4-3")
def test_a_retained_message_carries_the_subscription_identifier(mqtt, version, topic):
    mqtt(version).publish(topic, "state", retain=True)
    late = mqtt(version)
    late.subscribe(topic, subscription_identifier=9)
    assert late.message().properties["subscription_identifier"] == [9]


@only_5
@clause("MQTT-3.3.2-7")
def test_a_message_retained_through_an_alias_is_kept_under_its_topic(mqtt, version, topic):
    publisher = mqtt(version)
    if not publisher.connack.properties.get("topic_alias_maximum"):
        pytest.skip("the server accepts no aliases")
    publisher.publish(topic, "first", topic_alias=1)
    publisher.retained.add(topic)
    publisher.send(wire.publish(version, "", "state", retain=True, topic_alias=1))
    publisher.ping()
    late = mqtt(version)
    late.subscribe(topic)
    assert [(packet.topic, packet.payload) for packet in late.messages()] == [(topic, b"state")]


@clause("MQTT-3.3.1-5", "3.1.1: MQTT-3.3.1-5")
@pytest.mark.parametrize("here, there", [(V311, V5), (V5, V311)], ids=["from 3.1.1", "from 5.0"])
def test_retained_messages_are_of_both_versions(mqtt, here, there, topic):
    mqtt(here).publish(topic, "state", qos=1, retain=True)
    late = mqtt(there)
    late.subscribe(topic, qos=1)
    assert seen(late) == [("state", True)]


@only_311
@clause("3.1.1: MQTT-3.3.1-6")
def test_an_overlapping_new_subscription_brings_retained_messages_too(mqtt, version, topic):
    mqtt(version).publish(topic + "/a", "state", retain=True)
    client = mqtt(version)
    client.subscribe(topic + "/a")
    assert seen(client) == [("state", True)]
    client.subscribe(topic + "/#")
    assert seen(client) == [("state", True)]
