"""MQTT within WebSocket frames."""

import base64
import hashlib
import os
import struct

import pytest

from . import wire
from .clause import both, clause, doctors_own, only_5
from .client import TIMEOUT, Stream
from .wire import PINGRESP

pytestmark = pytest.mark.websocket

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class WebSocket(Stream):
    """Frames by hand. `send` puts its bytes into one binary frame."""

    def __init__(self, address, path="/mqtt", protocols=("mqtt",)):
        super().__init__(address)
        self.buffer, self.pongs, self.close_code = bytearray(), [], None
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Protocol: {', '.join(protocols)}"] if protocols else []
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.socket.settimeout(TIMEOUT)
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.socket.recv(1)
            assert more, f"closed within the answer {head!r}"
            head += more
        first, *rest = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        assert self.status != 101 or self.headers["sec-websocket-accept"] == accept

    def frame(self, opcode, data=b"", final=True, masked=True):
        head = bytes([final << 7 | opcode])
        size = len(data)
        bit = masked << 7
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += bytes([bit | 126]) + struct.pack("!H", size)
        else:
            head += bytes([bit | 127]) + struct.pack("!Q", size)
        if masked:
            mask = os.urandom(4)
            head, data = head + mask, bytes(byte ^ mask[at & 3] for at, byte in enumerate(data))
        super().send(head + data)

    def send(self, data):
        self.frame(BINARY, data)

    def receive(self, timeout):
        """The payload of the next data frame; the server's are binary and not masked."""
        while True:
            found = self._frame()
            if found:
                opcode, data = found
                if opcode == PONG:
                    self.pongs.append(data)
                elif opcode == CLOSE:
                    self.close_code = struct.unpack("!H", data[:2])[0] if data else None
                elif opcode == PING:
                    self.frame(PONG, data)
                else:
                    assert opcode in (BINARY, CONTINUATION), f"a frame of kind {opcode}"
                    if data:
                        return data
                continue
            more = super().receive(timeout)
            if not more:
                return more
            self.buffer += more

    def _frame(self):
        if len(self.buffer) < 2:
            return None
        opcode, size, at = self.buffer[0] & 15, self.buffer[1], 2
        assert not size & 128, "a masked frame from the server"
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(self.buffer) < 2 + width:
                return None
            size, at = int.from_bytes(self.buffer[2 : 2 + width], "big"), 2 + width
        if len(self.buffer) < at + size:
            return None
        data = bytes(self.buffer[at : at + size])
        del self.buffer[: at + size]
        return opcode, data


@pytest.fixture
def over(mqtt, broker):
    """over(version): a connected client over WebSocket, its frames at client.stream."""

    def connected(version, path="/mqtt", **more):
        client = mqtt.raw(version, WebSocket(broker.websocket, path))
        assert client.stream.status == 101
        assert client.connect(**more).reason == 0
        return client

    return connected


@both
@clause("MQTT-6.0.0-3", "MQTT-6.0.0-4", "MQTT-4.2-1")
def test_the_sub_protocol_mqtt_is_answered_and_mqtt_spoken(over, mqtt, version, topic):
    client = over(version)
    assert client.stream.headers["sec-websocket-protocol"] == "mqtt"
    client.subscribe(topic, qos=2)
    mqtt(version).publish(topic, "x", qos=2)
    assert client.payloads() == ["x"]


@clause("MQTT-6.0.0-4")
def test_of_several_sub_protocols_mqtt_is_chosen(broker):
    stream = WebSocket(broker.websocket, protocols=("other", "mqtt", "mqttv3.1"))
    assert (stream.status, stream.headers["sec-websocket-protocol"]) == (101, "mqtt")
    stream.close()


@doctors_own
@clause("MQTT-6.0.0-3")
def test_without_the_sub_protocol_none_is_answered(broker):
    stream = WebSocket(broker.websocket, protocols=("other",))
    assert stream.status != 101 or "sec-websocket-protocol" not in stream.headers
    stream.close()


@doctors_own
@clause("MQTT-6.0.0-4")
def test_the_root_serves_browsers_of_the_first_doctor(over):
    over(4, path="/").ping()


@both
@clause("MQTT-6.0.0-1")
def test_a_text_frame_closes(over, version):
    client = over(version)
    client.stream.frame(TEXT, wire.frame(wire.PINGREQ))
    assert PINGRESP not in [packet.kind for packet in client.closed()]


