"""Calls of JSON-RPC over STOMP: what a session may, and who hears its answers."""

from doctor.rpc import alice, call, connector
from doctor.stomp import Stomp


def test_a_session_sees_what_it_may_and_writes_nothing(rpc_server):
    with alice(rpc_server).listen() as client:
        assert client.result("Entity.list", collection="vm")["documents"] == [{"id": "1", "name": "one"}]
        assert client.error("Entity.get", collection="vm", id="2")["code"] == 404
        for method, params in [("Entity.put", {"collection": "vm", "id": "1", "document": {}}),
                               ("Entity.delete", {"collection": "vm", "id": "1"}), ("Session.list", {}),
                               ("Collection.delete", {"collection": "vm"})]:
            assert client.error(method, **params)["code"] == 401
        assert client.result("Doctor.ping") is True


def test_a_sessions_rights_are_those_of_now(rpc_server):
    bob = "bob-0123456789abcdefgh"
    with rpc_server.http() as http, connector(rpc_server).listen() as writer:
        http.put(f"/sessions/{bob}", {"permissions": {"vm": "1"}})
        with Stomp(rpc_server.stomp, "session", bob).listen() as client:
            assert len(client.result("Entity.list", collection="vm")["documents"]) == 1
            writer.result("Session.patch", id=bob, patch={"permissions": "*"})
            assert len(client.result("Entity.list", collection="vm")["documents"]) == 2
        http.delete(f"/sessions/{bob}")


def test_answers_of_a_session_are_heard_by_nobody_else(rpc_server):
    with connector(rpc_server) as other, alice(rpc_server).listen("mine") as client:
        other.subscribe("mine")
        other.subscribe("jms.topic.vdsm_requests")
        assert client.result("echo", text="x") == "x"
        client.send("UNSUBSCRIBE", {"id": "s1"})
        client.ask(call(1, "echo", text="y"))
        frame = other.frame()
        assert frame["destination"] == "jms.topic.vdsm_requests", "requests are fanned out to connectors"
        other.frame()
        assert other.silent()
