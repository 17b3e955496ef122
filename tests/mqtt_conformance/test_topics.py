"""Topic filters: which topics they match, and which are no filters."""

import pytest

from . import wire
from .clause import both, clause, only_5
from .wire import MALFORMED_PACKET, PROTOCOL_ERROR, SUBACK, TOPIC_FILTER_INVALID

# Under a prefix of the test's own: filter, topics that match, topics that do not.
MATCHES = [
    ("a/b", ["a/b"], ["a", "a/b/c", "a/B", "/a/b", "a/b/"]),
    ("a/#", ["a", "a/", "a/b", "a/b/c"], ["ab", "b", "b/a"]),
    ("#", ["", "a", "/", "a/b/c"], []),
    ("+", ["a", ""], ["a/b", "/", "a/"]),
    ("+/+", ["a/b", "/a", "a/", "/"], ["a", "a/b/c"]),
    ("a/+", ["a/b", "a/"], ["a", "a/b/c"]),
    ("a/+/c", ["a/b/c", "a//c"], ["a/c", "a/b/c/d", "a/b/b/c"]),
    ("+/b/#", ["a/b", "a/b/c", "/b", "/b/c/d"], ["b", "a/c/b"]),
    ("+/+/#", ["a/b", "a/b/c", "/"], ["a"]),
    ("a//c", ["a//c"], ["a/c", "a/b/c"]),
    ("/", ["/"], ["", "//"]),
    ("a/$b", ["a/$b"], ["a/b"]),
    ("a/+/$", ["a/$/$"], ["a/$"]),
]


@both
@clause("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-3.3.2-3", "5.0 §4.7.1", "3.1.1 §4.7.1")
@pytest.mark.parametrize("retained", [False, True], ids=["live", "retained"])
@pytest.mark.parametrize("ending, match, rest", MATCHES, ids=[row[0] for row in MATCHES])
def test_a_filter_matches_just_what_it_says(mqtt, version, topic, retained, ending, match, rest):
    subscriber, publisher = mqtt(version), mqtt(version)
    if not retained:
        subscriber.subscribe(topic + "/" + ending)
    for one in match + rest:
        publisher.publish(topic + "/" + one, "x", retain=retained)
    if retained:
        subscriber.subscribe(topic + "/" + ending)
    assert sorted(packet.topic for packet in subscriber.messages()) == sorted(topic + "/" + one for one in match)


@both
@clause("5.0 §4.7.1.3", "3.1.1 §4.7.1.3")
def test_a_leading_separator_makes_an_empty_first_level(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe("/" + topic, "+/" + topic)
    client.publish(topic, "without")
    client.publish("/" + topic, "with")
    assert {packet.topic for packet in client.messages()} == {"/" + topic}


BAD = ["a#", "a/b#", "#/a", "a/#/b", "##", "a+", "+a", "a/+b", "a/b+/c", "++", "a/#+", ""]


@both
@clause("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1", "3.1.1: MQTT-4.7.1-2", "3.1.1: MQTT-4.7.1-3")
@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_filter_is_refused(mqtt, version, bad):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(bad, 0)]) + wire.frame(wire.PINGREQ))
    try:
        answer = client.expect(SUBACK)
    except ConnectionError:
        return
    except AssertionError:
        assert [packet.kind for packet in client.inbox] == [wire.DISCONNECT]
        return
    assert answer.reasons in ([TOPIC_FILTER_INVALID], [0x80])


@only_5
@clause("5.0 §4.13.1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("bad", ["a/#/b", "a+"])
def test_what_is_no_filter_is_refused_with_a_reason(mqtt, version, bad):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(bad, 0)]))
    first = client.receive()
    assert first.reasons == [TOPIC_FILTER_INVALID] or first.reason in (MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_FILTER_INVALID)


@both
@clause("MQTT-4.7.1-1", "MQTT-4.7.1-2")
@pytest.mark.parametrize("bad", ["a/#/b", "a+"])
def test_what_is_no_filter_does_no_harm_in_unsubscribe(mqtt, version, bad, topic):
    client = mqtt(version)
    client.send(wire.unsubscribe(version, 1, [bad]))
    try:
        client.expect(wire.UNSUBACK)
    except (ConnectionError, AssertionError):
        pass
    mqtt(version).publish(topic, "still served")


@both
@clause("5.0 §4.7.3", "3.1.1 §4.7.3")
def test_many_levels_match_or_are_refused(mqtt, version, topic):
    client, deep = mqtt(version), topic + "/a" * 100
    answer = client.subscribe(deep, topic + "/+" * 100, topic + "/#", qos=1)
    if max(answer.reasons) < 0x80:
        client.publish(deep, "deep", qos=1)
        assert {packet.payload for packet in client.messages()} == {b"deep"}
