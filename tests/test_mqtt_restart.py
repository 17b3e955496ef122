"""What MQTT promises outlives the process, whether that was stopped or killed (SIGKILL) at that moment."""

import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from doctor import Server
from doctor.kept import connected, set_aside
from mqtt_conformance import wire
from mqtt_conformance.wire import PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, V311

SECRET, SESSION, OTHER_SESSION = "open sesame", "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(params=["stopped", "killed"])
def again(request):
    """again(server, away=seconds): the process ends, and another begins with what it has left."""

    def end_and_start(server, away=0.0):
        if request.param == "killed":
            server.kill()
        else:
            assert server.stop() == 0
        time.sleep(away)
        server.start()
        assert not set_aside(server), server.log

    return end_and_start


def killed(server):
    server.kill()
    server.start()
    assert not set_aside(server), server.log


both = pytest.mark.parametrize("version", [pytest.param(V311, id="3.1.1"), pytest.param(V5, id="5.0")])


# -- sessions ---------------------------------------------------------------------------------


@both
def test_a_kept_session_has_its_subscriptions_and_its_queue_after_a_restart(server, again, version):
    away = connected(server, "away", version)
    away.subscribe("a/+", ("b/#", 2), qos=1)
    away.disconnect()
    with_both = connected(server, version=version)
    for number in range(20):
        with_both.publish(f"a/{number % 3}", str(number), qos=1 + number % 2)
        with_both.publish(f"b/{number % 3}", str(number), qos=2)
    again(server)
    back = connected(server, "away", version, resume=True)
    found = back.messages()
    assert [(m.topic[0], m.payload.decode(), m.qos) for m in found] == [
        one for number in range(20) for one in [("a", str(number), 1), ("b", str(number), 2)]]
    assert not any(m.dup for m in found)
    back.disconnect()
    # Nothing of it comes twice, and the subscriptions are still there.
    again(server)
    connected(server, version=version).publish("b/new", "new", qos=2)
    assert connected(server, "away", version, resume=True).payloads() == ["new"]


@both
def test_paho_finds_its_session_again(server, again, version):
    """The real library, which keeps what it has not acknowledged by itself."""
    def client(expected=0):
        made = paho.Client("paho", protocol=version, **({"clean_session": False} if version == V311 else {}))
        made.heard, made.up, made.ready, made.whole = [], threading.Event(), threading.Event(), threading.Event()
        made.on_connect = lambda *_: made.up.set()
        made.on_subscribe = lambda *_: made.ready.set()

        def on_message(_, __, message):
            made.heard.append(message.payload.decode())
            if len(made.heard) >= expected:
                made.whole.set()

        made.on_message = on_message
        more = {}
        if version == V5:
            more = {"clean_start": False, "properties": Properties(PacketTypes.CONNECT)}
            more["properties"].SessionExpiryInterval = 100
        made.connect("127.0.0.1", server.mqtt, keepalive=30, **more)
        made.loop_start()
        assert made.up.wait(10)
        return made

    first = client()
    first.subscribe("t/#", 2)
    assert first.ready.wait(10)
    first.disconnect()
    first.loop_stop()
    publisher = connected(server)
    for number in range(30):
        publisher.publish(f"t/{number}", str(number), qos=2)
    again(server)
    back = client(expected=30)
    assert back.whole.wait(10), back.heard
    assert back.heard == [str(number) for number in range(30)]
    back.disconnect()
    back.loop_stop()


def test_what_a_subscription_was_made_with_is_kept(server, again):
    away = connected(server, "away")
    away.subscribe(("none/#", 1 | 4), qos=1)  # no local
    away.subscribe(("all/#", 2 | 8), subscription_identifier=7)  # retain as published
    away.subscribe(("all/+", 1), subscription_identifier=9)
    away.subscribe("gone/#", qos=1)
    away.unsubscribe("gone/#")
    away.disconnect()
    again(server)
    back = connected(server, "away", resume=True)
    back.publish("none/1", "mine", qos=1)
    other = connected(server)
    other.publish("gone/1", "gone", qos=1)
    other.publish("none/1", "theirs", qos=1)
    other.publish("all/1", "kept", qos=2, retain=True)
    found = {m.payload: m for m in back.messages()}
    assert set(found) == {b"theirs", b"kept"}
    assert found[b"kept"].retain and found[b"kept"].qos == 2
    assert sorted(found[b"kept"].properties["subscription_identifier"]) == [7, 9]


