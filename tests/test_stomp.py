"""STOMP as its specification has it: frames, sessions, commands, acknowledgements, transactions, destinations."""

import socket
import time

import pytest

from doctor import Server
from doctor.stomp_wire import Stomp, written


@pytest.fixture(scope="module")
def running():
    with Server() as server:
        yield server


@pytest.fixture
def client(running):
    with Stomp(running.stomp) as connected:
        yield connected


# -- frames ---------------------------------------------------------------------------------------


def test_ends_of_lines_may_be_crlf_and_frames_may_have_room_between_them(running):
    with Stomp(running.stomp, connect=False) as client:
        client.raw(b"\r\n\nCONNECT\r\naccept-version:1.2\r\nhost:x\r\n\r\n\0\n\r\n\nSUBSCRIBE\r\nid:1\r\ndestination:a\r\nreceipt:r\r\n\r\n\0")
        assert client.expect("CONNECTED")["version"] == "1.2"
        assert client.expect("RECEIPT")["receipt-id"] == "r"


def test_frames_may_come_octet_by_octet(running):
    with Stomp(running.stomp, connect=False) as client:
        for octet in written("CONNECT", {"accept-version": "1.1", "host": "x"}) + written("SUBSCRIBE", {"id": "1", "destination": "a", "receipt": "r"}):
            client.raw(bytes([octet]))
        assert client.expect("CONNECTED")["version"] == "1.1"
        assert client.expect("RECEIPT")["receipt-id"] == "r"


def test_a_body_with_content_length_may_hold_any_octet(client):
    body = bytes(range(256)) * 40
    client.subscribe("a")
    client.publish("a", body, content_length=len(body))
    message = client.message()
    assert message.body == body and message["content-length"] == str(len(body))


def test_a_body_without_content_length_ends_at_nul(client):
    client.subscribe("a").publish("a", b"text").publish("a", b"")
    assert [client.message().body, client.message().body] == [b"text", b""]


@pytest.mark.parametrize("frame, why", [
    (b"SEND\ndestination:a\ncontent-length:-1\n\nx\0", "content-length"),
    (b"SEND\ndestination:a\ncontent-length:\n\nx\0", "content-length"),
    (b"SEND\ndestination:a\ncontent-length:99999999999\n\n", "stomp_body"),
    (b"SEND\ndestination:a\ncontent-length:1\n\nxy\0", "content-length"),
    (b"SUBSCRIBE\nid:1\ndestination:a\n\nbody\0", "body"),
    (b"SEND\ndestination:\0a\n\n\0", "NUL"),
    (b"SEND\nno colon\n\n\0", "colon"),
    (b"SEND\ndestination:a\\x\n\n\0", "escape"),
    (b"SEND\ndestination:\xff\n\n\0", "UTF-8"),
    (b"HELLO\n\n\0", "command"),
    (b"SEND\n" + b"".join(b"h%d:x\n" % i for i in range(200)) + b"\n\0", "stomp_headers"),
    (b"SEND\nx:" + b"y" * 20_000 + b"\n\n\0", "stomp_header_line"),
    (b"SEND\n" + b"".join(b"h%d:%s\n" % (i, b"y" * 16_000) for i in range(5)) + b"\n\0", "stomp_header_block"),
])
def test_what_is_not_a_frame_is_answered_with_error_and_the_end(running, frame, why):
    with Stomp(running.stomp) as client:
        client.raw(frame)
        assert why.lower() in client.error().lower()


def test_an_error_tells_which_frame_is_to_blame(client):
    client.send("SEND", {"receipt": "r:1"})
    frame = client.expect("ERROR")
    assert frame["message"] == "Missing destination" and frame["receipt-id"] == "r:1"
    assert frame["content-type"] == "text/plain" and frame["content-length"] == str(len(frame.body))
    assert client.frame(2) is None and client.ended == "closed"


def test_an_error_reaches_a_client_that_has_sent_more_meanwhile(running):
    for _ in range(20):
        with Stomp(running.stomp) as client:
            client.raw(written("NONSENSE") + b"SEND\ndestination:a\n\n" + b"x" * 200_000)
            assert client.expect("ERROR")["message"] == "Unknown command"


def test_http_on_the_port_of_stomp_is_refused_at_once(running):
    with Stomp(running.stomp, connect=False) as client:
        client.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.error() == "Unknown command"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_headers_go_through_escaped_as_each_version_has_it(running, version):
    value = "a\\b" if version == "1.0" else "a:b\\c\nd" + ("\r" if version == "1.2" else "")
    with Stomp(running.stomp, version=version) as client:
        client.subscribe("a").send("SEND", [("destination", "a"), ("x-header", value), ("x-header", "second")], b"")
        message = client.message()
        assert message["x-header"] == value
        assert [name for name, _ in message.pairs].count("x-header") == 1


