"""Calls of JSON-RPC over STOMP: modes, destinations, answers, notifications, batches."""

import json
import threading

import pytest
import stomp as stomppy

from doctor.rpc import SECRET, call, connector


def test_legacy_mode_answers_where_it_always_did(rpc_server):
    with connector(rpc_server) as client:
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
def test_standard_mode_answers_to_reply_to_or_else_to_its_queue(rpc_server, requests, answers):
    with connector(rpc_server) as client:
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


def test_an_older_version_of_stomp_is_answered_too(rpc_server):
    for version in ("1.0", "1.1"):
        with connector(rpc_server, version=version) as client:
            client.listen()
            assert client.result("Doctor.ping") is True


def test_requests_in_a_transaction_run_when_it_is_committed(rpc_server):
    with connector(rpc_server).listen() as client:
        client.send("BEGIN", {"transaction": "t"})
        client.ask(call(1, "Doctor.ping"), transaction="t")
        assert client.silent()
        client.send("COMMIT", {"transaction": "t"})
        assert client.frame().json["result"] is True


def test_ids_come_back_as_they_were(rpc_server):
    with connector(rpc_server).listen() as client:
        for id in ('"a\\u00e9"', "1", "1.50", "-0", "12345678901234567890123", "null", '""'):
            client.ask('{"jsonrpc":"2.0","method":"Host.ping","id":%s}' % id)
            assert client.frame().body == b'{"jsonrpc":"2.0","id":%s,"result":true}' % id.encode()


def test_what_is_no_call_is_told_so(rpc_server):
    with connector(rpc_server).listen() as client:
        for text, code in [("{", -32700), ("", -32700), ("7", -32600), ("[]", -32600),
                           ('{"jsonrpc":"1.0","method":"x","id":4}', -32600),
                           ('{"jsonrpc":"2.0","method":"nothing","id":4}', -32601),
                           ('{"jsonrpc":"2.0","method":"Entity.get","params":["vm","1"],"id":4}', -32602)]:
            client.ask(text)
            answer = client.frame().json
            assert answer["error"]["code"] == code and answer["id"] == (4 if '"id"' in text else None), text


def test_errors_of_the_document_api_have_their_status_and_problem(rpc_server):
    with connector(rpc_server).listen() as client, rpc_server.http() as http:
        error = client.error("Entity.get", collection="vm", id="9")
        problem = http.get("/entities/vm/9").json
        assert error == {"code": 404, "message": problem["detail"], "data": problem}
        assert client.error("Entity.put", collection="vm", id="1", document={"_x": 1})["data"]["field"] == "_x"
        assert client.error("Entity.list", collection="vm", query={"wher": 1})["code"] == 400
        assert client.error("Entity.list", collection="vm", min_revision=10 ** 6)["code"] == 503


def test_documents_may_be_nested_as_deeply_as_over_http(rpc_server):
    deepest = 63
    nested = json.loads("[" * deepest + "]" * deepest)
    with connector(rpc_server).listen() as client:
        assert "revision" in client.result("Entity.put", collection="deep", id="1", document={"a": nested})
        assert client.error("Entity.put", collection="deep", id="1", document={"a": [nested]})["code"] == 400
        where = {"a": 1}
        for _ in range(150):
            where = {"$and": [where]}
        assert client.result("Entity.list", collection="deep", query={"where": where})["documents"] == []
        client.result("Collection.delete", collection="deep")


def test_notifications_are_carried_out_and_never_answered(rpc_server):
    with connector(rpc_server).listen() as client:
        client.ask({"jsonrpc": "2.0", "method": "Entity.put",
                    "params": {"collection": "note", "id": "1", "document": {}}})
        client.ask({"jsonrpc": "2.0", "method": "Entity.delete", "params": {"collection": "note", "id": "9"}})
        client.ask({"jsonrpc": "2.0", "method": "nothing"})
        client.ask([{"jsonrpc": "2.0", "method": "Doctor.ping"}, {"jsonrpc": "2.0", "method": "nothing"}])
        assert client.result("Entity.list", collection="note")["documents"] == [{"id": "1"}]
        assert client.silent()
        client.result("Collection.delete", collection="note")


def test_a_batch_is_answered_by_an_array_in_its_order(rpc_server):
    with connector(rpc_server).listen() as client:
        client.ask([call(1, "Doctor.ping"), 7, {"jsonrpc": "2.0", "method": "Doctor.ping"},
                    call("x", "nothing"), call(1, "echo", text="again")])
        answers = client.frame().json
        assert [one["id"] for one in answers] == [1, None, "x", 1]
        assert answers[0]["result"] is True and answers[3]["result"] == "again"
        assert [one["error"]["code"] for one in answers[1:3]] == [-32600, -32601]
        client.ask([call(1, "Doctor.ping")])
        assert client.frame().json == [{"jsonrpc": "2.0", "id": 1, "result": True}]


def test_a_batch_takes_effect_in_its_order(rpc_server):
    with connector(rpc_server).listen() as client:
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
def test_python3_stomp_calls_and_is_answered(rpc_server, version):
    connection = version([("127.0.0.1", rpc_server.stomp)])
    answers = Answers()
    connection.set_listener("", answers)
    connection.connect("connector", SECRET, wait=True)
    connection.subscribe("jms.queue.reponses", id="1")
    connection.send("jms.topic.vdsm_requests", json.dumps(call(1, "Entity.get", collection="vm", id="1")))
    connection.send("jms.topic.vdsm_requests", json.dumps([call(2, "Host.ping"), call(3, "nothing")]))
    came = answers.wait_for(2)
    assert came[0]["result"]["document"]["name"] == "one"
    assert [one["id"] for one in came[1]] == [2, 3]
    connection.disconnect()