def test_the_properties_of_a_queued_message_are_kept(server, again):
    away = connected(server, "away")
    away.subscribe("t", qos=2)
    away.disconnect()
    more = dict(payload_format_indicator=1, content_type="text/plain", response_topic="answer/1",
                correlation_data=b"\0\1\2", user_property=[("a", "1"), ("b", "2"), ("a", "3")])
    connected(server).publish("t", "öß", qos=2, **more)
    again(server)
    (found,) = connected(server, "away", resume=True).messages()
    assert found.payload.decode() == "öß"
    assert {name: found.properties[name] for name in more} == more


@both
def test_sessions_that_were_not_to_be_kept_are_not(server, again, version):
    clean = connected(server, "clean", version, keep=False)
    clean.subscribe("t", qos=1)
    ended = connected(server, "ended", version)
    ended.subscribe("t", qos=1)
    ended.disconnect()
    connected(server, "ended", version, keep=False).disconnect()
    again(server)
    for name in ("clean", "ended"):
        back = connected(server, name, version, resume=False)
        connected(server, version=version).publish("t", "lost", qos=1)
        assert back.messages() == []


def test_session_expiry_goes_on_while_the_server_is_away(server, again):
    for name, seconds in (("short", 2), ("long", 100), ("never", 0xFFFFFFFF)):
        connected(server, name, session_expiry_interval=seconds).disconnect()
    again(server, away=1.2)
    again(server, away=1.2)
    connected(server, "short", resume=False)
    connected(server, "long", resume=True)
    connected(server, "never", resume=True)


def test_the_expiry_of_a_session_whose_client_was_there_begins_with_the_end(server, again):
    first = connected(server, "first", session_expiry_interval=2)
    second = connected(server, "second", session_expiry_interval=100)
    again(server)
    connected(server, "first", resume=True, session_expiry_interval=2).disconnect()
    time.sleep(0.2)  # an end that is not noted yet is as if the client had stayed
    again(server, away=2.5)
    connected(server, "first", resume=False)
    connected(server, "second", resume=True)
    first.stream.close(), second.stream.close()


# -- retained messages ------------------------------------------------------------------------


@both
def test_retained_messages_are_kept_and_deleted_ones_stay_deleted(server, again, version):
    publisher = connected(server, version=version)
    for number in range(30):
        publisher.publish(f"r/{number}", "old", qos=number % 3, retain=True)
        if number % 3 == 1:
            publisher.publish(f"r/{number}", "", qos=1, retain=True)
        if number % 3 == 2:
            publisher.publish(f"r/{number}", "new", qos=1, retain=True)
    publisher.publish("r/last", "", qos=1, retain=True)
    for _ in range(2):
        again(server)
        reader = connected(server, version=version)
        reader.subscribe("r/#", qos=2)
        found = reader.messages()
        assert all(m.retain for m in found)
        assert {m.topic: (m.payload, m.qos) for m in found} == {
            f"r/{number}": (b"old", 0) if number % 3 == 0 else (b"new", 1) for number in range(30) if number % 3 != 1}


def test_messages_expire_while_the_server_is_away(server, again):
    away = connected(server, "away")
    away.subscribe("q/#", qos=1)
    away.disconnect()
    publisher = connected(server)
    for kind in ("q", "r"):
        publisher.publish(f"{kind}/short", "x", qos=1, retain=True, message_expiry_interval=1)
        publisher.publish(f"{kind}/long", "x", qos=1, retain=True, message_expiry_interval=100)
        publisher.publish(f"{kind}/ever", "x", qos=1, retain=True)
    again(server, away=1.3)
    reader = connected(server)
    reader.subscribe("r/#", qos=1)
    for found, kind in ((connected(server, "away", resume=True).messages(), "q"), (reader.messages(), "r")):
        left = {m.topic: m.properties.get("message_expiry_interval") for m in found}
        assert set(left) == {f"{kind}/long", f"{kind}/ever"}
        assert left[f"{kind}/ever"] is None and 80 <= left[f"{kind}/long"] <= 99


# -- wills ------------------------------------------------------------------------------------


def will(payload, delay=0, qos=2):
    return wire.Will("will/" + payload, payload.encode(), qos, properties={"will_delay_interval": delay})


@pytest.fixture
def mourner(server):
    """The name of a kept session that hears wills."""
    kept = connected(server, "mourner")
    kept.subscribe("will/#", qos=2)
    kept.disconnect()
    return "mourner"