def test_a_message_has_the_headers_of_its_send_and_none_that_are_its_own(client):
    client.subscribe("a", id="s")
    client.send("SEND", [("destination", "a"), ("b", "1"), ("receipt", "r"), ("subscription", "forged"), ("message-id", "forged"),
                         ("ack", "x"), ("a", "2"), ("content-type", "text/x")], b"body")
    message = client.message()
    assert client.expect("RECEIPT")["receipt-id"] == "r"
    assert message["subscription"] == "s" and message["message-id"] != "forged" and "ack" not in message.headers
    assert [pair for pair in message.pairs if pair[0] in ("b", "a", "content-type")] == [("b", "1"), ("a", "2"), ("content-type", "text/x")]
    assert "receipt" not in message.headers


# -- sessions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered, agreed", [(None, "1.0"), ("1.0", "1.0"), ("1.1", "1.1"), ("1.0,1.1,1.2", "1.2"), ("1.1, 1.0 ,2.0", "1.1")])
def test_the_highest_common_version_is_spoken(running, offered, agreed):
    for command in ("CONNECT", "STOMP"):
        with Stomp(running.stomp, connect=False) as client:
            client.send(command, {"accept-version": offered, "host": "x"})
            connected = client.expect("CONNECTED")
            assert connected["version"] == agreed
            assert connected["server"].startswith("Doctor/") and connected["session"] and connected["heart-beat"] == "0,0"


def test_no_common_version_is_told_with_those_that_are_served(running):
    with Stomp(running.stomp, connect=False) as client:
        client.send("CONNECT", {"accept-version": "2.0,3.0", "host": "x"})
        frame = client.expect("ERROR")
        assert frame["version"] == "1.0,1.1,1.2"
        assert client.frame(2) is None and client.ended


def test_no_two_connections_have_one_session(running):
    with Stomp(running.stomp) as one, Stomp(running.stomp) as other:
        assert one.connected["session"] != other.connected["session"]


def test_whoever_connects_twice_is_ended(client):
    client.send("CONNECT", {"accept-version": "1.2", "host": "x"})
    assert client.error() == "Already connected"


def test_nothing_but_subscribe_may_come_before_connect(running):
    with Stomp(running.stomp, connect=False) as client:
        client.publish("a", b"x")
        assert client.error() == "Not connected"


def test_disconnect_is_confirmed_if_asked_and_ends_all(running):
    with Stomp(running.stomp) as client, Stomp(running.stomp) as other:
        client.subscribe("a")
        client.send("DISCONNECT", {"receipt": "bye"}).publish("a", b"too late")
        assert client.expect("RECEIPT")["receipt-id"] == "bye"
        assert client.frame(2) is None and client.ended == "closed"
        other.subscribe("b").send("DISCONNECT")
        assert other.frame(2) is None and other.ended == "closed"


def test_heart_beats_go_both_ways_as_often_as_agreed(running):
    with Stomp(running.stomp, **{"heart-beat": "0,1000"}) as client:
        assert client.connected["heart-beat"] == "1000,0"
        client.frame(3.3)
        assert 2 <= client.beats <= 6
    with Stomp(running.stomp, **{"heart-beat": "200,0"}) as client:
        assert client.connected["heart-beat"] == "0,1000"
        for _ in range(8):
            client.raw(b"\n").silent(0.5)
        began = time.monotonic()
        assert client.expect("ERROR", 8)["message"] == "heart-beat"
        assert 1.5 < time.monotonic() - began < 6


def test_malformed_heart_beats_are_none(running):
    for text in ("x", "1", "-1,5", "1,2,3"):
        with Stomp(running.stomp, **{"heart-beat": text}) as client:
            assert client.connected["heart-beat"] == "0,0"


# -- commands -------------------------------------------------------------------------------------


def test_receipts_come_in_the_order_of_frames(client):
    for number in range(50):
        client.publish("nobody", b"x", receipt=number)
    assert [client.expect("RECEIPT")["receipt-id"] for _ in range(50)] == [str(n) for n in range(50)]


@pytest.mark.parametrize("command, headers, why", [
    ("SEND", {}, "Missing destination"),
    ("SUBSCRIBE", {"id": "1"}, "Missing destination or subscription id header"),
    ("SUBSCRIBE", {"destination": "a"}, "Missing destination or subscription id header"),
    ("SUBSCRIBE", {"id": "1", "destination": "a", "ack": "maybe"}, "Unknown ack mode"),
    ("UNSUBSCRIBE", {}, "Missing subscription id header"),
    ("ACK", {}, None), ("ACK", {"id": "1-1"}, None), ("NACK", {"id": "x"}, None),
    ("BEGIN", {}, "Missing transaction"), ("COMMIT", {"transaction": "t"}, "No such transaction is open"),
    ("ABORT", {"transaction": "t"}, "No such transaction is open"),
    ("SEND", {"destination": "a", "transaction": "t"}, "No such transaction is open"),
    ("MESSAGE", {"destination": "a"}, None),
])
def test_a_frame_that_lacks_something_or_fits_nothing_ends_the_connection(running, command, headers, why):
    with Stomp(running.stomp) as client:
        client.send(command, headers)
        told = client.error()
        assert why is None or told == why


