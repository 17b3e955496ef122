"""What operators see of the MQTT clients over HTTP, and do to them."""

import hashlib
import json
import re

import pytest
import websocket

from doctor.mqtt import Mqtt, connect_packet
from doctor.server import run

SECRET, SESSION = "open sesame", "0123456789abcdef"
LASTING = {"session_expiry": 3600}


@pytest.fixture
def operator(secured):
    with secured.http() as http:
        http.post("/sessions", {"id": SESSION, "permissions": "*"})
        yield http


def clients(http, target="/mqtt/clients"):
    answer = http.get(target)
    assert answer.status == 200, answer
    return answer.json


def test_connected_clients_are_listed_with_their_addresses_and_never_with_a_session_id(secured, operator):
    with Mqtt(secured.mqtt, "connector", SECRET, version=5, client_id="c/1", keep_alive=30) as connector, \
            Mqtt(secured.mqtt, "session", SESSION, version=4, client_id="c/1"):
        connector.subscribe("vm/#", qos=1)
        answer = operator.get("/mqtt/clients")
        first, second = answer.json
        assert SESSION not in answer.body.decode()
        port = connector.socket.getsockname()[1]
        assert first["id"] == "connector:c/1" and first["connection"]["address"] == f"127.0.0.1:{port}"
        assert first["connection"]["transport"] == "tcp" and first["connection"]["tls"] is False
        assert first["connection"]["version"] == "5.0" and first["connection"]["keep_alive"] == 30
        assert first["subscriptions"] == {"count": 1, "first": [{"filter": "vm/#", "qos": 1}]}
        fingerprint = hashlib.sha256(SESSION.encode()).hexdigest()
        assert second["id"] == f"session:{fingerprint[:16]}:c/1" and second["session"] == fingerprint[:8]
        assert second["connection"]["version"] == "3.1.1"
        assert clients(operator, "/mqtt/clients/connector:c%2F1")["id"] == "connector:c/1"
        assert operator.get("/mqtt/clients/connector:c/1").status == 404


def test_a_client_over_a_websocket_is_told_from_one_over_tcp(server):
    with server.http() as http:
        socket = websocket.create_connection(f"ws://127.0.0.1:{server.api}/mqtt", subprotocols=["mqtt"])
        socket.send_binary(connect_packet("web", 5))
        socket.recv()
        [client] = clients(http)
        assert client["id"] == "anyone:web" and client["connection"]["transport"] == "websocket"
        assert client["connection"]["address"] == f"127.0.0.1:{socket.sock.getsockname()[1]}"
        socket.close()


def test_many_clients_come_in_pages(server):
    with server.http() as http:
        held = [Mqtt(server.mqtt, version=5, client_id=f"c{i}") for i in range(25)]
        target, seen, pages = "/mqtt/clients?limit=10", [], 0
        while target:
            answer = http.get(target)
            seen += [client["client_id"] for client in answer.json]
            pages += 1
            link = answer["Link"]
            target = link and re.fullmatch(r'<(.*)>; rel="next"', link)[1]
        assert sorted(seen) == sorted(f"c{i}" for i in range(25)) and pages == 3
        for client in held:
            client.close()


@pytest.mark.parametrize("version", [4, 5])
def test_a_client_is_disconnected_and_may_come_back_to_its_session(secured, operator, version):
    lasting = {"clean": False, "more": LASTING} if version == 5 else {"clean": False}
    with Mqtt(secured.mqtt, "connector", SECRET, version=version, client_id="c", **lasting) as client:
        client.subscribe("vm/#", qos=1)
        assert operator.delete("/mqtt/clients/connector:c").json == {"disconnected": True, "session_ended": False}
        assert client.wait_closed() == (0x98 if version == 5 else None)
    [away] = clients(operator)
    assert "connection" not in away and away["away"]["since"] < away["away"]["ends"]
    operator.put("/entities/vm/1", {"name": "vm1"})
    assert secured.metrics()['doctor_mqtt_closed_total{cause="operator"}'] == 1
    with Mqtt(secured.mqtt, "connector", SECRET, version=version, client_id="c", **lasting) as client:
        assert client.session_present == 1 and client.hear().topic == "vm/1"
    assert operator.delete("/mqtt/clients/connector:c?session=true").json["session_ended"] is True
    assert clients(operator) == []
    assert operator.delete("/mqtt/clients/connector:c").status == 404
    assert re.search(r"disconnected by an operator.*connector:c", secured.log)


def test_a_session_may_not_see_the_clients(secured, operator):
    with secured.http(session=SESSION, secret=False) as http:
        assert http.get("/mqtt/clients").status == 401
        assert http.delete("/mqtt/clients/connector:c").status == 401


def test_the_command_line_lists_and_disconnects_clients(server):
    def doctor(*arguments):
        return run("clients", *arguments, "--server", f"http://localhost:{server.api}", "--json")

    held = [Mqtt(server.mqtt, version=5, client_id=f"c/{i}") for i in range(3)]
    assert [client["id"] for client in json.loads(doctor("list").stdout)] == [f"anyone:c/{i}" for i in range(3)]
    assert json.loads(doctor("get", "anyone:c/1").stdout)["client_id"] == "c/1"
    assert json.loads(doctor("disconnect", "anyone:c/1", "--end-session").stdout) == {"disconnected": True, "session_ended": True}
    assert held[1].wait_closed() == 0x98
    found = doctor("disconnect", "anyone:c/1")
    assert found.returncode == 1 and "404" in found.stderr
    for client in held:
        client.close()
