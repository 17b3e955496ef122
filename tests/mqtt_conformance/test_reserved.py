"""Topics that begin with $."""

import pytest

from .clause import both, clause, doctors_own


@both
@clause("MQTT-4.7.2-1")
@pytest.mark.parametrize("form", ["#", "+/{}", "+/#", "+/+/#", "/#"])
@pytest.mark.parametrize("retained", [False, True], ids=["live", "retained"])
def test_a_filter_that_begins_with_a_wildcard_matches_no_dollar_topic(mqtt, version, topic, form, retained):
    subscriber, publisher = mqtt(version), mqtt(version)
    dollar, marker = "$conformance/" + topic, "conformance/" + topic
    if not retained:
        subscriber.subscribe(form.format(topic))
    publisher.publish(dollar, "must not be heard", retain=retained)
    publisher.publish(marker, "marker", retain=retained)
    if retained:
        subscriber.subscribe(form.format(topic))
    assert [packet.topic for packet in subscriber.messages() if packet.topic.startswith("$")] == []


@both
@clause("5.0 §4.7.2", "3.1.1 §4.7.2")
def test_a_dollar_within_a_topic_is_like_any_character(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/+/b")
    client.publish(topic + "/$a/b", "x")
    assert client.payloads() == ["x"]


@doctors_own
@both
@clause("5.0 §4.7.2")
def test_the_figures_of_the_server_stand_under_sys(mqtt, version):
    client = mqtt(version)
    client.subscribe("$SYS/broker/#")
    found = {packet.topic for packet in client.messages()}
    assert {"$SYS/broker/version", "$SYS/broker/clients/connected", "$SYS/broker/uptime"} <= found


@doctors_own
@both
@clause("5.0 §4.7.2")
@pytest.mark.parametrize("filter", ["$SYS/broker/version", "$SYS/broker/+", "$SYS/#"])
def test_the_figures_are_retained_and_heard_only_under_their_own_name(mqtt, version, filter):
    client, all_else = mqtt(version), mqtt(version)
    client.subscribe(filter)
    assert "$SYS/broker/version" in {packet.topic for packet in client.messages() if packet.retain}
    all_else.subscribe("#", "+/broker/version")
    assert not {packet.topic for packet in all_else.messages() if packet.topic.startswith("$")}
