"""A STOMP client that others wrote, stomp.py, in all three versions.

DOCTOR_STOMP_BROKER=host:port[:login:passcode] runs what is of STOMP alone against another broker: that the tests
themselves are right. What brokers disagree about is told in docs/decisions/stomp.md.
"""

import json
import os
import queue
import ssl
import time
import uuid

import pytest

stomp = pytest.importorskip("stomp")

from doctor import Server, certificates  # noqa: E402

OTHER = os.environ.get("DOCTOR_STOMP_BROKER")
ours = pytest.mark.skipif(OTHER is not None, reason="of Doctor alone")
EVENTS, REQUESTS = "jms.queue.events", "jms.topic.vdsm_requests"
CLIENTS = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}


@pytest.fixture(scope="module")
def broker():
    """Host, port, login and passcode."""
    if OTHER:
        host, port, login, passcode = (OTHER.split(":") + [None, None])[:4]
        yield host, int(port), login, passcode
    else:
        with Server() as server:
            server.broker = "127.0.0.1", server.stomp, None, None
            yield server.broker


class Heard(stomp.ConnectionListener):
    def __init__(self):
        self.messages, self.errors, self.receipts = queue.Queue(), queue.Queue(), queue.Queue()
        self.beats, self.lost = 0, 0

    def on_message(self, frame):
        self.messages.put(frame)

    def on_error(self, frame):
        self.errors.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_heartbeat(self):
        self.beats += 1

    def on_disconnected(self):
        self.lost += 1


class Client:
    def __init__(self, broker, version="1.2", **more):
        host, port, login, passcode = broker
        options = {} if version == "1.0" else {"heartbeats": more.pop("heartbeats", (0, 0)), "vhost": "/"}
        self.connection = CLIENTS[version]([(host, port)], **options)
        self.heard = Heard()
        self.connection.set_listener("", self.heard)
        self.connection.connect(login or more.get("login"), passcode or more.get("passcode"), wait=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.connection.is_connected():
            self.connection.disconnect()

    def subscribe(self, destination, id="1", ack="auto", **headers):
        receipt = str(uuid.uuid4())
        self.connection.subscribe(destination, id=id, ack=ack, headers={"receipt": receipt, **headers})
        assert self.heard.receipts.get(timeout=10) == receipt
        return self

    def send(self, destination, body, **more):
        self.connection.send(destination, body, **more)
        return self

    def synced(self):
        receipt = str(uuid.uuid4())
        self.connection.send("/topic/nobody", "", receipt=receipt)
        assert self.heard.receipts.get(timeout=10) == receipt
        return self

    def message(self, timeout=10):
        return self.heard.messages.get(timeout=timeout)

    def bodies(self, count):
        return [self.message().body for _ in range(count)]

    def silent(self, seconds=0.3):
        with pytest.raises(queue.Empty):
            self.heard.messages.get(timeout=seconds)
        return self


def topic():
    """A name that all brokers take for a topic."""
    return f"/topic/{uuid.uuid4()}"


@pytest.mark.parametrize("version", CLIENTS)
def test_messages_go_from_one_to_all_who_subscribed(broker, version):
    name = topic()
    with Client(broker, version) as one, Client(broker, version) as other:
        one.subscribe(name)
        other.subscribe(name)
        for n in range(20):
            one.send(name, f"text {n} é", headers={"kind": "test"})
        for client in (one, other):
            heard = [client.message() for _ in range(20)]
            assert [frame.body for frame in heard] == [f"text {n} é" for n in range(20)]
            assert heard[0].headers["destination"] == name and heard[0].headers["kind"] == "test" and heard[0].headers["message-id"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_headers_are_escaped(broker, version):
    name = topic()
    with Client(broker, version) as client:
        client.subscribe(name).send(name, "x", headers={"odd": "a:b\\c\nd"})
        assert client.message().headers["odd"] == "a:b\\c\nd"


@pytest.mark.parametrize("version", CLIENTS)
def test_transactions_are_heard_at_their_end_or_not_at_all(broker, version):
    name = topic()
    with Client(broker, version) as client:
        client.subscribe(name)
        for end, heard in ((client.connection.commit, 2), (client.connection.abort, 0)):
            transaction = client.connection.begin()
            client.send(name, "1", transaction=transaction).send(name, "2", transaction=transaction).synced().silent()
            end(transaction)
            assert client.bodies(heard) == ["1", "2"][:heard]
        client.silent()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_messages_are_acknowledged(broker, version, mode):
    name = topic()
    with Client(broker, version) as client:
        client.subscribe(name, ack=mode)
        for n in range(3):
            client.send(name, str(n))
        frames = [client.message() for _ in range(3)]
        for frame in frames[-1:] if mode == "client" else frames:
            if version == "1.2":
                client.connection.ack(frame.headers["ack"])
            else:
                client.connection.ack(frame.headers["message-id"], "1")
        client.synced()
        assert client.heard.errors.empty()


def test_nothing_comes_after_unsubscribe(broker):
    name = topic()
    with Client(broker) as client, Client(broker) as other:
        client.subscribe(name).connection.unsubscribe("1")
        client.synced()
        other.send(name, "x").synced()
        client.silent()


def test_heart_beats_keep_both_alive(broker):
    with Client(broker, heartbeats=(1_000, 1_000)) as client:
        time.sleep(4)
        assert client.connection.is_connected() and client.heard.lost == 0
        assert client.heard.beats >= 1


def test_large_and_binary_bodies_go_through(broker):
    name = topic()
    with Client(broker) as client:
        client.subscribe(name)
        for body in ("\0" * 10, "x" * 1_000_000, ""):
            client.send(name, body)
            assert client.message().body == body


# -- what is Doctor's -----------------------------------------------------------------------------


@ours
def test_events_about_documents_and_of_clients(broker):
    from doctor.http import Http

    with Server() as server, Client(("127.0.0.1", server.stomp, None, None)) as client, Http(server.api) as http:
        client.subscribe(EVENTS, **{"event-filter": "*|vm|*|*,*|virt|*|*"})
        http.put("/entities/vm/1", {"name": "a"})
        http.put("/entities/host/1", {"name": "a"})
        client.send(EVENTS, json.dumps({"jsonrpc": "2.0", "method": "|virt|VM_status|u1", "params": {"u1": {"status": "Up"}}}))
        heard = [json.loads(client.message().body) for _ in range(2)]
        assert [one["method"] for one in heard] == ["|vm|created|1", "|virt|VM_status|u1"]
        client.silent()


@ours
@pytest.mark.parametrize("version", CLIENTS)
def test_calls_are_answered(broker, version):
    with Client(broker, version) as client:
        answers = str(uuid.uuid4())
        client.subscribe(answers)
        call = {"jsonrpc": "2.0", "id": 7, "method": "Doctor.echo", "params": {"text": "hello"}}
        client.send(REQUESTS, json.dumps(call), headers={"reply-to": answers})
        assert json.loads(client.message().body) == {"jsonrpc": "2.0", "id": 7, "result": "hello"}


@ours
def test_credentials_are_login_and_passcode():
    with Server(secret="open sesame") as server:
        with server.http() as http:
            http.put("/sessions/reader", {"permissions": {"vm": "1"}})
        address = ("127.0.0.1", server.stomp)
        for login, passcode in (("connector", "open sesame"), ("session", "reader")):
            Client((*address, login, passcode)).__exit__()
        for login, passcode in (("connector", "wrong"), ("session", "nobody"), (None, None)):
            with pytest.raises(stomp.exception.ConnectFailedException):
                Client((*address, login, passcode))


@ours
def test_it_speaks_tls_with_a_certificate(tmp_path):
    authority = certificates.Authority(tmp_path)
    engine = authority.issue("engine.example")
    config = f'[stomp]\nconnectors = ["engine.example"]\n[tls.stomp]\nca = "{authority.ca}"\n'
    with Server(secret="open sesame", tls=authority.issue("server"), config=config) as server:
        address, heard = ("localhost", server.stomp_tls), Heard()

        def connect():
            connection = stomp.Connection12([address])
            connection.set_ssl([address], key_file=str(engine.key), cert_file=str(engine.cert), ca_certs=str(authority.ca),
                               ssl_version=ssl.PROTOCOL_TLS_CLIENT)
            connection.set_listener("", heard)
            connection.connect(wait=True)
            return connection

        # stomp.py reads and writes a TLS session from two threads without a lock: one CONNECT in a hundred never arrives.
        try:
            connection = connect()
        except stomp.exception.ConnectFailedException:
            connection = connect()
        connection.subscribe("a", id="1")
        connection.send("a", "x")
        assert heard.messages.get(timeout=10).body == "x"
        connection.disconnect()
