"""Calls of JSON-RPC over STOMP beside all else: metrics, writes over HTTP, the end of the server."""

import threading

from doctor import Server
from doctor.rpc import call, connector
from doctor.stomp import Stomp


def test_calls_are_counted_by_method_and_outcome(rpc_server):
    with connector(rpc_server).listen() as client:
        client.result("Doctor.info")
        client.error("Entity.get", collection="none", id="1")
        client.error("Not.there")
    metrics = rpc_server.metrics()
    assert metrics['doctor_rpc_calls_total{method="Doctor.info",outcome="result"}'] >= 1
    assert metrics['doctor_rpc_calls_total{method="Entity.get",outcome="refused"}'] >= 1
    assert metrics['doctor_rpc_calls_total{method="other",outcome="wrong"}'] >= 1
    assert metrics['doctor_rpc_call_duration_seconds_count{method="Doctor.info"}'] >= 1
    assert metrics["doctor_rpc_calls_under_way"] == 0 and metrics["doctor_rpc_calls_bytes"] == 0


def test_what_is_written_by_a_call_is_announced_like_any_other_write(rpc_server):
    with connector(rpc_server).listen() as client, rpc_server.http() as http:
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
