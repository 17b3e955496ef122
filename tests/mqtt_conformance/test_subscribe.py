"""SUBSCRIBE and UNSUBSCRIBE: what is granted, delivered, and when that ends."""

import pytest

from . import wire
from .clause import both, clause, only_5
from .client import unique
from .wire import (MALFORMED_PACKET, NO_SUBSCRIPTION_EXISTED, PROTOCOL_ERROR, SUBACK, SUCCESS, UNSUBACK, V5, Will, frame,
                   number, properties, string)

EITHER = (MALFORMED_PACKET, PROTOCOL_ERROR)
NO_LOCAL, RETAIN_AS_PUBLISHED = 0x04, 0x08


@both
@clause("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.2.1-6")
@pytest.mark.parametrize("identifier", [1, 0x0100, 0xFFFF])
def test_subscribe_and_unsubscribe_are_answered_with_their_identifier(mqtt, version, topic, identifier):
    client = mqtt(version)
    client.send(wire.subscribe(version, identifier, [(topic, 0)]))
    assert client.expect(SUBACK).identifier == identifier
    client.send(wire.unsubscribe(version, identifier, [topic]))
    assert client.expect(UNSUBACK).identifier == identifier


@both
@clause("MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-3.8.4-5", "3.1.1: MQTT-3.8.4-5")
def test_the_answer_has_a_code_for_each_filter_in_their_order(mqtt, version, topic):
    client = mqtt(version)
    asked = [2, 0, 1, 1, 2, 0]
    answer = client.subscribe(*[(f"{topic}/{at}", qos) for at, qos in enumerate(asked)])
    assert answer.reasons == asked
    for at, qos in enumerate(asked):
        client.publish(f"{topic}/{at}", str(at), qos=2)
    assert [(int(packet.payload), packet.qos) for packet in client.messages()] == list(enumerate(asked))


@both
@clause("MQTT-3.8.3-2", "3.1.1: MQTT-3.8.3-3")
def test_a_subscribe_without_a_filter_closes(mqtt, version):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, []))
    client.refused(*EITHER)


@both
@clause("MQTT-3.10.3-2")
def test_an_unsubscribe_without_a_filter_closes(mqtt, version):
    client = mqtt(version)
    client.send(wire.unsubscribe(version, 1, []))
    client.refused(*EITHER)


@both
@clause("MQTT-3.8.3-5", "3.1.1: MQTT-3.8.3-4")
@pytest.mark.parametrize("options", [0x40, 0x80, 0xC0, 0x03], ids=["bit 6", "bit 7", "both", "QoS 3"])
def test_reserved_bits_of_the_options_are_malformed(mqtt, version, topic, options):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(topic, options)]))
    client.refused(*EITHER)


@only_5
@clause("5.0 §3.8.3.1")
def test_retain_handling_3_is_a_protocol_error(mqtt, version, topic):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(topic, 0x30)]))
    client.refused(*EITHER)


@both
@clause("3.1.1: MQTT-3.8.3-4", "5.0 §3.8.3")
def test_a_filter_without_its_options_is_malformed(mqtt, version, topic):
    client = mqtt(version)
    client.send(frame(wire.SUBSCRIBE, number(1) + (properties() if version == V5 else b"") + string(topic)))
    client.refused(*EITHER)


@both
@clause("MQTT-3.8.4-8", "3.1.1: MQTT-3.8.4-6")
@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_a_message_comes_at_the_lesser_of_both_qos(mqtt, version, topic, published, granted):
    client = mqtt(version)
    assert client.subscribe(topic, qos=granted).reasons == [granted]
    mqtt(version).publish(topic, "x", qos=published)
    assert [(packet.qos, packet.payload) for packet in client.messages()] == [(min(published, granted), b"x")]


@both
@clause("MQTT-3.8.4-3", "MQTT-3.8.4-4", "3.1.1: MQTT-3.8.4-3")
def test_subscribing_again_replaces_the_options_and_loses_nothing(mqtt, version, topic):
    client, publisher = mqtt(version), mqtt(version)
    stream = b""
    for at in range(60):
        stream += wire.publish(version, topic, str(at), qos=1, identifier=at + 1)
    client.subscribe(topic, qos=2)
    publisher.send(stream)
    for qos in (1, 0, 1):
        assert client.subscribe(topic, qos=qos).reasons == [qos]
    for _ in range(60):
        publisher.expect(wire.PUBACK)
    assert client.payloads() == [str(at) for at in range(60)]
    publisher.publish(topic, "last", qos=2)
    assert [(packet.qos, packet.payload) for packet in client.messages()] == [(1, b"last")]