@both
@clause("MQTT-6.0.0-2")
def test_packets_may_be_split_over_frames(over, version, topic):
    client = over(version)
    client.subscribe(topic)
    data = wire.publish(version, topic, "split")
    for at in range(len(data)):
        client.send(data[at : at + 1])
    assert client.message().payload == b"split"


@both
@clause("MQTT-6.0.0-2")
def test_a_frame_may_hold_many_packets_and_parts_of_packets(over, version, topic):
    client = over(version)
    client.subscribe(topic)
    data = wire.publish(version, topic, "x") * 10 + wire.frame(wire.PINGREQ)
    client.send(data + data[:7])
    client.expect(PINGRESP)
    client.send(data[7:])
    client.expect(PINGRESP)
    assert [client.message().payload for _ in range(20)] == [b"x"] * 20


@both
@clause("MQTT-6.0.0-2")
def test_a_fragmented_message_with_a_ping_between_is_one_stream(over, version, topic):
    client = over(version)
    client.subscribe(topic)
    data = wire.publish(version, topic, "fragments")
    client.stream.frame(BINARY, data[:5], final=False)
    client.stream.frame(PING, b"between")
    client.stream.frame(CONTINUATION, b"", final=False)
    client.stream.frame(CONTINUATION, data[5:])
    assert client.message().payload == b"fragments"
    client.ping()  # no standard says which of the two comes first
    assert client.stream.pongs == [b"between"]


@both
@clause("5.0 §6.0")
def test_a_frame_without_a_mask_closes(over, version):
    client = over(version)
    client.stream.frame(BINARY, wire.frame(wire.PINGREQ), masked=False)
    assert PINGRESP not in [packet.kind for packet in client.closed()]


@both
@clause("5.0 §6.0")
@pytest.mark.parametrize("what", [
    "reserved opcode", "continuation of nothing", "long control frame", "fragmented control frame"])
def test_a_frame_against_the_rules_of_websocket_closes(over, version, what):
    client = over(version)
    {"reserved opcode": lambda: client.stream.frame(3, b"x"),
     "continuation of nothing": lambda: client.stream.frame(CONTINUATION, wire.frame(wire.PINGREQ)),
     "long control frame": lambda: client.stream.frame(PING, b"x" * 126),
     "fragmented control frame": lambda: client.stream.frame(PING, b"x", final=False)}[what]()
    client.closed()


@both
@clause("5.0 §6.0")
def test_a_close_frame_is_answered(over, version):
    client = over(version)
    client.stream.frame(CLOSE, struct.pack("!H", 1000))
    client.closed()
    assert client.stream.close_code == 1000


@both
@doctors_own
@clause("5.0 §6.0")
def test_nothing_follows_the_closing_frame(over, mqtt, version, topic):
    client, publisher = over(version), mqtt(version)
    client.subscribe(topic)
    for _ in range(40):  # more than the sockets hold
        publisher.publish(topic, b"x" * 250_000, qos=1)
    client.stream.frame(CLOSE, struct.pack("!H", 1000))
    publisher.ping()
    while client.stream.receive(TIMEOUT):
        assert client.stream.close_code is None
    assert client.stream.close_code == 1000


@both
@clause("5.0 §6.0", "MQTT-4.13.1-1")
def test_a_malformed_packet_closes_with_its_reason(over, version, topic):
    client = over(version)
    client.send(wire.publish(version, topic, qos=3, identifier=1))
    client.refused(wire.MALFORMED_PACKET)


@both
@clause("MQTT-3.3.2-3")
def test_large_messages_cross_between_websocket_and_tcp(over, mqtt, version, topic):
    web, tcp = over(version), mqtt(version)
    for here, there in ((web, tcp), (tcp, web)):
        there.subscribe(topic, qos=1)
        here.publish(topic, b"x" * 100_000, qos=1)
        assert there.message().payload == b"x" * 100_000
        there.unsubscribe(topic)


@only_5
@clause("MQTT-3.1.4-3")
def test_take_over_works_across_transports(over, mqtt, version, name):
    web = over(version, client_id=name)
    tcp = mqtt(version, name)
    web.refused(wire.SESSION_TAKEN_OVER)
    tcp.ping()


@both
@clause("MQTT-3.1.2-8")
def test_a_broken_websocket_publishes_the_will(over, mqtt, version, topic):
    witness = mqtt(version)
    witness.subscribe(topic)
    over(version, will=wire.Will(topic)).drop()
    assert witness.message().payload == b"will"