def test_a_will_that_was_due_while_the_server_was_away_is_published_at_its_start(server, again, mourner):
    connected(server, "gone", will=will("gone", delay=1)).drop()
    connected(server, "waits", will=will("waits", delay=60)).drop()
    connected(server, "ends", will=will("ends", delay=60), session_expiry_interval=1).drop()
    connected(server, "polite", will=will("polite", delay=1)).disconnect()
    time.sleep(0.1)
    again(server, away=1.5)
    heard = connected(server, mourner, resume=True)
    assert sorted(heard.message().payload for _ in range(2)) == [b"ends", b"gone"]
    assert heard.messages() == []


def test_a_will_whose_delay_ends_after_the_restart_is_published_then(server, again, mourner):
    connected(server, "late", will=will("late", delay=2)).drop()
    connected(server, "returns", will=will("returns", delay=2)).drop()
    time.sleep(0.1)
    again(server)
    heard = connected(server, mourner, resume=True)
    assert heard.messages() == []
    connected(server, "returns", resume=True)  # in time
    assert heard.message(timeout=6).payload == b"late"
    time.sleep(0.5)
    assert heard.messages() == []


def test_the_will_of_a_client_that_was_there_is_published_once(server, again, mourner):
    there = [connected(server, "there", will=will("there")), connected(server, will=will("unkept"))]
    again(server)
    heard = connected(server, mourner, resume=True)
    assert sorted(heard.message().payload for _ in range(2)) == [b"there", b"unkept"]
    assert heard.messages() == []
    heard.disconnect()
    again(server)
    assert connected(server, mourner, resume=True).messages() == []
    for client in there:
        client.stream.close()


# -- exchanges that the end interrupts ------------------------------------------------------------


@pytest.fixture
def listener(server):
    """The name of a kept session that hears `t` at QoS 2."""
    kept = connected(server, "listener")
    kept.subscribe("t", qos=2)
    kept.disconnect()
    return "listener"


def heard_by(server, name):
    client = connected(server, name, resume=True)
    found = client.payloads()
    client.disconnect()
    return found


@both
def test_a_message_that_was_acknowledged_is_not_lost(server, listener, version):
    publisher = connected(server, version=version)
    for number in range(5):
        for qos in (1, 2):
            publisher.publish("t", f"{number} at {qos}", qos=qos)
        killed(server)
        publisher = connected(server, version=version)
    assert heard_by(server, listener) == [f"{number} at {qos}" for number in range(5) for qos in (1, 2)]


@both
@pytest.mark.parametrize("known", [False, True], ids=["PUBREC lost", "PUBREC heard"])
def test_qos_2_to_the_server_killed_after_publish(server, listener, version, known):
    publisher = connected(server, "publisher", version)
    publisher.send(wire.publish(version, "t", "once", 2, identifier=7))
    publisher.expect(PUBREC)
    killed(server)
    publisher = connected(server, "publisher", version, resume=True)
    if not known:
        publisher.send(wire.publish(version, "t", "once", 2, dup=True, identifier=7))
        assert publisher.expect(PUBREC).identifier == 7
    publisher.send(wire.acknowledge(PUBREL, 7))
    answer = publisher.expect(PUBCOMP)
    assert answer.identifier == 7 and not answer.reason, "a PUBREC was sent, so the identifier is known"
    assert heard_by(server, listener) == ["once"]


@both
def test_qos_2_to_the_server_killed_after_pubrel(server, listener, version):
    publisher = connected(server, "publisher", version)
    publisher.send(wire.publish(version, "t", "once", 2, identifier=7))
    publisher.expect(PUBREC)
    publisher.send(wire.acknowledge(PUBREL, 7))
    server.kill()
    server.start()
    publisher = connected(server, "publisher", version, resume=True)
    publisher.send(wire.acknowledge(PUBREL, 7))
    assert publisher.expect(PUBCOMP).identifier == 7
    assert heard_by(server, listener) == ["once"]


@both
def test_an_identifier_whose_exchange_was_completed_stands_for_another_message(server, listener, version):
    for payload in ("one", "two", "three"):
        publisher = connected(server, "publisher", version, resume=payload != "one")
        publisher.publish("t", payload, qos=2, identifier=7)
        killed(server)
    assert heard_by(server, listener) == ["one", "two", "three"]


@both
def test_a_publish_that_may_not_have_come_is_sent_again_and_heard_once(server, listener, version):
    for number in range(5):
        publisher = connected(server, "publisher", version, resume=number > 0)
        publisher.send(wire.publish(version, "t", str(number), 2, identifier=7))
        time.sleep(0.002 * number)
        killed(server)
        publisher = connected(server, "publisher", version, resume=True)
        publisher.send(wire.publish(version, "t", str(number), 2, dup=True, identifier=7))
        publisher.expect(PUBREC)
        publisher.send(wire.acknowledge(PUBREL, 7))
        publisher.expect(PUBCOMP)
        publisher.disconnect()
    assert heard_by(server, listener) == [str(number) for number in range(5)]


def sent(server, version, qos, count=3):
    """A kept session to which messages were sent that it has not acknowledged."""
    client = connected(server, "receiver", version, acks=False)
    client.subscribe("t", qos=qos)
    publisher = connected(server, version=version)
    for number in range(count):
        publisher.publish("t", str(number), qos=qos)
    return client, [client.message() for _ in range(count)]


@both
@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_sent_and_not_acknowledged_comes_again_with_dup_its_identifier_and_in_order(server, version, qos):
    client, packets = sent(server, version, qos)
    client.acknowledge(packets[1])
    if qos == 2:
        assert client.expect(PUBREL).identifier == packets[1].identifier
    client.ping()
    connected(server, version=version).publish("t", "new", qos=qos)
    client.drop()
    killed(server)
    back = connected(server, "receiver", version, resume=True, acks=False)
    back.settle()
    found = list(back.inbox)
    repeated = [(p.payload, p.identifier) for p in found if p.kind == PUBLISH and p.dup]
    assert repeated[0] == (packets[0].payload, packets[0].identifier)
    assert (packets[2].payload, packets[2].identifier) in repeated
    first_time = list(dict.fromkeys(p.payload for p in found if p.kind == PUBLISH))
    if qos == 1:
        assert first_time in ([b"0", b"2", b"new"], [b"0", b"1", b"2", b"new"])  # its PUBACK may not have been noted yet
    else:
        assert first_time == [b"0", b"2", b"new"]
        assert [p.identifier for p in found if p.kind == PUBREL] == [packets[1].identifier]
    assert len({p.identifier for p in found}) == len(found), "an identifier is in use twice"


@both
def test_qos_2_from_the_server_killed_after_pubrec(server, version):
    client, packets = sent(server, version, 2)
    for packet in packets:
        client.acknowledge(packet)
    killed(server)
    # Whether the PUBREC had come: it goes on with the one or the other, never with a new identifier.
    back = connected(server, "receiver", version, resume=True, acks=False)
    back.settle()
    assert [p.identifier for p in back.inbox] == [packet.identifier for packet in packets]
    assert all(p.kind == PUBREL or p.dup for p in back.inbox)
    for packet in list(back.inbox):
        if packet.kind == PUBLISH:
            back.acknowledge(packet)
            back.expect(PUBREL)
        back.send(wire.acknowledge(PUBCOMP, packet.identifier))
    back.disconnect()
    assert connected(server, "receiver", version, resume=True).messages() == []


@both
def test_qos_2_from_the_server_killed_after_pubcomp(server, version):
    client, packets = sent(server, version, 2)
    for packet in packets:
        client.acknowledge(packet)
        client.expect(PUBREL)
        client.send(wire.acknowledge(PUBCOMP, packet.identifier))
    connected(server, version=version).publish("t", "new", qos=2)
    client.drop()
    killed(server)
    back = connected(server, "receiver", version, resume=True)
    assert [m.payload for m in back.messages()] == [b"new"]
    back.disconnect()
    killed(server)
    assert connected(server, "receiver", version, resume=True).messages() == []


# -- announcements ----------------------------------------------------------------------------


@both
def test_no_announcement_to_a_kept_session_is_lost(server, again, version):
    for qos in (1, 2):
        away = connected(server, f"away {qos}", version)
        away.subscribe("vm/+", qos=qos)
        away.disconnect()
    expected = []
    for round in range(3):
        with server.http() as http:
            for number in range(20):
                http.put(f"/entities/vm/{number}", {"round": round})
                expected.append((f"vm/{number}", "+" if round == 0 else "round"))
        again(server)
    for qos in (1, 2):
        found = connected(server, f"away {qos}", version, resume=True).messages()
        assert [(m.topic, m.payload.decode()) for m in found] == expected
        assert not any(m.dup for m in found) and {m.qos for m in found} == {qos}


