"""Calls of JSON-RPC over STOMP: modes, batches, correlation, order, visibility, limits, metrics."""

import gzip
import json
import pathlib
import random
import re
import subprocess
import threading
import time

import pytest
import stomp as stomppy

from doctor.server import Server
from doctor.stomp import Stomp

MANUAL = (pathlib.Path(__file__).resolve().parent.parent / "docs/rpc.md").read_text()
ALICE = "alice-0123456789abcdef"


def call(id, method, /, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


@pytest.fixture(scope="module")
def doctor():
    with Server(secret="sesame") as server:
        with server.http() as http:
            http.put(f"/sessions/{ALICE}", {"permissions": {"vm": ["1"]}})
            http.put("/entities/vm", [{"id": "1", "name": "one"}, {"id": "2", "name": "two"}])
        yield server


def connector(server, **more):
    return Stomp(server.stomp, "connector", "sesame", **more)


def alice(server):
    return Stomp(server.stomp, "session", ALICE)


# -- modes and destinations ---------------------------------------------------------------------


def test_legacy_mode_answers_where_it_always_did(doctor):
    with connector(doctor) as client:
        client.subscribe("/queue/_local/vdsm/reponses")
        client.subscribe("elsewhere")
        client.send("SEND", {"destination": "/queue/_local/vdsm/requests", "reply-to": "elsewhere"},
                    json.dumps(call(1, "Host.ping")))
        answer = client.frame()
        assert answer["destination"] == "/queue/_local/vdsm/reponses"
        assert answer.json == {"jsonrpc": "2.0", "id": 1, "result": True}
        assert client.silent()


@pytest.mark.parametrize("requests, answers", [("jms.topic.vdsm_requests", "jms.queue.reponses"),
                                               ("jms.topic.vdsm_irs_requests", "jms.queue.irsreponses"),
                                               ("jms.topic.vdsm_requests.below", "jms.queue.reponses")])
def test_standard_mode_answers_to_reply_to_or_else_to_its_queue(doctor, requests, answers):
    with connector(doctor) as client:
        client.subscribe(answers, "default")
        client.subscribe("mine", "mine")
        client.send("SEND", {"destination": requests}, json.dumps(call("a", "echo", text="x")))
        answer = client.frame()
        assert answer["subscription"] == "default" and answer.json["result"] == "x"
        client.send("SEND", {"destination": requests, "reply-to": "mine", "ovirtCorrelationId": "flow"},
                    json.dumps(call("b", "echo", text="y")))
        answer = client.frame()
        assert answer["subscription"] == "mine" and answer.json == {"jsonrpc": "2.0", "id": "b", "result": "y"}
        assert answer["content-type"] == "application/json" and answer["ovirtCorrelationId"] == "flow"
        assert int(answer["content-length"]) == len(answer.body)
        assert client.silent()


def test_an_older_version_of_stomp_is_answered_too(doctor):
    for version in ("1.0", "1.1"):
        with connector(doctor, version=version) as client:
            client.listen()
            assert client.result("Doctor.ping") is True


def test_requests_in_a_transaction_run_when_it_is_committed(doctor):
    with connector(doctor).listen() as client:
        client.send("BEGIN", {"transaction": "t"})
        client.ask(call(1, "Doctor.ping"), transaction="t")
        assert client.silent()
        client.send("COMMIT", {"transaction": "t"})
        assert client.frame().json["result"] is True


# -- what is answered ---------------------------------------------------------------------------


def test_ids_come_back_as_they_were(doctor):
    with connector(doctor).listen() as client:
        for id in ('"a\\u00e9"', "1", "1.50", "-0", "12345678901234567890123", "null", '""'):
            client.ask('{"jsonrpc":"2.0","method":"Host.ping","id":%s}' % id)
            assert client.frame().body == b'{"jsonrpc":"2.0","id":%s,"result":true}' % id.encode()


def test_what_is_no_call_is_told_so(doctor):
    with connector(doctor).listen() as client:
        for text, code in [("{", -32700), ("", -32700), ("7", -32600), ("[]", -32600),
                           ('{"jsonrpc":"1.0","method":"x","id":4}', -32600),
                           ('{"jsonrpc":"2.0","method":"nothing","id":4}', -32601),
                           ('{"jsonrpc":"2.0","method":"Entity.get","params":["vm","1"],"id":4}', -32602)]:
            client.ask(text)
            answer = client.frame().json
            assert answer["error"]["code"] == code and answer["id"] == (4 if '"id"' in text else None), text


def test_errors_of_the_document_api_have_their_status_and_problem(doctor):
    with connector(doctor).listen() as client, doctor.http() as http:
        error = client.error("Entity.get", collection="vm", id="9")
        problem = http.get("/entities/vm/9").json
        assert error == {"code": 404, "message": problem["detail"], "data": problem}
        assert client.error("Entity.put", collection="vm", id="1", document={"_x": 1})["data"]["field"] == "_x"
        assert client.error("Entity.list", collection="vm", query={"wher": 1})["code"] == 400
        assert client.error("Entity.list", collection="vm", min_revision=10 ** 6)["code"] == 503


def test_documents_may_be_nested_as_deeply_as_over_http(doctor):
    deepest = 63
    nested = json.loads("[" * deepest + "]" * deepest)
    with connector(doctor).listen() as client:
        assert "revision" in client.result("Entity.put", collection="deep", id="1", document={"a": nested})
        assert client.error("Entity.put", collection="deep", id="1", document={"a": [nested]})["code"] == 400
        where = {"a": 1}
        for _ in range(150):
            where = {"$and": [where]}
        assert client.result("Entity.list", collection="deep", query={"where": where})["documents"] == []
        client.result("Collection.delete", collection="deep")


# -- notifications and batches ------------------------------------------------------------------


def test_notifications_are_carried_out_and_never_answered(doctor):
    with connector(doctor).listen() as client:
        client.ask({"jsonrpc": "2.0", "method": "Entity.put",
                    "params": {"collection": "note", "id": "1", "document": {}}})
        client.ask({"jsonrpc": "2.0", "method": "Entity.delete", "params": {"collection": "note", "id": "9"}})
        client.ask({"jsonrpc": "2.0", "method": "nothing"})
        client.ask([{"jsonrpc": "2.0", "method": "Doctor.ping"}, {"jsonrpc": "2.0", "method": "nothing"}])
        assert client.result("Entity.list", collection="note")["documents"] == [{"id": "1"}]
        assert client.silent()
        client.result("Collection.delete", collection="note")


def test_a_batch_is_answered_by_an_array_in_its_order(doctor):
    with connector(doctor).listen() as client:
        client.ask([call(1, "Doctor.ping"), 7, {"jsonrpc": "2.0", "method": "Doctor.ping"},
                    call("x", "nothing"), call(1, "echo", text="again")])
        answers = client.frame().json
        assert [one["id"] for one in answers] == [1, None, "x", 1]
        assert answers[0]["result"] is True and answers[3]["result"] == "again"
        assert [one["error"]["code"] for one in answers[1:3]] == [-32600, -32601]
        client.ask([call(1, "Doctor.ping")])
        assert client.frame().json == [{"jsonrpc": "2.0", "id": 1, "result": True}]


def test_a_batch_takes_effect_in_its_order(doctor):
    with connector(doctor).listen() as client:
        client.ask([call(1, "Entity.put", collection="b", id="1", document={"v": 1}),
                    call(2, "Entity.get", collection="b", id="1"),
                    call(3, "Entity.patch", collection="b", id="1", patch={"v": 2}),
                    call(4, "Entity.delete", collection="b", id="1"),
                    call(5, "Entity.put", collection="b", id="1", document={"v": 3}, if_none_match="*"),
                    call(6, "Entity.put", collection="b", id="1", document={"v": 4}, if_none_match="*"),
                    call(7, "Entity.list", collection="b"),
                    call(8, "Collection.delete", collection="b"),
                    call(9, "Entity.list", collection="b")])
        answers = {one["id"]: one for one in client.frame().json}
        assert answers[2]["result"]["document"] == {"id": "1", "v": 1}
        assert answers[3]["result"]["updated"] == {"1": ["v"]}
        assert answers[5]["result"]["created"] == ["1"]
        assert answers[6]["error"]["code"] == 412
        assert answers[7]["result"]["documents"] == [{"id": "1", "v": 3}]
        assert answers[9]["result"]["documents"] == []


# -- order and correlation ----------------------------------------------------------------------


def test_calls_of_one_connection_take_effect_in_the_order_in_which_they_were_sent(doctor):
    with connector(doctor).listen() as client:
        sizes = [random.choice([10, 100, 40_000, 200_000]) for _ in range(100)]
        for number, size in enumerate(sizes):
            client.ask(call(f"w{number}", "Entity.put", collection="order", id="1",
                            document={"number": number, "fill": "x" * size}, minimal=True))
            if number % 7 == 0:
                client.ask(call(number, "Entity.get", collection="order", id="1", query={"select": "number"}))
        client.ask(call("end", "Entity.get", collection="order", id="1", query={"select": "number"}))
        seen = {}
        while "end" not in seen:
            answer = client.frame().json
            seen[answer["id"]] = answer["result"]
        assert seen["end"]["document"]["number"] == 99
        for number in range(0, 100, 7):
            assert seen[number]["document"]["number"] == number
        revisions = [seen[f"w{number}"]["revision"] for number in range(100)]
        assert revisions == sorted(revisions)
        client.result("Collection.delete", collection="order")


def test_equal_ids_and_destinations_of_two_clients_never_mix(doctor):
    with connector(doctor).listen() as one, connector(doctor).listen() as two:
        for turn in range(50):
            for client, name in ((one, "one"), (two, "two")):
                client.ask(call(7, "echo", text=f"{name} {turn}"))
        for turn in range(50):
            assert one.frame().json["result"] == f"one {turn}"
            assert two.frame().json["result"] == f"two {turn}"
        assert one.silent() and two.silent()


def test_answers_to_who_has_gone_go_to_connectors_that_listen_there(doctor):
    with connector(doctor) as listener, alice(doctor) as session:
        listener.subscribe("shared")
        session.subscribe("shared")
        gone = connector(doctor)
        gone.reply_to = "shared"
        gone.ask(call("late", "Entity.list", collection="vm"))
        gone.receipt("SEND", {"destination": "anywhere"})
        gone.socket.close()
        assert listener.frame().json["id"] == "late"
        assert session.silent()


def test_writes_of_who_has_gone_are_carried_out(doctor):
    client = connector(doctor)
    client.reply_to = "nobody"
    client.ask(call(1, "Entity.put", collection="left", id="1", document={}))
    client.receipt("SEND", {"destination": "anywhere"})
    client.socket.close()
    with doctor.http() as http:
        until = time.monotonic() + 10
        while http.get("/entities/left").json == [] and time.monotonic() < until:
            time.sleep(0.01)
        assert http.get("/entities/left").json == [{"id": "1"}]
        http.delete("/entities/left")


def test_reads_of_a_session_that_has_gone_hold_nobody_up(doctor):
    with alice(doctor).listen() as client:
        for number in range(30):
            client.ask(call(number, "Entity.list", collection="vm", min_revision=1_000_000_000))  # waits a second
        client.receipt("UNSUBSCRIBE", {"id": "none"})
        assert doctor.metrics()["doctor_rpc_calls_under_way"] == 30
    until = time.monotonic() + 10
    while doctor.metrics()["doctor_rpc_calls_under_way"] and time.monotonic() < until:
        time.sleep(0.05)
    assert doctor.metrics()["doctor_rpc_calls_under_way"] == 0


# -- who may what -------------------------------------------------------------------------------


def test_a_session_sees_what_it_may_and_writes_nothing(doctor):
    with alice(doctor).listen() as client:
        assert client.result("Entity.list", collection="vm")["documents"] == [{"id": "1", "name": "one"}]
        assert client.error("Entity.get", collection="vm", id="2")["code"] == 404
        for method, params in [("Entity.put", {"collection": "vm", "id": "1", "document": {}}),
                               ("Entity.delete", {"collection": "vm", "id": "1"}), ("Session.list", {}),
                               ("Collection.delete", {"collection": "vm"})]:
            assert client.error(method, **params)["code"] == 401
        assert client.result("Doctor.ping") is True


def test_a_sessions_rights_are_those_of_now(doctor):
    bob = "bob-0123456789abcdefgh"
    with doctor.http() as http, connector(doctor).listen() as writer:
        http.put(f"/sessions/{bob}", {"permissions": {"vm": "1"}})
        with Stomp(doctor.stomp, "session", bob).listen() as client:
            assert len(client.result("Entity.list", collection="vm")["documents"]) == 1
            writer.result("Session.patch", id=bob, patch={"permissions": "*"})
            assert len(client.result("Entity.list", collection="vm")["documents"]) == 2
        http.delete(f"/sessions/{bob}")


def test_answers_of_a_session_are_heard_by_nobody_else(doctor):
    with connector(doctor) as other, alice(doctor).listen("mine") as client:
        other.subscribe("mine")
        other.subscribe("jms.topic.vdsm_requests")
        assert client.result("echo", text="x") == "x"
        client.send("UNSUBSCRIBE", {"id": "s1"})
        client.ask(call(1, "echo", text="y"))
        frame = other.frame()
        assert frame["destination"] == "jms.topic.vdsm_requests", "requests are fanned out to connectors"
        other.frame()
        assert other.silent()


# -- limits -------------------------------------------------------------------------------------


def test_requests_may_be_compressed(doctor):
    with connector(doctor).listen() as client:
        body = gzip.compress(json.dumps(call(1, "echo", text="x" * 10_000)).encode())
        client.ask(body, **{"content-encoding": "gzip"})
        assert client.frame().json["result"] == "x" * 10_000
        client.ask(b"no gzip", **{"content-encoding": "gzip"})
        assert client.frame().json["error"]["code"] == -32700
        client.ask(gzip.compress(b" " * (17 << 20)), **{"content-encoding": "gzip"})
        assert client.frame().json["error"]["code"] == 413


LIMITS = """
[limits]
stomp_outbox_bytes = 400000
rpc_batch = 100
rpc_calls = 200
"""


def test_long_answers_are_413_and_hold_nothing_up():
    with Server(config=LIMITS) as server, Stomp(server.stomp).listen() as client:
        documents = [{"id": str(number), "fill": "x" * 500} for number in range(1_000)]
        # What it created would be longer than half the outbox: the revision alone is told.
        assert client.result("Collection.replace", collection="vm", documents=documents)["revision"] == 1
        assert "use limit" in client.error("Entity.list", collection="vm")["message"]
        assert len(client.result("Entity.list", collection="vm", query={"limit": 150})["documents"]) == 150
        client.ask([call(number, "Entity.list", collection="vm", query={"limit": 100}) for number in range(5)])
        answers = client.frame().json
        assert ["result" in one for one in answers] == [True, False, False, False, False]
        assert {one["error"]["code"] for one in answers[1:]} == {413}
        assert client.result("Doctor.ping") is True


def test_who_asks_faster_than_it_reads_waits_and_is_not_given_up():
    with Server() as server, Stomp(server.stomp).listen() as client:
        for number in range(3):
            client.result("Entity.put", collection="vm", id=str(number), document={"fill": "x" * 1_200_000})
        for number in range(20):
            client.ask(call(number, "Entity.list", collection="vm"))
            client.ask(call("w", "Entity.put", collection="few", id="1", document={"n": number}))
        time.sleep(0.5)
        assert server.metrics()["doctor_stomp_queued_bytes"] < 16 << 20
        for number in range(20):
            assert len(client.frame().json["result"]["documents"]) == 3
            assert client.frame().json["id"] == "w"
        assert client.result("Entity.get", collection="few", id="1")["document"]["n"] == 19


def test_calls_over_the_limits_are_refused_and_the_others_answered():
    with Server(config=LIMITS) as server, Stomp(server.stomp).listen() as client:
        client.ask([call(number, "Doctor.ping") for number in range(101)])
        assert client.frame().json["error"]["code"] == -32600
        for number in range(300):
            client.ask(call(number, "Entity.put", collection="vm", id="1", document={"n": number}))
        codes = [client.frame().json.get("error", {}).get("code") for _ in range(300)]
        assert set(codes) <= {None, 429} and codes.count(None) >= 200
        assert client.result("Doctor.ping") is True


def test_a_slow_read_of_one_client_does_not_keep_another_waiting(doctor):
    with connector(doctor).listen() as busy, connector(doctor).listen() as quick:
        many = [{"id": str(number), "vm": str(number % 100)} for number in range(20_000)]
        busy.result("Collection.replace", collection="many", documents=many, minimal=True)
        for number in range(20):
            busy.ask(call(number, "Entity.list", collection="many",
                          query={"orderBy": ["-vm", "id"], "where": {"id": "*9*"}, "limit": 10}))
        for _ in range(20):
            assert quick.result("Doctor.ping") is True
        for number in range(20):
            assert busy.frame().json["id"] == number
        busy.result("Collection.delete", collection="many")


# -- around it ----------------------------------------------------------------------------------


def test_calls_are_counted_by_method_and_outcome(doctor):
    with connector(doctor).listen() as client:
        client.result("Doctor.info")
        client.error("Entity.get", collection="none", id="1")
        client.error("Not.there")
    metrics = doctor.metrics()
    assert metrics['doctor_rpc_calls_total{method="Doctor.info",outcome="result"}'] >= 1
    assert metrics['doctor_rpc_calls_total{method="Entity.get",outcome="refused"}'] >= 1
    assert metrics['doctor_rpc_calls_total{method="other",outcome="wrong"}'] >= 1
    assert metrics['doctor_rpc_call_duration_seconds_count{method="Doctor.info"}'] >= 1
    assert metrics["doctor_rpc_calls_under_way"] == 0 and metrics["doctor_rpc_calls_bytes"] == 0


def test_what_is_written_by_a_call_is_announced_like_any_other_write(doctor):
    with connector(doctor).listen() as client, doctor.http() as http:
        revision = client.result("Entity.put", collection="same", id="1", document={"a": 1})["revision"]
        answer = http.get("/entities/same/1")
        assert answer.revision >= revision and answer.json == {"id": "1", "a": 1}
        etag = client.result("Entity.get", collection="same", id="1")["etag"]
        assert etag == answer["ETag"]
        assert client.error("Entity.delete", collection="same", id="1", if_match='"x-1"')["code"] == 412
        client.result("Entity.delete", collection="same", id="1", if_match=etag)


def test_a_stop_answers_what_was_begun():
    with Server() as server, Stomp(server.stomp).listen() as client:
        for number in range(200):
            client.ask(call(number, "Entity.put", collection="vm", id=str(number), document={}))
        client.frame()
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        answered = 1
        try:
            while True:
                frame = client.frame()
                if frame.command == "ERROR":
                    break
                answered += 1
                answer = frame.json
                assert "result" in answer or answer["error"]["code"] == 503
        except ConnectionError:
            pass
        stopping.join()
        assert answered == 200


class Answers(stomppy.ConnectionListener):
    def __init__(self):
        self.came = []
        self.more = threading.Condition()

    def on_message(self, frame):
        with self.more:
            self.came.append(json.loads(frame.body))
            self.more.notify_all()

    def wait_for(self, count):
        with self.more:
            assert self.more.wait_for(lambda: len(self.came) >= count, 20)
        return self.came


@pytest.mark.parametrize("version", [stomppy.Connection10, stomppy.Connection11, stomppy.Connection12])
def test_python3_stomp_calls_and_is_answered(doctor, version):
    connection = version([("127.0.0.1", doctor.stomp)])
    answers = Answers()
    connection.set_listener("", answers)
    connection.connect("connector", "sesame", wait=True)
    connection.subscribe("jms.queue.reponses", id="1")
    connection.send("jms.topic.vdsm_requests", json.dumps(call(1, "Entity.get", collection="vm", id="1")))
    connection.send("jms.topic.vdsm_requests", json.dumps([call(2, "Host.ping"), call(3, "nothing")]))
    came = answers.wait_for(2)
    assert came[0]["result"]["document"]["name"] == "one"
    assert [one["id"] for one in came[1]] == [2, 3]
    connection.disconnect()


# -- the manual ---------------------------------------------------------------------------------


def test_the_conversation_in_the_manual_is_so():
    lines = "".join(re.findall(r"```rpc\n(.*?)```", MANUAL, re.DOTALL)).splitlines()
    store = "5f0c2a1e"  # the manual's; a store's own is in its entity-tags
    with Server(secret="sesame") as server, connector(server).listen() as client:
        for asked, answered in zip(lines[::2], lines[1::2], strict=True):
            method, _, params = asked.removeprefix("--> ").partition(" ")
            answer = client.call(method, **json.loads((params or "{}").replace("5f0c2a1e", store)))
            if answered.startswith("<-- error "):
                assert answer["error"]["code"] == int(answered.removeprefix("<-- error ")), asked
                continue
            expected, result = json.loads(answered.removeprefix("<-- ")), answer["result"]
            if isinstance(expected, dict):
                assert expected.keys() == result.keys(), asked
                store = result["etag"][1:9] if "etag" in result else store
                for random_one in ("next", "version"):
                    if random_one in result:
                        result[random_one] = "..."
            assert result == json.loads(json.dumps(expected).replace("5f0c2a1e", store)), asked
        listed = client.result("rpc.methods")["methods"]
    called = {line.split()[1] for line in lines[::2]}
    assert called == {method["name"] for method in listed}


def test_the_manual_lists_every_method_with_its_parameters(doctor):
    with connector(doctor).listen() as client:
        listed = client.result("rpc.methods")["methods"]
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) ?\| (.*?) \|$", MANUAL.split("## Methods")[1], re.MULTILINE)
    told = {name: [(parameter, optional == "") for optional, parameter in re.findall(r"(\[?)`(\w+)`", parameters)]
            for name, parameters, _ in rows}
    assert told == {method["name"]: [(one["name"], one["required"]) for one in method["params"]] for method in listed}
    assert {name: result.strip("`") for name, _, result in rows} == {one["name"]: one["result"] for one in listed}


def test_the_program_in_the_manual_prints_its_answer(doctor):
    program = re.search(r"```python\n(.*?)```", MANUAL, re.DOTALL)[1]
    program = program.replace("61613", str(doctor.stomp)).replace("open sesame", "sesame")
    process = subprocess.Popen(["/usr/bin/python3", "-u", "-c", program + "import time; time.sleep(60)\n"],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())["result"]["documents"][0]["name"] == "one"
    finally:
        process.kill()
        process.wait()
