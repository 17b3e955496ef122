"""Real MQTT clients of both versions hear what changed, over TCP and over WebSocket."""

import queue

import pytest

from doctor.clients import Paho, mosquitto_sub, mqtt_js

CLIENTS = {
    "paho of 3.1.1": lambda *a, **k: Paho(*a, 4, **k),
    "paho of 5.0": lambda *a, **k: Paho(*a, 5, **k),
    "paho of 3.1.1 over WebSocket": lambda *a, **k: Paho(*a, 4, "websockets", **k),
    "paho of 5.0 over WebSocket": lambda *a, **k: Paho(*a, 5, "websockets", **k),
    "paho over WebSocket at the root": lambda *a, **k: Paho(*a, 5, "websockets", path="/", **k),
    "mosquitto_sub of 3.1.1": lambda *a, **k: mosquitto_sub(*a, 4, **k),
    "mosquitto_sub of 5.0": lambda *a, **k: mosquitto_sub(*a, 5, **k),
    "mqtt.js of 3.1.1": lambda *a, **k: mqtt_js(*a, 4, "tcp", **k),
    "mqtt.js of 5.0 over WebSocket": lambda *a, **k: mqtt_js(*a, 5, "ws", **k),
    "mqtt.js of 3.1.1 over WebSocket at the root": lambda *a, **k: mqtt_js(*a, 4, "ws", path="/", **k),
}


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS.keys())
def test_hears_what_was_created_updated_and_removed(server, make):
    client = make(server, "vm/+")
    try:
        with server.http() as http:
            http.post("/entities/vm", {"id": "1", "name": "vm1", "status": "up"})
            http.patch("/entities/vm/1", {"name": "vm1", "status": "down"})
            http.post("/entities/cluster", {"id": "1"})
            http.delete("/entities/vm/1")
        assert [client.next() for _ in range(3)] == ["vm/1 +", "vm/1 status", "vm/1 -"]
    finally:
        client.close()


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS.keys())
def test_a_session_hears_only_what_it_may_read(secured, make):
    with secured.http() as http:
        http.post("/sessions", {"id": "0123456789abcdef", "permissions": {"vm": ["1", "3"]}})
        client = make(secured, "#", credentials=("session", "0123456789abcdef"))
        try:
            http.put("/entities/vm", [{"id": "1"}, {"id": "2"}, {"id": "3"}])
            http.patch("/entities/vm/2", {"a": 1})
            http.put("/entities/disk/1", {})
            http.patch("/entities/vm/3", {"a": 1})
            assert [client.next() for _ in range(3)] == ["vm/1 +", "vm/3 +", "vm/3 a"]
            with pytest.raises(queue.Empty):
                client.next(timeout=0.2)
        finally:
            client.close()


@pytest.mark.parametrize("version", [4, 5])
def test_at_qos_1_a_thousand_changes_arrive_in_order(server, version):
    client = Paho(server, "vm/#", version, qos=1)
    try:
        with server.http() as http:
            http.put("/entities/vm", [{"id": str(n)} for n in range(1000)])
        assert [client.next() for _ in range(1000)] == [f"vm/{n} +" for n in range(1000)]
    finally:
        client.close()