def test_two_subscriptions_that_match_both_get_it_and_an_id_is_used_once(client):
    client.subscribe("a", id="1").subscribe("a", id="2").publish("a", b"x")
    assert {client.message()["subscription"], client.message()["subscription"]} == {"1", "2"}
    client.send("SUBSCRIBE", {"id": "1", "destination": "b"})
    assert client.error() == "Subscription id already exists"


def test_nothing_is_heard_after_the_receipt_of_unsubscribe(running, client):
    with Stomp(running.stomp) as sender:
        client.subscribe("a").confirmed("UNSUBSCRIBE", {"id": "1"})
        sender.publish("a", b"x").synced()
        client.silent()
        client.confirmed("UNSUBSCRIBE", {"id": "of an earlier connection"})


def test_1_0_may_subscribe_without_an_id(running):
    with Stomp(running.stomp, version="1.0") as client:
        client.confirmed("SUBSCRIBE", {"destination": "a"})
        client.publish("a", b"x")
        assert "subscription" not in client.message().headers
        client.confirmed("UNSUBSCRIBE", {"destination": "a"})
        client.publish("a", b"x").silent()


def test_message_ids_grow_and_are_the_servers(running):
    with Stomp(running.stomp) as one, Stomp(running.stomp) as other:
        one.subscribe("a")
        other.subscribe("a")
        for _ in range(5):
            one.publish("a", b"x")
        numbers = [int(client.message()["message-id"]) for client in (one, other) for _ in range(5)]
        assert len(set(numbers)) == 10 and numbers[:5] == sorted(numbers[:5])


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_messages_are_acknowledged_one_by_one_or_all_before(running, version):
    def key(message):
        return {"id": message["ack"]} if version == "1.2" else {"message-id": message["message-id"], "subscription": message["subscription"]}

    for mode in ("client", "client-individual"):
        with Stomp(running.stomp, version=version) as client:
            client.subscribe("a", ack=mode)
            for n in range(3):
                client.publish("a", str(n))
            first, second, third = (client.message() for _ in range(3))
            client.confirmed("ACK", key(second))
            if version != "1.0":
                client.confirmed("NACK", key(third))
            if mode == "client-individual":
                client.confirmed("ACK", key(first))
            client.send("ACK", key(first if mode == "client" else second))  # settled already
            client.error()


def test_what_is_sent_in_a_transaction_is_heard_at_its_end_in_one_piece(running, client):
    with Stomp(running.stomp) as other:
        client.subscribe("a")
        other.send("BEGIN", {"transaction": "t"}).publish("a", b"1", transaction="t").publish("a", b"2", transaction="t").synced()
        client.silent(0.2)
        client.publish("a", b"between").synced()
        other.confirmed("COMMIT", {"transaction": "t"})
        assert client.bodies(3) == ["between", "1", "2"]
        other.send("BEGIN", {"transaction": "t"}).publish("a", b"3", transaction="t").confirmed("ABORT", {"transaction": "t"})
        other.send("BEGIN", {"transaction": "u"}).publish("a", b"4", transaction="u").synced().close()
        client.silent(0.3)


def test_an_ack_in_a_transaction_that_is_aborted_was_none(client):
    client.subscribe("a", ack="client-individual").publish("a", b"x")
    ack = client.message()["ack"]
    client.send("BEGIN", {"transaction": "t"}).send("ACK", {"id": ack, "transaction": "t"}).send("ABORT", {"transaction": "t"})
    client.confirmed("ACK", {"id": ack})


def test_destinations_are_heard_by_those_who_subscribed_to_their_beginning(running, client):
    for id, name in (("1", "a"), ("2", "a.b"), ("3", "a.b.c"), ("4", "a.bc"), ("5", "a.b.c.d"), ("6", "/a/b")):
        client.subscribe(name, id=id)
    client.publish("a.b.c", b"x")
    heard = [client.message() for _ in range(3)]
    assert [m["subscription"] for m in heard] == ["1", "2", "3"] and {m["destination"] for m in heard} == {"a.b.c"}
    client.publish("a", b"y").publish("/a/b/c", b"z")
    assert client.message()["subscription"] == "1"
    client.silent(0.2)


def test_a_send_that_nobody_hears_is_no_error_unless_asked_for():
    with Server(config="[stomp]\nstrict_destinations = true\n") as server, Stomp(server.stomp) as client:
        client.subscribe("a").publish("a", b"x").message()
        client.publish("b", b"x")
        assert client.error() == "Subscription not available"


def test_a_transaction_takes_effect_as_a_whole_or_not_at_all():
    with Server(config="[stomp]\nstrict_destinations = true\n") as server, Stomp(server.stomp) as client, Stomp(server.stomp) as other:
        other.subscribe("a")
        client.send("BEGIN", {"transaction": "t"})
        for destination in ("a", "nowhere", "a"):
            client.publish(destination, b"x", transaction="t")
        client.send("COMMIT", {"transaction": "t"})
        assert client.error() == "Subscription not available"
        other.silent(0.2)


# -- limits, and the server around it -------------------------------------------------------------


def test_limits_are_told_by_name():
    limits = {"stomp_subscriptions": 2, "stomp_subscriptions_bytes": 1_000, "stomp_transactions": 1, "stomp_transaction_frames": 2, "stomp_body": 100, "stomp_destination_segments": 8}
    config = "[limits]\n" + "".join(f"{name} = {value}\n" for name, value in limits.items())
    with Server(config=config) as server:
        def refused(*frames):
            with Stomp(server.stomp) as client:
                for command, headers, body in frames:
                    client.send(command, headers, body)
                return client.error()

        assert "stomp_subscriptions" in refused(*(("SUBSCRIBE", {"id": n, "destination": "a"}, b"") for n in range(3)))
        assert "stomp_subscriptions_bytes" in refused(("SUBSCRIBE", {"id": "x" * 1_000, "destination": "a"}, b""))
        assert "stomp_transactions" in refused(*(("BEGIN", {"transaction": n}, b"") for n in range(2)))
        assert "stomp_transaction_frames" in refused(("BEGIN", {"transaction": 1}, b""), *[("SEND", {"destination": "a", "transaction": 1}, b"")] * 3)
        assert "stomp_body" in refused(("SEND", {"destination": "a"}, b"x" * 101))
        assert "stomp_destination_segments" in refused(("SEND", {"destination": "a.b.c.d.e.f.g.h.i"}, b""))
        counted = server.metrics()
        assert counted['doctor_stomp_closed_total{cause="limit"}'] == 6
        assert "stomp_subscriptions" in server.log


def test_whoever_does_not_connect_in_time_is_ended():
    with Server(config='[limits]\nstomp_connect_timeout = "300 ms"\nstomp_before_connect = 300\n') as server:
        with Stomp(server.stomp, connect=False) as client:
            assert "stomp_connect_timeout" in client.error()
        with Stomp(server.stomp, connect=False) as client:
            client.raw(written("SUBSCRIBE", {"id": 1, "destination": "a" * 100}) * 3)
            assert "stomp_before_connect" in client.error()


def test_connections_count_with_all_others():
    with Server(config="[limits]\nconnections = 4\n") as server:
        clients = [Stomp(server.stomp) for _ in range(3)]
        with pytest.raises((ConnectionError, AssertionError)):
            for _ in range(3):
                clients.append(Stomp(server.stomp))
        for client in clients:
            client.close()


def test_those_who_are_connected_hear_of_a_shutdown():
    with Server() as server:
        with Stomp(server.stomp) as client, Stomp(server.stomp) as idle:
            client.subscribe("a")
            assert server.stop() == 0
            assert client.error() == "The server shuts down"
            assert idle.error() == "The server shuts down"


def test_what_happens_is_counted(running):
    with Stomp(running.stomp) as client:
        before = running.metrics()
        client.subscribe("a").publish("a", b"x").publish("nobody", b"x").message()
        client.synced()
        after = running.metrics()
        def grown(name):
            return after[name] - before[name]
        assert after['doctor_connections{protocol="stomp"}'] >= 1 and after["doctor_stomp_subscriptions"] == 1
        assert grown('doctor_stomp_messages_total{direction="in"}') == 2 and grown('doctor_stomp_messages_total{direction="out"}') == 1
        assert grown("doctor_stomp_unheard_total") == 1
    until = time.monotonic() + 5
    while running.metrics()["doctor_stomp_subscriptions"] and time.monotonic() < until:
        time.sleep(0.02)
    assert running.metrics()["doctor_stomp_subscriptions"] == 0


def test_the_root_names_the_protocols(running):
    with running.http() as http:
        assert "STOMP 1.2" in http.get("/").json["protocols"]


def test_a_client_that_hangs_up_in_the_middle_of_a_frame_harms_nobody(running):
    for data in (b"", b"CON", b"CONNECT\naccept-version:1.2\n", written("CONNECT", {"accept-version": "1.2"}) + b"SEND\ndestination:a\ncontent-length:1000\n\nx"):
        peer = socket.create_connection(("127.0.0.1", running.stomp))
        peer.sendall(data)
        peer.close()
    with Stomp(running.stomp) as client:
        client.subscribe("a").publish("a", b"x").message()