def test_announcements_to_a_client_that_was_there_come_once_at_qos_2(server, again):
    there = connected(server, "there", receive_maximum=3, acks=False)
    there.subscribe("vm/+", qos=2)
    with server.http() as http:
        http.put("/entities/vm", [{"id": str(number)} for number in range(50)])
    first = [there.message() for _ in range(3)]
    there.acknowledge(first[0])
    there.expect(PUBREL)
    again(server)
    back = connected(server, "there", resume=True, receive_maximum=3)
    taken = {first[0].identifier}
    found = []
    while len(found) < 49:
        packet = back.receive(timeout=3)
        assert packet, f"only {len(found)} came"
        if packet.kind == PUBLISH:
            assert packet.identifier not in taken
            found.append(int(packet.topic.removeprefix("vm/")))
        if packet.kind == PUBREL:
            taken.discard(packet.identifier)
    assert found == list(range(1, 50))
    assert back.messages() == []


def test_a_session_whose_announcements_the_commit_log_no_longer_has_is_ended(again):
    with Server(config="[limits]\nlog_size = \"4 KiB\"\n") as server:
        away = connected(server, "behind")
        away.subscribe("vm/+", qos=1)
        away.disconnect()
        again(server)
        with server.http() as http:
            for number in range(300):
                http.put(f"/entities/vm/{number}", {"a": 1})
        again(server)
        connected(server, "behind", resume=False)


# -- whose state it is --------------------------------------------------------------------------


def in_seconds(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_mqtt_state_goes_with_its_doctor_session(again):
    with Server(secret=SECRET) as server:
        with server.http() as http:
            for one in (SESSION, OTHER_SESSION):
                http.put(f"/sessions/{one}", {"permissions": "*"})
        for one in (SESSION, OTHER_SESSION):
            kept = connected(server, "tab", user="session", password=one)
            kept.subscribe("vm/+", qos=1)
            kept.disconnect()
        with server.http() as http:
            http.delete(f"/sessions/{SESSION}")
            http.put(f"/sessions/{SESSION}", {"permissions": "*"})
            http.put("/entities/vm/1", {"a": 1})
        again(server)
        connected(server, "tab", user="session", password=SESSION, resume=False)
        assert len(connected(server, "tab", user="session", password=OTHER_SESSION, resume=True).messages()) == 1


def test_mqtt_state_goes_with_a_doctor_session_that_expires_while_the_server_is_away(again):
    with Server(secret=SECRET) as server:
        with server.http() as http:
            http.put(f"/sessions/{SESSION}", {"permissions": "*", "expires": in_seconds(2)})
        kept = connected(server, "tab", user="session", password=SESSION)
        kept.subscribe("vm/+", qos=1)
        kept.disconnect()
        again(server, away=2.5)
        with server.http() as http:
            http.put(f"/sessions/{SESSION}", {"permissions": "*"})
        connected(server, "tab", user="session", password=SESSION, resume=False)


def test_what_a_session_may_no_longer_read_is_not_delivered_after_a_restart(again):
    with Server(secret=SECRET) as server:
        with server.http() as http:
            http.put(f"/sessions/{SESSION}", {"permissions": {"vm": ["1", "2"]}})
        kept = connected(server, "tab", user="session", password=SESSION)
        kept.subscribe("vm/+", qos=1)
        kept.disconnect()
        with server.http() as http:
            for number in (1, 2, 3):
                http.put(f"/entities/vm/{number}", {"a": 1})
            http.put(f"/sessions/{SESSION}", {"permissions": {"vm": ["2", "3"]}})
        time.sleep(0.2)  # an edit that is not noted yet ends the session: what was before it could not be judged
        again(server)
        back = connected(server, "tab", user="session", password=SESSION, resume=True)
        assert [m.topic for m in back.messages()] == ["vm/2"]


def test_equal_client_ids_of_different_principals_stay_apart(again):
    with Server(secret=SECRET) as server:
        with server.http() as http:
            http.put(f"/sessions/{SESSION}", {"permissions": "*"})
        logins = [dict(user="session", password=SESSION), dict(user="connector", password=SECRET)]
        for login, topic in zip(logins, ("vm/+", "host/+")):
            kept = connected(server, "same", **login)
            kept.subscribe(topic, qos=1)
            kept.disconnect()
        again(server)
        with server.http() as http:
            http.put("/entities/vm/1", {"a": 1})
            http.put("/entities/host/1", {"a": 1})
        assert [[m.topic for m in connected(server, "same", resume=True, **login).messages()] for login in logins] == [
            ["vm/1"], ["host/1"]]