@both
@clause("MQTT-3.8.4-5", "3.1.1: MQTT-3.8.4-4")
def test_a_filter_twice_in_one_subscribe_is_as_in_two(mqtt, version, topic):
    client = mqtt(version)
    assert client.subscribe((topic, 2), (topic, 0)).reasons == [2, 0]
    client.publish(topic, "x", qos=2)
    assert [packet.qos for packet in client.messages()] == [0]


@both
@clause("MQTT-3.3.4-2", "3.1.1: MQTT-3.3.5-1")
@pytest.mark.parametrize("first, second", [(0, 2), (2, 0), (1, 2), (1, 0)])
def test_overlapping_filters_deliver_at_the_greatest_qos(mqtt, version, topic, first, second):
    client = mqtt(version)
    client.subscribe((topic + "/#", first), (topic + "/a", second))
    mqtt(version).publish(topic + "/a", "x", qos=2)
    assert max(packet.qos for packet in client.messages()) == max(first, second)


@only_5
@clause("MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5")
def test_overlapping_filters_deliver_all_their_subscription_identifiers(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/#", subscription_identifier=1)
    client.subscribe(topic + "/+", subscription_identifier=268_435_455)
    client.subscribe(topic + "/a")
    client.subscribe(topic + "/b", subscription_identifier=3)
    client.publish(topic + "/a", "x")
    found = [packet.properties.get("subscription_identifier", []) for packet in client.messages()]
    assert sorted(sum(found, [])) == [1, 268_435_455]
    assert len(found) == 1 or max(map(len, found)) == 1, "one copy with all, or several with one each"


@only_5
@clause("MQTT-3.3.4-3")
def test_a_subscription_without_an_identifier_delivers_none(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic)
    client.publish(topic, "x")
    assert client.message().properties == {}


@only_5
@clause("MQTT-3.8.4-3", "MQTT-3.3.4-3")
def test_subscribing_again_replaces_the_subscription_identifier(mqtt, version, topic):
    client = mqtt(version)
    for identifier, expected in ((5, [5]), (6, [6]), (None, None)):
        client.subscribe(topic, subscription_identifier=identifier)
        client.publish(topic, "x")
        assert client.message().properties.get("subscription_identifier") == expected


@only_5
@clause("5.0 §3.8.2.1.2")
@pytest.mark.parametrize("identifiers", [[0], [1, 2]], ids=["zero", "two"])
def test_a_subscription_identifier_is_one_and_not_zero(mqtt, version, topic, identifiers):
    client = mqtt(version)
    client.send(wire.subscribe(version, 1, [(topic, 0)], subscription_identifier=identifiers))
    client.refused(*EITHER)


@only_5
@clause("MQTT-3.8.3-3")
def test_no_local_keeps_own_messages_away_and_no_others(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe((topic, NO_LOCAL | 1))
    client.publish(topic, "own", qos=1)
    mqtt(version).publish(topic, "of another", qos=1)
    assert client.payloads() == ["of another"]


@only_5
@clause("MQTT-3.8.3-3")
def test_no_local_compares_client_identifiers_also_across_connections(mqtt, version, name, topic):
    first = mqtt(version, name, keep=True)
    first.subscribe((topic, NO_LOCAL | 1))
    first.publish(topic, "own", qos=1)
    first.drop()
    again = mqtt(version, name, clean=False, keep=True)
    again.publish(topic, "own too", qos=1)
    mqtt(version).publish(topic, "of another", qos=1)
    assert again.payloads() == ["of another"]


@only_5
@clause("MQTT-3.8.3-3")
def test_no_local_holds_for_own_retained_messages_and_on_later_connections(mqtt, version, name, topic):
    mqtt(version, name).publish(topic + "/own", "own", retain=True)
    mqtt(version).publish(topic + "/other", "of another", retain=True)
    client = mqtt(version, name)
    client.subscribe((topic + "/+", NO_LOCAL))
    assert client.payloads() == ["of another"]


@only_5
@clause("MQTT-3.8.3-3")
def test_no_local_holds_for_the_own_will(mqtt, version, name, topic):
    mortal = mqtt(version, name, keep=True, will=Will(topic, b"will"))
    mortal.subscribe((topic, NO_LOCAL | 1))
    mortal.drop()
    mqtt(version).publish(topic, "of another", qos=1)
    assert mqtt(version, name, clean=False, keep=True).payloads() == ["of another"]


@only_5
@clause("MQTT-3.8.3-3", "MQTT-3.3.4-2")
def test_no_local_holds_for_its_own_subscription_only(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe((topic + "/#", NO_LOCAL), (topic + "/a", 0))
    client.publish(topic + "/a", "heard through the other")
    client.publish(topic + "/b", "not heard")
    assert client.payloads() == ["heard through the other"]


@both
@clause("5.0 §3.8.4", "3.1.1 §3.8.4")
def test_messages_may_precede_the_suback_but_none_is_lost_after_it(mqtt, version, topic):
    client, publisher = mqtt(version), mqtt(version)
    client.subscribe(topic, qos=1)
    publisher.publish(topic, "at once", qos=1)
    assert client.payloads() == ["at once"]


# -- the end of subscriptions ---------------------------------------------------------------------


@both
@clause("MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4")
def test_unsubscribing_stops_new_messages(mqtt, version, topic):
    client, publisher = mqtt(version), mqtt(version)
    client.subscribe(topic, topic + "/other")
    client.unsubscribe(topic)
    publisher.publish(topic, "must not be heard")
    publisher.publish(topic + "/other", "marker")
    assert client.payloads() == ["marker"]


@both
@clause("MQTT-3.10.4-1")
def test_filters_are_compared_character_by_character(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/a", topic + "/+")
    answer = client.unsubscribe(topic + "/A", topic + "/#", topic + "/b", topic)
    assert answer.reasons == ([NO_SUBSCRIPTION_EXISTED] * 4 if version == V5 else [])
    client.unsubscribe(topic + "/+")
    client.publish(topic + "/a", "exact")
    client.publish(topic + "/b", "by the wildcard")
    assert client.payloads() == ["exact"]


@both
@clause("MQTT-3.10.4-4", "MQTT-3.10.4-5")
def test_unsubscribing_from_nothing_is_answered_too(mqtt, version, topic):
    answer = mqtt(version).unsubscribe(topic)
    assert answer.reasons == ([NO_SUBSCRIPTION_EXISTED] if version == V5 else [])


@both
@clause("MQTT-3.10.4-6", "MQTT-3.11.3-1", "MQTT-3.11.3-2")
def test_several_filters_in_one_unsubscribe_have_one_answer(mqtt, version, topic):
    client = mqtt(version)
    client.subscribe(topic + "/a", topic + "/b")
    answer = client.unsubscribe(topic + "/none", topic + "/a", topic + "/b", topic + "/a")
    assert answer.reasons == ([NO_SUBSCRIPTION_EXISTED, SUCCESS, SUCCESS, NO_SUBSCRIPTION_EXISTED] if version == V5 else [])
    client.publish(topic + "/a", "x")
    client.publish(topic + "/b", "x")
    assert client.messages() == []


@both
@clause("MQTT-3.10.4-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_deliveries_under_way_complete_after_an_unsubscribe(mqtt, version, name, topic, qos):
    client = mqtt(version, name, keep=True, acks=False)
    client.subscribe(topic, qos=qos)
    mqtt(version).publish(topic, "under way", qos=qos)
    packet = client.message()
    client.unsubscribe(topic)
    client.drop()
    again = mqtt(version, name, clean=False, keep=True)
    found = again.message()
    assert (found.payload, found.identifier, found.dup) == (b"under way", packet.identifier, True)
    assert again.messages() == []


@both
@clause("MQTT-3.10.4-3")
def test_a_qos_2_exchange_completes_after_an_unsubscribe(mqtt, version, topic):
    client = mqtt(version, acks=False)
    client.subscribe(topic, qos=2)
    mqtt(version).publish(topic, "x", qos=2)
    packet = client.message()
    client.unsubscribe(topic)
    client.acknowledge(packet)
    assert client.expect(wire.PUBREL).identifier == packet.identifier


@both
@clause("5.0 §3.8.4", "3.1.1 §3.8.4")
def test_many_filters_in_one_subscribe_are_all_granted(mqtt, version, topic):
    client = mqtt(version)
    filters = [f"{topic}/{at}/{unique()}" for at in range(200)]
    assert client.subscribe(*filters, qos=1).reasons == [1] * 200
    client.publish(filters[137], "x")
    assert client.payloads() == ["x"]
