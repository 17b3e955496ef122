"""Calls of JSON-RPC over STOMP: their order, whose answer is whose, and those of clients that have gone."""

import random
import time

from doctor.rpc import alice, call, connector


def test_calls_of_one_connection_take_effect_in_the_order_in_which_they_were_sent(rpc_server):
    with connector(rpc_server).listen() as client:
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


def test_equal_ids_and_destinations_of_two_clients_never_mix(rpc_server):
    with connector(rpc_server).listen() as one, connector(rpc_server).listen() as two:
        for turn in range(50):
            for client, name in ((one, "one"), (two, "two")):
                client.ask(call(7, "echo", text=f"{name} {turn}"))
        for turn in range(50):
            assert one.frame().json["result"] == f"one {turn}"
            assert two.frame().json["result"] == f"two {turn}"
        assert one.silent() and two.silent()


def test_answers_to_who_has_gone_go_to_connectors_that_listen_there(rpc_server):
    with connector(rpc_server) as listener, alice(rpc_server) as session:
        listener.subscribe("shared")
        session.subscribe("shared")
        gone = connector(rpc_server)
        gone.reply_to = "shared"
        gone.ask(call("late", "Entity.list", collection="vm"))
        gone.receipt("SEND", {"destination": "anywhere"})
        gone.socket.close()
        assert listener.frame().json["id"] == "late"
        assert session.silent()


def test_writes_of_who_has_gone_are_carried_out(rpc_server):
    client = connector(rpc_server)
    client.reply_to = "nobody"
    client.ask(call(1, "Entity.put", collection="left", id="1", document={}))
    client.receipt("SEND", {"destination": "anywhere"})
    client.socket.close()
    with rpc_server.http() as http:
        until = time.monotonic() + 10
        while http.get("/entities/left").json == [] and time.monotonic() < until:
            time.sleep(0.01)
        assert http.get("/entities/left").json == [{"id": "1"}]
        http.delete("/entities/left")


def test_reads_of_a_session_that_has_gone_hold_nobody_up(rpc_server):
    with alice(rpc_server).listen() as client:
        for number in range(30):
            client.ask(call(number, "Entity.list", collection="vm", min_revision=1_000_000_000))  # waits a second
        client.receipt("UNSUBSCRIBE", {"id": "none"})
        assert rpc_server.metrics()["doctor_rpc_calls_under_way"] == 30
    until = time.monotonic() + 10
    while rpc_server.metrics()["doctor_rpc_calls_under_way"] and time.monotonic() < until:
        time.sleep(0.05)
    assert rpc_server.metrics()["doctor_rpc_calls_under_way"] == 0
