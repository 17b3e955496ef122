"""Hundreds of MQTT clients come, go, take each other over, fall silent and send rubbish, over TCP and WebSocket,
while documents change, sessions are edited and operators look and interfere. Whoever stays hears everything.

Made for ThreadSanitizer; true without it as well."""

import asyncio
import itertools
import os
import random
import socket
import struct
import threading
import time

from doctor import Server
from mqtt_conformance import wire

SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
SECONDS = 12 if "DOCTOR_SANITIZED" in os.environ else 5
RESTLESS, STEADY = 250, 12
SESSIONS = [f"session-of-the-storm-{at}" for at in range(4)]
TOPICS = ["storm/a", "storm/b", "host/1", "news"]
FILTERS = ["#", "vm/#", "vm/+", "+/1", "storm/#", "$share/group/#", "$share/group/storm/#", "$SYS/#", "host/+"]
CAUSES = {"malformed", "taken_over", "keep_alive", "session_ended", "operator"}  # that end connections in a storm
# Small bounds, so that they are met.
CONFIG = """
[limits]
mqtt_queue_messages = 200
mqtt_stalled_timeout = "2s"
mqtt_sessions = 100
mqtt_backlog_bytes = 20000
connections = 2000
"""


class Wire:
    """One connection: packets over TCP, or within the binary frames of a WebSocket."""

    @classmethod
    async def open(cls, server, websocket):
        made = cls()
        made.websocket, made.version = websocket, wire.V5
        made.reader, made.writer = await asyncio.open_connection("127.0.0.1", server.api if websocket else server.mqtt)
        made.buffer = bytearray()
        if websocket:
            made.writer.write(b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                              b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")
            head = await made.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
        return made

    def send(self, data):
        if self.websocket:  # masked with zeros
            size = len(data)
            length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + struct.pack("!H", size)
            data = b"\x82" + length + bytes(4) + data
        self.writer.write(data)

    async def receive(self):
        """The next packet; raises when there is none any more."""
        while not (found := wire.parse(self.buffer, self.version)):
            self.buffer += await (self._frame() if self.websocket else self._some())
        del self.buffer[: found[1]]
        return found[0]

    async def expect(self, kind):
        while (packet := await self.receive()).kind != kind:
            self.answer(packet)
        return packet

    def answer(self, packet):
        """What the receiver of a message owes."""
        if packet.kind == wire.PUBLISH and packet.qos:
            self.send(wire.acknowledge(wire.PUBACK if packet.qos == 1 else wire.PUBREC, packet.identifier))
        elif packet.kind == wire.PUBREC and packet.reason < 0x80:
            self.send(wire.acknowledge(wire.PUBREL, packet.identifier))
        elif packet.kind == wire.PUBREL:
            self.send(wire.acknowledge(wire.PUBCOMP, packet.identifier))

    async def _some(self):
        data = await self.reader.read(1 << 16)
        if not data:
            raise EOFError("closed")
        return data

    async def _frame(self):
        first, length = await self.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        data = await self.reader.readexactly(length)
        if first == 0x88:
            raise EOFError("closed")
        assert first == 0x82, f"a frame that begins with {first:#x}"
        return data

    def reset(self):
        """The network fails."""
        if sock := self.writer.get_extra_info("socket"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


GONE = (EOFError, ConnectionError, asyncio.IncompleteReadError)


class Storm:
    def __init__(self, server):
        self.server, self.chance = server, random.Random(SEED)
        self.over = asyncio.Event()
        self.changed = []  # (revision, topic, payload), in order of revisions once sorted
        self.visits = self.welcomes = 0

    # -- clients that come and go -------------------------------------------------------------

    async def restless(self, number):
        while not self.over.is_set():
            self.visits += 1
            try:
                client = await Wire.open(self.server, self.chance.random() < 0.4)
            except GONE:
                continue
            try:
                await asyncio.wait_for(self.visit(client), 3)
            except (*GONE, asyncio.TimeoutError):
                pass
            finally:
                client.reset() if self.chance.random() < 0.5 else client.writer.close()

    async def visit(self, client):
        chance = self.chance
        client.version = chance.choice([wire.V311, wire.V5])
        session = chance.choice([None, None, *SESSIONS])
        who = dict(user="connector", password=self.server.secret) if session is None else dict(user="session", password=session)
        more = {}
        if client.version == wire.V5:
            more = dict(session_expiry_interval=chance.choice([0, 1, 60]), receive_maximum=chance.choice([1, 5, 100]),
                        topic_alias_maximum=chance.choice([0, 4]))
        will = wire.Will("storm/will", qos=chance.randrange(3), retain=chance.random() < 0.3) if session is None else None
        client.send(wire.connect(client.version, f"restless{chance.randrange(60)}", clean=chance.random() < 0.5,
                                 keep_alive=chance.choice([0, 1]), will=will, **who, **more))
        if chance.random() < 0.05:
            return  # it does not wait for the answer
        connack = await client.expect(wire.CONNACK)
        if connack.reason:
            return
        self.welcomes += 1
        for _ in range(chance.randrange(6)):
            await self.act(client)
        ending = chance.randrange(5)
        if ending == 0:
            client.send(wire.disconnect())
        elif ending == 1:
            client.send(chance.randbytes(20))
            while True:
                client.answer(await client.receive())
        elif ending == 2:
            await asyncio.sleep(chance.random() * 3)  # silent, and deaf

    async def act(self, client):
        chance, identifier = self.chance, self.chance.randrange(1, 50)
        kind = chance.randrange(5)
        if kind == 0:
            client.send(wire.subscribe(client.version, identifier, [(chance.choice(FILTERS), chance.randrange(3))]))
        elif kind == 1:
            client.send(wire.unsubscribe(client.version, identifier, [chance.choice(FILTERS)]))
        elif kind == 2:
            qos = chance.randrange(3)
            client.send(wire.publish(client.version, chance.choice(TOPICS), chance.randbytes(chance.randrange(300)), qos,
                                     retain=chance.random() < 0.2, identifier=identifier if qos else None))
        else:
            until = time.monotonic() + chance.random() * 0.5
            while (left := until - time.monotonic()) > 0:
                try:
                    client.answer(await asyncio.wait_for(client.receive(), left))
                except asyncio.TimeoutError:
                    return

    # -- clients that stay --------------------------------------------------------------------

    async def steady(self, number, subscribed):
        """Hears all of `vm` until the change that ends it; returns what it heard."""
        client = await Wire.open(self.server, number % 3 == 0)
        client.version = wire.V311 if number % 4 == 0 else wire.V5
        if number % 2:
            who = dict(user="connector", password=self.server.secret)
        else:
            who = dict(user="session", password="session-that-is-steady")
        client.send(wire.connect(client.version, f"steady{number}", **who))
        assert (await client.expect(wire.CONNACK)).reason == 0
        client.send(wire.subscribe(client.version, 1, [("vm/+", number % 3)]))
        await client.expect(wire.SUBACK)
        subscribed()
        heard = []
        while True:
            packet = await client.receive()
            client.answer(packet)
            if packet.kind != wire.PUBLISH:
                continue
            heard.append((packet.topic, packet.payload.decode("latin-1")))
            if packet.topic == "vm/end":
                client.reset()
                return heard

    # -- everyone else, in threads ------------------------------------------------------------

    def write_documents(self, ended):
        chance = random.Random(SEED + 1)
        with self.server.http() as http:
            for number in itertools.count():
                if ended.is_set():
                    break
                id, field = str(chance.randrange(5)), f"f{number % 50}"
                answer = http.patch(f"/entities/vm/{id}", {field: number})
                assert answer.status == 200 and answer.json["updated"] == {id: [field]}, answer
                self.changed.append((f"vm/{id}", field))
                if number % 20 == 0:
                    http.put("/entities/host", [{"id": str(at), "n": number} for at in range(chance.randrange(50))])
            http.put("/entities/vm/end", {})
            self.changed.append(("vm/end", "+"))

    def edit_sessions(self, ended):
        chance = random.Random(SEED + 2)
        with self.server.http() as http:
            while not ended.is_set():
                session = chance.choice(SESSIONS)
                if chance.random() < 0.2:
                    http.delete(f"/sessions/{session}")
                else:
                    allowed = chance.choice(["*", {"vm": "*"}, {"vm": ["1", "2"], "host": "*"}, {}])
                    assert http.put(f"/sessions/{session}", {"permissions": allowed}).status in (200, 201)
                time.sleep(0.02)

    def operate(self, ended):
        """Reads what operators read, and disconnects one of the restless now and then."""
        chance = random.Random(SEED + 3)
        with self.server.http() as http:
            while not ended.is_set():
                assert http.get("/metrics").status == 200
                listed = http.get("/mqtt/clients?limit=50")
                assert listed.status == 200
                restless = [one["id"] for one in listed.json if one["client_id"].startswith("restless")]
                if restless and chance.random() < 0.5:
                    assert http.delete(f"/mqtt/clients/{chance.choice(restless)}").status in (200, 404)
                time.sleep(0.05)


async def rage(server):
    storm, ended = Storm(server), threading.Event()
    waiting, loop = STEADY, asyncio.get_running_loop()
    ready = loop.create_future()

    def subscribed():
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            ready.set_result(None)

    steady = [asyncio.create_task(storm.steady(number, subscribed)) for number in range(STEADY)]
    await asyncio.wait_for(ready, 20)
    restless = [asyncio.create_task(storm.restless(number)) for number in range(RESTLESS)]
    works = [loop.run_in_executor(None, work, ended) for work in (storm.write_documents, storm.edit_sessions, storm.operate)]
    try:
        await asyncio.wait([*works, *restless], timeout=SECONDS, return_when=asyncio.FIRST_EXCEPTION)
        ended.set()
        await asyncio.gather(*works)
        heard = await asyncio.wait_for(asyncio.gather(*steady), 20)
    finally:
        ended.set()
        storm.over.set()
        await asyncio.gather(*restless)
    return storm, heard


def test_whoever_stays_in_a_storm_of_clients_hears_everything_and_nobody_is_left_over():
    print(f"DOCTOR_SEED={SEED}")
    with Server(secret="open sesame", config=CONFIG) as server:
        with server.http() as http:
            sessions = [{"id": one, "permissions": {"vm": "*"}} for one in SESSIONS]
            assert http.put("/entities/vm", [{"id": str(at)} for at in range(5)]).status == 201
            assert http.put("/sessions", [*sessions, {"id": "session-that-is-steady", "permissions": {"vm": "*"}}]).status in (200, 201)
        storm, heard = asyncio.run(rage(server))
        for number, messages in enumerate(heard):
            assert messages == storm.changed, f"steady{number} heard {len(messages)}, not {len(storm.changed)} as they came"
        # All of ours are closed; what the server still has must go by itself.
        until = time.monotonic() + 20
        open_connections = ['doctor_connections{protocol="mqtt"}', 'doctor_connections{protocol="mqtt-websocket"}']
        while any((metrics := server.metrics())[name] for name in open_connections) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(metrics[name] for name in open_connections), {name: metrics[name] for name in open_connections}
        print(f"{storm.visits} visits, {storm.welcomes} welcome, {len(storm.changed)} changes of vm")
        closed = {cause for cause in CAUSES if metrics[f'doctor_mqtt_closed_total{{cause="{cause}"}}']}
        assert closed == CAUSES, f"never closed: {CAUSES - closed}"
        assert storm.welcomes > 100
