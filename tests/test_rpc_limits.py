"""Calls of JSON-RPC over STOMP that are large, many or slow."""

import gzip
import json
import time

from doctor import Server
from doctor.rpc import call, connector
from doctor.stomp import Stomp


def test_requests_may_be_compressed(rpc_server):
    with connector(rpc_server).listen() as client:
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


def test_a_slow_read_of_one_client_does_not_keep_another_waiting(rpc_server):
    with connector(rpc_server).listen() as busy, connector(rpc_server).listen() as quick:
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
