"""Clients that write and read as oVirt's Java client was seen to, octet by octet."""

import json
import socket
import struct
import time
import uuid

import pytest

from doctor import Server
from doctor.stomp_wire import EVENTS, REQUESTS, Stomp

RESPONSES = "jms.topic.vdsm_responses"


@pytest.fixture(scope="module")
def running():
    with Server() as server:
        yield server


def subscribe(destination, id=None):
    return f"SUBSCRIBE\nid:{id or uuid.uuid4()}\ndestination:{destination}\nack:auto\n\n\0".encode()


# It sends no `host` of its own where it has no name for the peer.
CONNECT = b"CONNECT\naccept-version:1.2\nhost:null\nheart-beat:0,30000\n\n\0"


class JavaReader:
    """Reads as that client does: one frame of what a read brings; what follows it in the same read waits for one more octet.

    It needs content-length and a header block of at most 1024 octets. Octets that are no frame stay in a buffer of that
    size until a frame comes; when it is full nothing is read any more.
    """

    def __init__(self, connection):
        self.socket, self.buffer, self.bodies, self.frames, self.deaf = connection, b"", [], [], False
        self.reads = []

    def read(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return self
            assert data, "an orderly end, which it does not see"
            self.reads.append(data)
            if self.deaf:
                continue
            self.buffer += data
            self.take_one()
        return self

    def take_one(self):
        start = len(self.buffer) - len(self.buffer.lstrip(b"\n"))
        head = self.buffer.find(b"\n\n", start)
        if head < 0:
            self.deaf = len(self.buffer) >= 1024
            return
        assert head - start <= 1024, "it closes the connection"
        lines = self.buffer[start:head].decode().split("\n")
        headers = dict(line.split(":", 1) for line in lines[1:])
        size = int(headers.get("content-length", 0))
        if len(self.buffer) <= head + 2 + size:
            return
        self.frames.append(lines[0])
        self.bodies.append(self.buffer[head + 2 : head + 2 + size])
        self.buffer = self.buffer[head + 3 + size :]


@pytest.mark.parametrize("order", [
    [subscribe(RESPONSES), subscribe(EVENTS), CONNECT],
    [subscribe(RESPONSES), CONNECT, subscribe(EVENTS)],
    [CONNECT, subscribe(RESPONSES), subscribe(EVENTS)],
], ids=["both before", "one before", "none before"])
@pytest.mark.parametrize("together", [True, False])
def test_it_may_subscribe_before_it_connects(running, order, together):
    with Stomp(running.stomp, connect=False) as client, Stomp(running.stomp) as host:
        for part in [b"".join(order)] if together else order:
            client.raw(part)
            time.sleep(0 if together else 0.05)
        assert client.expect("CONNECTED")["version"] == "1.2"
        time.sleep(0.1)
        host.notify("|virt|VM_status|u1", RESPONSES)
        assert client.message().json["method"] == "|virt|VM_status|u1"
        client.silent(0.2)  # once, though it listens in two places


def test_one_that_never_connects_is_ended_in_time():
    with Server(config='[limits]\nstomp_connect_timeout = "500 ms"\n') as server, Stomp(server.stomp, connect=False) as client:
        client.raw(subscribe(RESPONSES) + subscribe(EVENTS))
        frame = client.expect("ERROR")
        assert "stomp_connect_timeout" in frame["message"]
        assert client.frame(3) is None and client.ended == "reset"


def java(server):
    """A connection that is known for what it is, and its reader, which has read CONNECTED."""
    connection = socket.create_connection(("127.0.0.1", server.stomp))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in (subscribe(RESPONSES), CONNECT, subscribe(EVENTS)):
        connection.sendall(part)
        time.sleep(0.02)
    reader = JavaReader(connection).read(0.3)
    assert reader.frames == ["CONNECTED"], reader.reads
    return connection, reader


def test_events_that_come_close_together_are_all_read(running):
    connection, reader = java(running)
    with connection, Stomp(running.stomp) as host:
        for burst in (1, 2, 10, 50):
            reader.bodies.clear()
            for n in range(burst):
                host.notify(f"|virt|VM_status|{n}")
            reader.read(1.0 + burst * 0.03)
            assert [json.loads(body)["method"] for body in reader.bodies] == [f"|virt|VM_status|{n}" for n in range(burst)]
        assert not reader.deaf


def test_each_frame_is_a_write_of_its_own_and_lone_octets_follow(running):
    connection, reader = java(running)
    with connection, Stomp(running.stomp) as host:
        # What the client gets in one read is the network's choice: slow enough, each write is one.
        reader.reads.clear()
        for n in range(3):
            host.notify(f"|virt|VM_status|{n}")
            reader.read(0.01)
        reader.read(0.5)
        octets = b"".join(reader.reads)
        assert octets.count(b"MESSAGE") == 3
        assert octets.endswith(b"\0\n\n") or octets.endswith(b"\0\n"), "a lone LF for each frame that followed another"
        before = len(octets)
        reader.read(0.5)
        assert len(b"".join(reader.reads)) == before, "and then there is silence"


def test_answers_that_come_close_together_are_all_read(running):
    connection, reader = java(running)
    with connection:
        reader.bodies.clear()
        for n in range(10):
            body = b'{"jsonrpc":"2.0","method":"Host.ping","params":{},"id":"%d"}' % n
            connection.sendall(b"SEND\ndestination:%s\nreply-to:%s\ncontent-length:%d\n\n%s\0" % (REQUESTS.encode(), RESPONSES.encode(), len(body), body))
        reader.read(1.5)
        assert sorted(json.loads(body)["id"] for body in reader.bodies) == sorted(str(n) for n in range(10))


def test_heart_beats_do_not_make_it_deaf():
    with Server() as server:
        connection = socket.create_connection(("127.0.0.1", server.stomp))
        with connection:
            connection.sendall(subscribe(RESPONSES) + CONNECT.replace(b"0,30000", b"0,1000"))
            reader = JavaReader(connection).read(5)
            beats = sum(data.count(b"\n") for data in reader.reads if not data.strip(b"\n"))
            assert 3 <= beats <= 8 and not reader.deaf


def test_the_end_is_a_reset_since_it_does_not_see_another(running):
    connection, reader = java(running)
    with connection:
        connection.sendall(b"NONSENSE\n\n\0")
        octets = b""
        with pytest.raises(ConnectionResetError):
            connection.settimeout(3)
            while True:
                data = connection.recv(65536)
                assert data, "an orderly end"
                octets += data
        assert b"ERROR" in octets


def test_unsubscribing_what_earlier_connections_had_is_no_error(running):
    connection, reader = java(running)
    with connection:
        for _ in range(5):
            connection.sendall(f"UNSUBSCRIBE\nid:{uuid.uuid4()}\n\n\0".encode())
        connection.sendall(b"UNSUBSCRIBE\nid:x\nreceipt:r\n\n\0")
        reader.read(0.5)
        assert reader.frames[-1] == "RECEIPT"


def test_a_client_may_be_declared_one_by_the_setting():
    with Server(config='[stomp]\ncompat = "ovirt"\n') as server, Stomp(server.stomp) as plain:
        plain.subscribe("a").send("NONSENSE")
        assert plain.expect("ERROR") and plain.frame(3) is None and plain.ended == "reset"


def test_others_end_in_order(running):
    with Stomp(running.stomp) as plain:
        plain.subscribe("a").send("NONSENSE")
        assert plain.expect("ERROR") and plain.frame(3) is None and plain.ended == "closed"


def test_a_client_that_resets_harms_nobody(running):
    for _ in range(10):
        connection, _ = java(running)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    with Stomp(running.stomp) as client:
        client.subscribe("a").publish("a", b"x").message()
