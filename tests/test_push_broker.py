"""The part of MQTT that is served, and the honest refusal of the rest, to the byte."""

import signal
import socket
import struct
import threading
import time

import pytest
import websocket

from doctor import Server
from doctor.mqtt import CONNECT, DISCONNECT, PINGREQ, PUBLISH, SUBSCRIBE, Gone, Mqtt, binary, connect_packet, packet, properties, revision_of

SECRET, SESSION = "open sesame", "0123456789abcdef"


@pytest.fixture
def with_session(secured):
    with secured.http() as http:
        http.post("/sessions", {"id": SESSION, "permissions": "*"})
    return secured


def answer_to(server, data, timeout=10):
    """Everything that the server sends to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", server.mqtt), timeout) as raw:
        raw.sendall(data)
        got = b""
        try:
            while more := raw.recv(4096):
                got += more
        except ConnectionResetError:
            pass
        return got


# -- who is let in ----------------------------------------------------------------------------


@pytest.mark.parametrize("user, password", [
    (None, None), ("connector", "wrong"), ("connector", None), ("connector", ""), ("session", "unknown"),
    ("session", SECRET), ("connector", SESSION), ("admin", SECRET), ("", ""),
])
@pytest.mark.parametrize("version, refused", [(4, 4), (5, 0x86)])
def test_other_credentials_are_refused_without_a_hint(with_session, user, password, version, refused):
    with Mqtt(with_session.mqtt, user, password, version=version) as client:
        assert client.code == refused and client.session_present == 0
        assert not client.connack.get("reason_string")
        client.wait_closed()


@pytest.mark.parametrize("user, password", [("connector", SECRET), ("session", SESSION)])
@pytest.mark.parametrize("version", [4, 5])
def test_the_connector_and_known_sessions_are_let_in(with_session, user, password, version):
    with Mqtt(with_session.mqtt, user, password, version=version) as client:
        assert client.code == 0 and client.session_present == 0
        client.ping()


@pytest.mark.parametrize("user, password", [(None, None), ("connector", "x"), ("session", "unknown"), ("a", "b")])
def test_anybody_is_let_in_when_unsecured(server, user, password):
    with Mqtt(server.mqtt, user, password) as client:
        assert client.code == 0 and client.subscribe("#") == [0]


def test_failed_logins_are_delayed_and_good_ones_are_not(with_session):
    for _ in range(4):
        with Mqtt(with_session.mqtt, "session", "unknown", timeout=20) as client:
            assert client.code == 4
    slow = time.monotonic()
    thread = threading.Thread(target=lambda: Mqtt(with_session.mqtt, "session", "unknown", timeout=20).close())
    thread.start()
    time.sleep(0.02)
    started = time.monotonic()
    with Mqtt(with_session.mqtt, "session", SESSION) as client:
        assert client.code == 0
    assert time.monotonic() - started < 0.5
    thread.join()
    assert 0.1 < time.monotonic() - slow < 7


# -- what is served ---------------------------------------------------------------------------


def test_a_5_0_client_is_told_the_limits_and_that_all_is_served(server):
    with Mqtt(server.mqtt, version=5, more={"session_expiry": 100}) as client:
        assert client.code == 0
        said = client.connack
        assert said["maximum_packet_size"] > 0 and said["receive_maximum"] > 0 and said["topic_alias_maximum"] > 0
        for name in ("maximum_qos", "retain_available", "shared_available", "subscription_identifiers_available", "wildcard_available"):
            assert said.get(name, 1) == 1 or name == "maximum_qos" and name not in said
        assert "session_expiry" not in said, "what it asked for"


def test_a_client_without_an_id_is_given_one(server):
    with Mqtt(server.mqtt, version=5, client_id="") as client:
        assert client.code == 0 and client.connack["assigned_client_id"]
    with Mqtt(server.mqtt, version=4, client_id="") as client:
        assert client.code == 0
    with Mqtt(server.mqtt, version=4, client_id="", clean=False) as client:
        assert client.code == 2
        client.wait_closed()


@pytest.mark.parametrize("version", [4, 5])
def test_a_kept_session_hears_every_change_that_it_missed(server, version):
    more = {"more": {"session_expiry": 100}} if version == 5 else {}
    with server.http() as http:
        with Mqtt(server.mqtt, version=version, client_id="kept", clean=False, **more) as client:
            assert client.session_present == 0
            client.subscribe("vm/+", qos=1)
        http.put("/entities/vm", [{"id": str(n)} for n in range(1000)])
        http.delete("/entities/vm/1")
        with Mqtt(server.mqtt, version=version, client_id="kept", clean=False, **more) as client:
            assert client.session_present == 1
            assert client.heard(1001) == [(f"vm/{n}", "+") for n in range(1000)] + [("vm/1", "-")]


def test_the_suback_of_5_0_tells_the_revision_after_which_everything_is_heard(server):
    with server.http() as http, Mqtt(server.mqtt, version=5) as client:
        http.put("/entities/vm/1", {})
        assert client.subscribe("vm/+") == [0]
        assert dict(client.suback["user"])["revision"] == "1"
        http.put("/entities/vm/2", {})
        message = client.hear()
        assert (message.topic, message.payload, revision_of(message)) == ("vm/2", "+", 2)


def test_every_change_after_the_revision_of_the_suback_is_heard_while_others_write(server):
    stop = threading.Event()

    def write():
        with server.http() as http:
            number = 0
            while not stop.is_set():
                number += 1
                http.put("/entities/vm/1", {"n": number})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            with Mqtt(server.mqtt, version=5) as client:
                client.subscribe("vm/+")
                revision = int(dict(client.suback["user"])["revision"])
                heard = [revision_of(client.hear()) for _ in range(5)]
                later = [one for one in heard if one > revision]
                assert later and later == list(range(revision + 1, revision + 1 + len(later))), (revision, heard)
    finally:
        stop.set()
        writer.join()


def test_a_filter_is_granted_the_qos_that_it_asks_for(server):
    for version in (4, 5):
        with Mqtt(server.mqtt, version=version) as client:
            assert client.subscribe("a", qos=0) == [0]
            assert client.subscribe("b", "c/+", "#", qos=1) == [1, 1, 1]
            assert client.subscribe("d", qos=2) == [2]


def test_any_filter_is_accepted_of_a_session(with_session):
    with with_session.http() as http:
        http.patch(f"/sessions/{SESSION}", {"permissions": {}})
    with Mqtt(with_session.mqtt, "session", SESSION) as client:
        assert client.subscribe("#", "vm/1", "+/+", "$SYS/#") == [0, 0, 0, 0]


@pytest.mark.parametrize("filter", ["a/#/b", "a#", "a/b+", "", "#/"])
def test_a_filter_that_is_none_is_refused_or_closes(server, filter):
    with Mqtt(server.mqtt, version=5) as client:
        try:
            assert client.subscribe(filter)[0] >= 0x80
        except Gone as gone:
            assert gone.reason in (0x81, 0x82, 0x8F)


def test_the_members_of_a_shared_subscription_hear_each_change_once_together(server):
    with server.http() as http, Mqtt(server.mqtt) as one, Mqtt(server.mqtt, version=5) as two:
        for client in (one, two):
            assert client.subscribe("$share/group/vm/+") == [0]
        http.put("/entities/vm", [{"id": str(n)} for n in range(100)])
        first, second = one.heard(50), two.heard(50)
        assert sorted(first + second) == sorted((f"vm/{n}", "+") for n in range(100))


def test_unsubscribe_says_whether_there_was_a_subscription(server):
    with Mqtt(server.mqtt, version=5) as client:
        client.subscribe("vm/+")
        assert client.unsubscribe("vm/+", "none") == [0, 0x11]
    with Mqtt(server.mqtt, version=4) as client:
        assert client.unsubscribe("none") == []


def test_overlapping_filters_deliver_once_at_the_highest_qos_or_once_each(server):
    with server.http() as http, Mqtt(server.mqtt) as client:
        client.subscribe("vm/+", qos=0)
        client.subscribe("vm/1", qos=1)
        http.put("/entities/vm/1", {})
        http.put("/entities/vm/2", {})
        first = client.hear()
        assert (first.topic, first.payload) == ("vm/1", "+")
        heard = []
        while not heard or heard[-1].topic != "vm/2":
            heard.append(client.hear())
        assert 1 in [first.qos, *(one.qos for one in heard[:-1])] and len(heard) <= 2


def test_the_same_client_id_takes_over_within_one_principal(with_session):
    with Mqtt(with_session.mqtt, "session", SESSION, version=5, client_id="same") as old:
        old.subscribe("#")
        with Mqtt(with_session.mqtt, "connector", SECRET, version=5, client_id="same") as other:
            old.ping()
            with Mqtt(with_session.mqtt, "session", SESSION, version=5, client_id="same") as new:
                assert old.wait_closed() == 0x8E
                other.ping()
                new.ping()


def test_keep_alive_closes_a_silent_client_after_one_and_a_half_periods(server):
    with Mqtt(server.mqtt, version=5, keep_alive=1) as client:
        started = time.monotonic()
        assert client.wait_closed(10) in (0x8D, None)
        assert 1.4 < time.monotonic() - started < 4


def test_what_came_while_the_server_was_stopped_kept_the_connection_alive():
    with Server() as server, Mqtt(server.mqtt, version=5, keep_alive=1) as client, Mqtt(server.mqtt, version=5, keep_alive=1) as silent:
        server.process.send_signal(signal.SIGSTOP)
        for _ in range(5):
            client.send(packet(PINGREQ, 0, b""))
            time.sleep(0.6)
        server.process.send_signal(signal.SIGCONT)
        assert silent.wait_closed() == 0x8D
        client.ping()


def test_a_connection_without_connect_is_closed(server):
    assert answer_to(server, packet(SUBSCRIBE, 2, struct.pack("!H", 1) + binary("#") + b"\0")) == b""


# -- publishing -------------------------------------------------------------------------------


def test_the_connector_publishes_at_qos_0_and_1(with_session):
    with Mqtt(with_session.mqtt, "connector", SECRET) as boss, Mqtt(with_session.mqtt, "session", SESSION) as ann:
        ann.subscribe("news", qos=1)
        boss.publish("news", "zero")
        assert boss.publish("news", "one", qos=1) == 0
        assert [(one.payload, one.qos) for one in (ann.hear(), ann.hear())] == [("zero", 0), ("one", 1)]


def test_a_session_may_not_publish(with_session):
    with Mqtt(with_session.mqtt, "connector", SECRET) as boss:
        boss.subscribe("#")
        with Mqtt(with_session.mqtt, "session", SESSION, version=5) as ann:
            assert ann.publish("news", "one", qos=1) == 0x87
            ann.publish("news", "zero")
            ann.ping()
        with Mqtt(with_session.mqtt, "session", SESSION, version=4) as ann:
            assert ann.publish("news", "one", qos=1) == 0
            ann.ping()
        assert boss.hear(0.2) is None
    refused = {name: value for name, value in with_session.metrics().items() if "mqtt" in name and "refused" in name or "denied" in name}
    assert sum(refused.values()) >= 3, refused


def test_a_retained_message_is_heard_live_and_by_who_comes_later(server):
    with Mqtt(server.mqtt) as reader, Mqtt(server.mqtt) as writer:
        reader.subscribe("news")
        writer.publish("news", "now", retain=True)
        message = reader.hear()
        assert (message.payload, message.retain) == ("now", 0)
        with Mqtt(server.mqtt, version=5) as late:
            late.subscribe("news")
            message = late.hear()
            assert (message.payload, message.retain) == ("now", 1)
        assert server.metrics()["doctor_mqtt_retained_messages"] >= 1


@pytest.mark.parametrize("version", [4, 5])
def test_a_will_is_published_when_its_client_is_lost(with_session, version):
    with Mqtt(with_session.mqtt, "connector", SECRET) as reader:
        reader.subscribe("gone")
        Mqtt(with_session.mqtt, "connector", SECRET, version=version, will=("gone", "x")).close()
        assert reader.heard(1) == [("gone", "x")]


def test_a_will_of_a_session_is_refused(with_session):
    with Mqtt(with_session.mqtt, "session", SESSION, version=5, will=("gone", "x")) as client:
        assert client.code == 0x87
        client.wait_closed()
    assert answer_to(with_session, connect_packet("a", 4, "session", SESSION, will=("gone", "x"))) == b"\x20\x02\x00\x05"


# -- what is malformed ------------------------------------------------------------------------

MALFORMED = {
    "a length of five bytes": b"\x82\xff\xff\xff\xff\x01",
    "a length with a needless byte": b"\xc0\x80\x00",
    "a reserved packet type": b"\x00\x00",
    "reserved header flags": b"\x80" + bytes([len(binary("a")) + 3]) + b"\x00\x01" + binary("a") + b"\x00",
    "packet identifier 0": packet(SUBSCRIBE, 2, b"\x00\x00" + binary("a") + b"\x00"),
    "no filter": packet(SUBSCRIBE, 2, b"\x00\x01"),
    "QoS 3": packet(PUBLISH, 6, binary("a") + b"\x00\x01x"),
    "DUP with QoS 0": packet(PUBLISH, 8, binary("a") + b"x"),
    "a wildcard in a topic": packet(PUBLISH, 0, binary("a/#") + b"x"),
    "a surrogate in a topic": packet(PUBLISH, 0, binary(b"\xed\xa0\x80") + b"x"),
    "U+0000 in a topic": packet(PUBLISH, 0, binary("a\0") + b"x"),
    "a topic beyond the packet": packet(PUBLISH, 0, b"\x00\x09ab"),
    "a second CONNECT": connect_packet("again"),
    "a server's packet": b"\x20\x02\x00\x00",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_packet_closes_its_own_connection_and_nothing_else(server, data):
    with Mqtt(server.mqtt) as other:
        other.subscribe("#")
        with Mqtt(server.mqtt) as client:
            client.send(data)
            assert client.wait_closed() is None  # 3.1.1 knows no reasons
        with server.http() as http:
            http.put("/entities/vm/1", {})
        assert other.hear().topic == "vm/1"


def test_a_malformed_packet_of_5_0_is_told_why(server):
    for data in (b"\x82\xff\xff\xff\xff\x01", packet(SUBSCRIBE, 2, b"\x00\x00\x00" + binary("a") + b"\x00")):
        with Mqtt(server.mqtt, version=5) as client:
            client.send(data)
            assert client.wait_closed() in (0x81, 0x82)


def test_a_packet_beyond_the_maximum_size_is_refused(server):
    with Mqtt(server.mqtt, version=5) as client:
        client.send(b"\x30" + b"\xff\xff\xff\x7f" + b"\x00\x01a")
        assert client.wait_closed() == 0x95


def test_an_unknown_version_is_told_so(server):
    unknown = bytearray(connect_packet("a"))
    unknown[8] = 6
    assert answer_to(server, bytes(unknown))[:1] in (b"\x20", b"")
    assert answer_to(server, packet(CONNECT, 0, binary("MQXX") + b"\x04\x02\x00\x00" + binary("a"))) == b""


def test_an_unknown_authentication_method_is_refused(server):
    with Mqtt(server.mqtt, version=5, more={"authentication_method": "SCRAM"}) as client:
        assert client.code == 0x8C


def test_a_disconnect_ends_the_connection(server):
    with Mqtt(server.mqtt) as client:
        client.send(packet(DISCONNECT, 0, b""))
        assert client.wait_closed() is None


# -- bounds -----------------------------------------------------------------------------------


def test_the_number_of_subscriptions_is_bounded():
    with Server(config="limits.mqtt_subscriptions = 3\n") as server, Mqtt(server.mqtt, version=5) as client:
        assert client.subscribe("a", "b", "c", "d") == [0, 0, 0, 0x97]
        assert client.subscribe("a") == [0]
        client.unsubscribe("a")
        assert client.subscribe("e") == [0]


def test_the_levels_of_a_filter_are_bounded(server):
    with Mqtt(server.mqtt, version=5) as client:
        try:
            assert client.subscribe("/".join(["a"] * 1000))[0] >= 0x80
        except Gone as gone:
            assert gone.reason is not None


def test_receive_maximum_bounds_what_is_unacknowledged(server):
    with server.http() as http, Mqtt(server.mqtt, version=5, more={"receive_maximum": 3}) as client:
        client.subscribe("#", qos=1)
        client.send_acknowledgements = False
        http.put("/entities/vm", [{"id": str(n)} for n in range(10)])
        assert len(client.heard(10, timeout=0.3)) == 3
        client.acknowledge()
        assert len(client.heard(10, timeout=0.3)) == 3


# -- WebSocket --------------------------------------------------------------------------------


def test_over_websocket_packets_need_not_be_aligned_with_frames(server):
    web = websocket.create_connection(f"ws://127.0.0.1:{server.api}/mqtt", subprotocols=["mqtt"], timeout=10)
    assert web.getsubprotocol() == "mqtt"
    data = connect_packet("web") + packet(SUBSCRIBE, 2, struct.pack("!H", 1) + binary("#") + b"\0")
    for byte in data[:20]:
        web.send_binary(bytes([byte]))
    web.ping("between")
    web.send_binary(data[20:])
    got = b""
    while len(got) < 9:
        got += web.recv()
    assert got == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00"
    with server.http() as http:
        http.put("/entities/vm/1", {})
    assert web.recv() == b"\x30\x07\x00\x04vm/1+"
    web.close()


def test_over_websocket_text_is_refused(server):
    web = websocket.create_connection(f"ws://127.0.0.1:{server.api}/mqtt", subprotocols=["mqtt"], timeout=10)
    web.send("hello")
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while True:
            if web.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionError


@pytest.mark.parametrize("path, headers, status", [
    ("/mqtt", {"Origin": "https://evil.example"}, 403), ("/", {"Origin": "https://evil.example"}, 403),
    ("/mqtt", {"Host": "evil.example"}, 403), ("/entities", {}, None),
])
def test_a_websocket_upgrade_from_elsewhere_is_refused(server, path, headers, status):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "mqtt"}
    with server.http() as http:
        answer = http.get(path, headers={**upgrade, **headers})
        assert answer.status == status if status else answer.status != 101


def test_a_deleted_session_is_disconnected_over_websocket_too(with_session):
    web = websocket.create_connection(f"ws://127.0.0.1:{with_session.api}/mqtt", subprotocols=["mqtt"], timeout=10)
    web.send_binary(connect_packet("web", 4, "session", SESSION))
    assert web.recv() == b"\x20\x02\x00\x00"
    with with_session.http() as http:
        http.delete(f"/sessions/{SESSION}")
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while True:
            if web.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionError
