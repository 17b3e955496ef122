"""Events and requests over STOMP: destinations of oVirt's programs, who may do what, filters, overflow."""

import gzip
import json
import signal
import time
from contextlib import ExitStack

import pytest

from doctor import Server
from doctor.stomp_wire import ANSWERS, EVENTS, REQUESTS, Stomp

SECRET = "open sesame"
OLD_EVENTS = "jms.topic.vdsm_responses"
MODES = [("/queue/_local/vdsm/requests", "/queue/_local/vdsm/reponses"), (REQUESTS, ANSWERS), ("jms.topic.vdsm_irs_requests", "jms.queue.irsreponses")]
UNKNOWN = {"jsonrpc": "2.0", "method": "No.such", "id": 1}


@pytest.fixture(scope="module")
def running():
    with Server(secret=SECRET) as server:
        yield server


def connector(server, **more):
    return Stomp(server.stomp, login="connector", passcode=SECRET, **more)


def session(server, id, permissions):
    with server.http() as http:
        assert http.put(f"/sessions/{id}", {"permissions": permissions}).status in (200, 201)
    return Stomp(server.stomp, login="session", passcode=id)


def refused(server, **credentials):
    with Stomp(server.stomp, connect=False) as client:
        began = time.monotonic()
        client.send("CONNECT", {"accept-version": "1.2", "host": "x", **credentials})
        assert client.error() == "Bad CONNECT"
        return time.monotonic() - began


# -- who ------------------------------------------------------------------------------------------


def test_without_good_credentials_nobody_comes_in_and_guesses_wait_longer():
    with Server(secret=SECRET) as server:
        assert refused(server) < 0.2, "no credentials are no guess"
        waits = [refused(server, login="connector", passcode=f"guess {n}") for n in range(3)]
        assert waits[2] > 0.2 and waits[2] > waits[0]
        refused(server, login="session", passcode="nobody")
        began = time.monotonic()
        connector(server).close()
        assert time.monotonic() - began < 0.2, "a good login never waits"
        counted = server.metrics()
        assert counted['doctor_failed_logins_total{protocol="stomp"}'] == 4
        assert counted['doctor_stomp_connects_refused_total{cause="credentials"}'] == 5
        assert "guess" not in server.log and "a login failed" in server.log


def test_a_session_may_send_requests_and_nothing_else(running):
    with session(running, "reader-1", "*") as client:
        client.subscribe(ANSWERS)
        assert client.call("No.such")["error"]["code"] == -32601
        client.publish("anything", b"x")
        assert client.error() == "A session may send only to destinations of requests"
    with session(running, "reader-1", "*") as client:
        client.publish(REQUESTS, json.dumps(UNKNOWN), reply_to=EVENTS)
        assert client.error() == "A session's reply-to may not be a destination of events"


def test_a_session_hears_what_clients_send_only_if_it_may_read_everything(running):
    with session(running, "reader-2", {"vm": "*"}) as some, session(running, "reader-3", "*") as all_, connector(running) as sender:
        for client in (some, all_):
            client.subscribe("news", id="1").subscribe(EVENTS, id="2").subscribe(REQUESTS, id="3")
        sender.publish("news", b"n").notify("|a|b|c").publish(REQUESTS, json.dumps(UNKNOWN)).synced()
        assert [all_.message()["subscription"], all_.message()["subscription"]] == ["1", "2"]
        all_.silent(0.2)
        some.silent(0.1)


def test_a_session_that_ends_takes_its_connections_along(running):
    with session(running, "short-lived", "*") as client, running.http() as http:
        client.subscribe(EVENTS)
        assert http.delete("/sessions/short-lived").status == 204
        assert client.error() == "The session has ended"


def test_a_session_that_expires_takes_its_connections_along(running):
    with running.http() as http:
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        assert http.put("/sessions/expiring", {"permissions": "*", "expires": ends}).status in (200, 201)
    with Stomp(running.stomp, login="session", passcode="expiring") as client:
        client.subscribe(EVENTS)
        assert client.error() == "The session has ended"


# -- requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("requests, answers", MODES)
def test_each_mode_is_answered_where_its_clients_listen(running, requests, answers):
    with connector(running) as client:
        client.subscribe(answers, id="fixed").subscribe("mine", id="mine")
        client.publish(requests, json.dumps(UNKNOWN), ovirtCorrelationId="flow")
        answer = client.message()
        assert answer["subscription"] == "fixed" and answer["destination"] == answers
        assert answer["content-type"] == "application/json" and answer["ovirtCorrelationId"] == "flow"
        assert answer.json == {"jsonrpc": "2.0", "id": 1, "error": answer.json["error"]} and answer.json["error"]["code"] == -32601
        client.publish(requests, json.dumps(UNKNOWN), reply_to="mine")
        legacy = requests.startswith("/queue")
        assert client.message()["subscription"] == ("fixed" if legacy else "mine")
        client.publish(requests + ".child", json.dumps(UNKNOWN))
        assert client.message()["subscription"] == "fixed"


def test_equal_ids_of_two_clients_are_never_mixed(running):
    with connector(running) as one, connector(running) as other:
        clients = {"one": one, "other": other}
        for client in clients.values():
            client.subscribe("same")
        for id in range(20):
            for name, client in clients.items():
                call = {"jsonrpc": "2.0", "method": "Doctor.echo", "params": {"text": name}, "id": id}
                client.publish(REQUESTS, json.dumps(call), reply_to="same")
        for name, client in clients.items():
            answers = [client.message().json for _ in range(20)]
            assert [a["id"] for a in answers] == list(range(20)) and {a["result"] for a in answers} == {name}
            client.silent(0.1)


def test_ids_keep_their_type_and_notifications_are_not_answered(running):
    with connector(running) as client:
        client.subscribe(ANSWERS)
        for id in ('"1"', "1", "null", "1.50", '"\u00e9"'):
            client.publish(REQUESTS, '{"jsonrpc":"2.0","method":"No.such","id":%s}' % id)
            assert json.loads(id) == client.message().json["id"]
        client.publish(REQUESTS, '{"jsonrpc":"2.0","method":"No.such"}').publish(REQUESTS, '[{"jsonrpc":"2.0","method":"No.such"}]')
        client.silent(0.2)


@pytest.mark.parametrize("body, codes", [
    (b"{", -32700), (b"", -32700), (b"\xff", -32700), (b"[]", -32600), (b"7", -32600), (b"[7]", [-32600]),
    (b'{"method":"a","id":1}', -32600), (b'{"jsonrpc":"2.0","method":1,"id":1}', -32600),
    (b'[{"jsonrpc":"2.0","method":"a","id":1},7,{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","method":"c","id":2}]', [-32601, -32600, -32601]),
])
def test_what_is_no_request_is_told(running, body, codes):
    with connector(running) as client:
        client.subscribe(ANSWERS).publish(REQUESTS, body, content_length=len(body))
        answer = client.message().json
        if isinstance(codes, list):
            assert sorted(one["error"]["code"] for one in answer) == sorted(codes)
        else:
            assert answer["error"]["code"] == codes


def test_answers_go_to_other_connectors_if_the_one_that_asked_does_not_listen(running):
    with connector(running) as asks, connector(running) as listens:
        listens.subscribe("elsewhere")
        asks.publish(REQUESTS, json.dumps(UNKNOWN), reply_to="elsewhere")
        assert listens.message().json["id"] == 1
        with session(running, "reader-4", "*") as reader:
            reader.publish(REQUESTS, json.dumps(UNKNOWN), reply_to="elsewhere").synced()
        listens.silent(0.2)


def test_a_request_may_be_compressed(running):
    with connector(running) as client:
        client.subscribe(ANSWERS)
        body = gzip.compress(json.dumps(UNKNOWN).encode())
        client.publish(REQUESTS, body, content_length=len(body), content_encoding="gzip")
        assert client.message().json["error"]["code"] == -32601
        client.publish(REQUESTS, body[:-9], content_length=len(body) - 9, content_encoding="gzip")
        assert client.message().json["error"]["code"] == -32700
        client.publish(REQUESTS, b"x", content_encoding="deflate")
        assert "content-encoding" in client.error()


def test_what_is_too_large_once_it_is_decompressed_is_refused():
    with Server(config='[limits]\nstomp_body = "1 KiB"\n') as server, Stomp(server.stomp) as client:
        client.subscribe(ANSWERS)
        bomb = gzip.compress(b" " * 500_000)
        assert len(bomb) < 1024
        client.publish(REQUESTS, bomb, content_length=len(bomb), content_encoding="gzip")
        assert client.message().json["error"]["code"] == 413


def test_batches_have_a_limit():
    with Server(config="[limits]\nrpc_batch = 3\n") as server, Stomp(server.stomp) as client:
        client.subscribe(ANSWERS)
        client.publish(REQUESTS, json.dumps([UNKNOWN] * 3))
        assert len(client.message().json) == 3
        client.publish(REQUESTS, json.dumps([UNKNOWN] * 4))
        assert "rpc_batch" in client.message().json["error"]["message"]


# -- events ---------------------------------------------------------------------------------------


def test_an_event_is_heard_once_by_each_connection_wherever_it_listens(running):
    with connector(running) as both, connector(running) as old, connector(running) as twice, connector(running) as sender:
        both.subscribe(OLD_EVENTS, id="old").subscribe(EVENTS, id="new")
        old.subscribe(OLD_EVENTS, id="old")
        twice.subscribe(EVENTS, id="1").subscribe(EVENTS, id="2")
        for destination in (EVENTS, OLD_EVENTS):
            sender.notify("|virt|VM_status|u1", destination, u1={"status": "Up"})
            assert both.message()["subscription"] == "new"
            assert old.message()["subscription"] == "old"
            assert {twice.message()["subscription"], twice.message()["subscription"]} == {"1", "2"}
        for client in (both, old, twice):
            client.silent(0.1)


def test_each_change_of_a_document_is_an_event_in_the_order_of_revisions(running):
    with connector(running) as client, running.http() as http:
        client.subscribe(EVENTS)
        http.post("/entities/vm", {"id": "e1", "name": "a", "status": "up"})
        http.patch("/entities/vm/e1", {"name": "b", "status": "up"})
        http.patch("/entities/vm/e1", {"status": "up"})
        http.put("/entities/vm/e|2", {"name": "c"})
        http.delete("/entities/vm/e1")
        heard = [client.event() for _ in range(4)]
        assert [name for name, _ in heard] == ["|vm|created|e1", "|vm|updated|e1", "|vm|created|e%7C2", "|vm|removed|e1"]
        assert heard[1][1]["fields"] == ["name"] and "fields" not in heard[0][1] and heard[2][1]["id"] == "e|2"
        revisions = [params["revision"] for _, params in heard]
        assert revisions == list(range(revisions[0], revisions[0] + 4))
        times = [params["notify_time"] for _, params in heard]
        assert times == sorted(times) and times[0] > 2**31 - 1
        client.silent(0.2)


def test_document_events_can_be_turned_off_and_on_without_a_restart():
    with Server(config="[events]\ndocuments = false\n") as server, Stomp(server.stomp) as client, server.http() as http:
        client.subscribe(EVENTS)
        http.put("/entities/vm/1", {"a": 1})
        client.silent(0.3)
        server.config_path.write_text("[events]\ndocuments = true\n")
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 10
        while "was read again" not in server.log:
            assert time.monotonic() < until
            time.sleep(0.01)
        http.put("/entities/vm/1", {"a": 2})
        assert client.event()[0] == "|vm|updated|1"


def test_events_have_the_destinations_that_are_set():
    with Server(config='[events]\nevent_queue = ["news"]\n') as server, Stomp(server.stomp) as client, server.http() as http:
        client.subscribe("news", id="1").subscribe(EVENTS, id="2")
        http.put("/entities/vm/1", {"a": 1})
        assert client.message()["subscription"] == "1"
        client.notify("|a|b|c", EVENTS)
        assert client.message()["subscription"] == "2", "it is a destination like any other"


def test_a_filter_at_the_server_lets_through_what_matches(running):
    with connector(running) as client, connector(running) as sender, running.http() as http:
        client.subscribe(EVENTS, event_filter="*|virt|VM_status|*,*|host|removed|7")
        for event in ("|virt|VM_status|u1", "|virt|VM_migration_status|u1", "|net|host_conn|no_id", "|virt|VM_status|u2"):
            sender.notify(event)
        sender.synced()
        http.put("/entities/host/7", {"a": 1})
        http.put("/entities/host/8", {"a": 1})
        http.delete("/entities/host/8")
        http.delete("/entities/host/7")
        assert [client.event()[0] for _ in range(3)] == ["|virt|VM_status|u1", "|virt|VM_status|u2", "|host|removed|7"]
        client.silent(0.2)
        client.send("SUBSCRIBE", {"id": "2", "destination": EVENTS, "event-filter": "*|*|*|*"})
        assert "event-filter" in client.error()


def test_a_transaction_publishes_events_in_one_piece(running):
    with connector(running) as client, connector(running) as sender:
        client.subscribe(EVENTS)
        sender.send("BEGIN", {"transaction": "t"})
        for n in range(3):
            sender.publish(EVENTS, json.dumps({"jsonrpc": "2.0", "method": f"|a|b|{n}"}), transaction="t")
        sender.synced()
        client.silent(0.2)
        sender.send("COMMIT", {"transaction": "t"})
        assert [client.message().json["method"] for _ in range(3)] == [f"|a|b|{n}" for n in range(3)]


def test_heart_beats_that_came_while_the_server_was_stopped_are_heard():
    beats = {"heart-beat": "1000,0"}
    with Server() as server, Stomp(server.stomp, **beats) as client, Stomp(server.stomp, **beats) as silent:
        client.subscribe("a")
        server.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            client.raw(b"\n")
            time.sleep(0.2)
        server.process.send_signal(signal.SIGCONT)
        assert silent.error() == "heart-beat"
        client.publish("a", b"x").message()
        assert server.metrics()['doctor_stomp_closed_total{cause="heart_beat"}'] == 1


# -- overflow -------------------------------------------------------------------------------------

SMALL = '[limits]\nstomp_outbox_frames = 50\nstomp_stalled_timeout = "60 s"\n'


def flood(sender, destination, count=4_000):
    for n in range(count):
        sender.publish(destination, json.dumps({"jsonrpc": "2.0", "method": f"|flood|n|{n}", "params": {"x": "x" * 2_000}}))


def test_who_does_not_read_events_loses_the_oldest_and_is_told_how_many():
    with Server(config=SMALL) as server, Stomp(server.stomp, receive_buffer=4_096) as slow, Stomp(server.stomp) as quick, Stomp(server.stomp) as sender:
        slow.subscribe(EVENTS, id="s")
        quick.subscribe("other")
        flood(sender, EVENTS)
        sender.synced()
        heard = dropped = 0
        newest = -1
        while heard + dropped < 4_000:
            event, params = slow.event()
            if event == "|doctor|overflow|s":
                dropped += params["dropped"]
                continue
            number = int(event.rpartition("|")[2])
            assert number > newest, "in order"
            newest, heard = number, heard + 1
        assert dropped > 0 and heard + dropped == 4_000 and newest == 3_999
        slow.silent(0.2)
        quick.publish("other", b"x").message()
        assert server.metrics()['doctor_stomp_dropped_total{cause="queue_full"}'] == dropped


def test_who_does_not_read_other_destinations_is_disconnected():
    with Server(config=SMALL) as server, Stomp(server.stomp, receive_buffer=4_096) as slow, Stomp(server.stomp) as sender:
        slow.subscribe("news")
        flood(sender, "news")
        sender.synced()
        assert server.metrics()['doctor_stomp_closed_total{cause="slow"}'] == 1
        while (frame := slow.frame()) and frame.command == "MESSAGE":
            pass
        assert frame is None or frame.command == "ERROR"


def test_who_wants_all_holds_up_those_who_send():
    with Server(config=SMALL) as server, Stomp(server.stomp, receive_buffer=4_096) as slow, Stomp(server.stomp) as sender, Stomp(server.stomp) as other:
        slow.subscribe("news", id="s", x_overflow="block")
        sender.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            flood(sender, "news", 100_000)
        assert server.metrics()["doctor_stomp_blocked"] == 1
        other.subscribe("else").publish("else", b"x").message()
        numbers = []
        while frame := slow.frame(1):
            numbers.append(frame.json["method"])
        assert len(numbers) > 1_000 and numbers == [f"|flood|n|{n}" for n in range(len(numbers))]
        assert server.metrics()["doctor_stomp_blocked"] == 0


def test_what_waits_for_all_together_is_bounded_and_who_reads_hears_on():
    limit = 1 << 20
    config = f'[limits]\nstomp_outboxes_bytes = {limit}\nstomp_stalled_timeout = "60 s"\n'
    with Server(config=config) as server, Stomp(server.stomp) as quick, Stomp(server.stomp) as sender, ExitStack() as stack:
        slow = [stack.enter_context(Stomp(server.stomp, receive_buffer=4_096)) for _ in range(4)]
        for n, client in enumerate(slow):
            client.subscribe(f"news.{n}", id="s", x_overflow="drop-oldest" if n else "disconnect")
        quick.subscribe("other")
        for n in range(len(slow)):
            for _ in range(20):  # first the system's own buffers fill, the slower the server the more
                flood(sender, f"news.{n}")
                sender.synced()
                waiting = server.metrics()["doctor_stomp_outboxes_bytes"]
                assert waiting <= limit
                if waiting or n == 0:
                    break
            assert waiting or n == 0, "the first is disconnected, and waits no more"
            for _ in range(50):
                quick.publish("other", b"x" * 10_000).message()
        metrics = server.metrics()
        assert metrics['doctor_stomp_closed_total{cause="queues_full"}'] == 1
        assert metrics['doctor_stomp_dropped_total{cause="queues_full"}'] > 0
        assert metrics['doctor_stomp_dropped_total{cause="queue_full"}'] == 0
        while (frame := slow[0].frame()) and frame.command == "MESSAGE":
            pass
        assert "stomp_outboxes_bytes" in frame["message"]
        event, params = slow[1].event()
        while event != "|doctor|overflow|s":
            event, params = slow[1].event()
        assert params["dropped"] > 0 and params["limit"] == "stomp_outboxes_bytes"
        assert "stomp_outboxes_bytes" in server.log


def test_blocking_is_for_connectors_and_not_for_events(running):
    with connector(running) as client:
        client.send("SUBSCRIBE", {"id": "1", "destination": EVENTS, "x-overflow": "block"})
        assert "x-overflow" in client.error()
    with session(running, "reader-5", "*") as client:
        client.send("SUBSCRIBE", {"id": "1", "destination": "a", "x-overflow": "block"})
        assert "x-overflow" in client.error()
    with connector(running) as client:
        client.send("SUBSCRIBE", {"id": "1", "destination": "a", "x-overflow": "perhaps"})
        assert "x-overflow" in client.error()


def test_who_takes_nothing_at_all_is_given_up():
    with Server(config='[limits]\nstomp_stalled_timeout = "1 s"\n') as server, Stomp(server.stomp, receive_buffer=4_096) as slow, Stomp(server.stomp) as sender:
        slow.subscribe("news")
        flood(sender, "news")
        sender.synced()
        until = time.monotonic() + 10
        while server.metrics()['doctor_connections{protocol="stomp"}'] > 1:
            assert time.monotonic() < until, "it is still there"
            time.sleep(0.05)
        assert server.metrics()['doctor_stomp_closed_total{cause="slow"}'] == 1


def test_answers_are_never_dropped_but_who_does_not_read_them_is_disconnected():
    with Server(config=SMALL) as server, Stomp(server.stomp, receive_buffer=4_096) as client:
        client.subscribe(ANSWERS)
        batch = json.dumps([{"jsonrpc": "2.0", "method": "x" * 200, "id": n} for n in range(100)])
        try:
            for _ in range(2_000):
                client.publish(REQUESTS, batch)
        except OSError:
            pass
        assert server.metrics()['doctor_stomp_closed_total{cause="slow"}'] == 1


def test_unacknowledged_messages_are_bounded():
    with Server(config="[limits]\nstomp_unacked_messages = 3\n") as server, Stomp(server.stomp) as client, Stomp(server.stomp) as sender:
        client.subscribe(EVENTS, id="s", ack="client")
        for n in range(5):
            sender.notify(f"|a|b|{n}")
        sender.synced()
        third = [client.message() for _ in range(3)][2]
        client.confirmed("ACK", {"id": third["ack"]})
        sender.notify("|a|b|5")
        heard = [client.event() for _ in range(2)]
        assert ("|a|b|5" in (heard[0][0], heard[1][0])) and any(e == "|doctor|overflow|s" and p["dropped"] == 2 for e, p in heard)
