"""A client whose every byte a test decides, and which holds the server to the form of every packet."""

import collections
import select
import socket
import time
import uuid

from . import wire
from .wire import CONNACK, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, V5

TIMEOUT = 3.0  # for what must come; nothing waits that long when it does
GRACE = 0.003  # for what may still come
IN_VAIN = "in/vain"  # a filter that no topic matches


def unique(prefix="c"):
    return prefix + uuid.uuid4().hex[:12]


class Closed(ConnectionError):
    """The server closed the connection while a packet was awaited."""


class Stream:
    """A TCP connection as a stream of bytes, with TLS at the addresses that `tls` has an ssl.SSLContext for."""

    tls = {}

    def __init__(self, address, source=None):
        self.socket = socket.create_connection(address, TIMEOUT, source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = lambda: 0  # bytes that TLS has read and select does not see
        if address in self.tls:
            self.socket = self.tls[address].wrap_socket(self.socket, server_hostname=address[0])
            self.pending = self.socket.pending

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what the server did before it closed is still to be read

    def receive(self, timeout):
        """Bytes, b"" when closed, None when the time is over."""
        if not self.pending() and not select.select([self.socket], [], [], max(timeout, 0))[0]:
            return None
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def close(self):
        self.socket.close()


class Client:
    """One connection. Nothing is sent until `connect` or `send`.

    acks: answers PUBLISH and PUBREL by itself, as they are read.
    """

    def __init__(self, stream, version, strict=True):
        self.stream, self.version, self.strict = stream, version, strict
        self.buffer, self.inbox = bytearray(), collections.deque()
        self.acks, self.next_identifier, self.limit = True, 0, None
        self.connack, self.client_id, self.kept, self.retained = None, None, False, set()
        self.over = False  # a DISCONNECT of the server was read

    # -- bytes and packets --------------------------------------------------------------------

    def send(self, data):
        self.stream.send(data)

    def receive(self, timeout=TIMEOUT):
        """The next packet; None when the time is over; raises Closed."""
        return self.inbox.popleft() if self.inbox else self._read(timeout)

    def expect(self, kind, timeout=TIMEOUT):
        """The next packet of the kind; those before it stay to be received."""
        for packet in self.inbox:
            if packet.kind == kind:
                self.inbox.remove(packet)
                return packet
        until = time.monotonic() + timeout
        while packet := self._read(until - time.monotonic()):
            if packet.kind == kind:
                return packet
            self.inbox.append(packet)
        raise AssertionError(f"no {wire.NAMES[kind]} came, but {list(self.inbox)}")

    def expect_bytes(self, data, timeout=TIMEOUT):
        """Exactly these bytes come next: for packets by the ten thousand."""
        until = time.monotonic() + timeout
        while len(self.buffer) < len(data):
            more = self.stream.receive(until - time.monotonic())
            assert more is not None, f"{len(self.buffer)} bytes of {len(data)} came"
            if not more:
                raise Closed("closed by the server")
            self.buffer += more
        assert self.buffer[: len(data)] == data
        del self.buffer[: len(data)]

    def closed(self, timeout=TIMEOUT):
        """The packets that come until the server closes; fails if it does not."""
        found, until = list(self.inbox), time.monotonic() + timeout
        self.inbox.clear()
        try:
            while packet := self._read(until - time.monotonic()):
                found.append(packet)
        except Closed:
            return found
        raise AssertionError(f"the connection was not closed; came: {found}")

    def refused(self, *reasons, timeout=TIMEOUT):
        """The server closes, and to a 5.0 client gives one of the reasons (others than Doctor may keep silent)."""
        found = self.closed(timeout)
        last = found[-1] if found and found[-1].kind == wire.DISCONNECT else None
        if self.version == V5 and (last or self.strict):
            assert last, f"closed without a word: {found}"
            assert last.reason in reasons, f"{last} instead of {[hex(reason) for reason in reasons]}"
        return found

    def _read(self, timeout):
        until = time.monotonic() + timeout
        while True:
            found = wire.parse(self.buffer, self.version)
            if found:
                del self.buffer[: found[1]]
                return self._arrived(found[0])
            data = self.stream.receive(until - time.monotonic())
            if data is None:
                return None
            if not data:
                wire.demand(not self.buffer, f"the server closed within a packet: {bytes(self.buffer)!r}")
                raise Closed("closed by the server")
            self.buffer += data

    def _arrived(self, packet):
        wire.demand(not self.over, f"{packet} after DISCONNECT")
        wire.demand(not self.limit or packet.size <= self.limit, f"{packet.size} bytes, more than {self.limit}: {packet}")
        self.over = packet.kind == wire.DISCONNECT
        if self.acks and packet.kind == PUBLISH and packet.qos:
            self.acknowledge(packet)
        if self.acks and packet.kind == PUBREL:
            self.send(wire.acknowledge(PUBCOMP, packet.identifier))
        return packet

    def acknowledge(self, packet, reason=None):
        """The first answer to a PUBLISH."""
        self.send(wire.acknowledge(PUBACK if packet.qos == 1 else PUBREC, packet.identifier, reason))

    # -- requests -----------------------------------------------------------------------------

    def connect(self, client_id=None, clean=True, keep=False, acks=True, **more):
        """keep: a session that outlives the connection (3.1.1: Clean Session 0). Returns the CONNACK."""
        self.acks, self.kept = acks, keep or bool(more.get("session_expiry_interval"))
        self.client_id = unique() if client_id is None else client_id
        self.limit = more.get("maximum_packet_size")
        if self.version == V5 and keep:
            more.setdefault("session_expiry_interval", 60)
        if self.version != V5:
            clean = not keep
        self.send(wire.connect(self.version, self.client_id, clean, **more))
        self.connack = self.expect(CONNACK)
        assert not self.inbox, f"before the CONNACK came {list(self.inbox)}"
        return self.connack

    def subscribe(self, *filters, qos=0, **more):
        """Each filter a string, for the QoS, or (filter, options). Returns the SUBACK."""
        identifier = self.identifier()
        pairs = [(one, qos) if isinstance(one, str) else one for one in filters]
        self.send(wire.subscribe(self.version, identifier, pairs, **more))
        answer = self.expect(SUBACK)
        assert answer.identifier == identifier
        assert len(answer.reasons) == len(filters)
        return answer

    def unsubscribe(self, *filters):
        identifier = self.identifier()
        self.send(wire.unsubscribe(self.version, identifier, filters))
        answer = self.expect(UNSUBACK)
        assert answer.identifier == identifier
        return answer

    def publish(self, topic, payload=b"", qos=0, retain=False, identifier=None, **more):
        """Publishes and completes the exchange; returns its first answer (at QoS 0 that to a PINGREQ)."""
        if qos and identifier is None:
            identifier = self.identifier()
        if retain:
            self.retained.add(topic)
        self.send(wire.publish(self.version, topic, payload, qos, retain, identifier=identifier, **more))
        if not qos:
            return self.ping()
        answer = self.expect(PUBACK if qos == 1 else PUBREC)
        assert answer.identifier == identifier
        if qos == 2 and answer.reason < 0x80:
            self.send(wire.acknowledge(PUBREL, identifier))
            assert self.expect(PUBCOMP).identifier == identifier
        return answer

    def ping(self):
        self.send(wire.frame(PINGREQ))
        return self.expect(PINGRESP)

    def identifier(self):
        self.next_identifier = self.next_identifier % 65535 + 1
        return self.next_identifier

    # -- hearing ------------------------------------------------------------------------------

    def message(self, timeout=TIMEOUT):
        """The next PUBLISH."""
        return self.expect(PUBLISH, timeout)

    def settle(self):
        """Returns once what is due has probably been sent; the packets are in the inbox.

        What a kept session is sent may have to be on a disk first, and so may its subscriptions.
        """
        self.ping()
        if self.kept and not self.over:
            self.subscribe(IN_VAIN)
            self.unsubscribe(IN_VAIN)

    def messages(self):
        """All PUBLISH packets that are due: those that come before the answers to later requests, until one brings none.

        No standard says that a delivery may not come after such an answer, hence the grace.
        """
        found = []
        while True:
            self.settle()
            while packet := self._read(GRACE):
                self.inbox.append(packet)
            came = [packet for packet in self.inbox if packet.kind in (PUBLISH, PUBREL)]
            found += [packet for packet in came if packet.kind == PUBLISH]
            if self.acks:
                self.inbox = collections.deque(packet for packet in self.inbox if packet not in came)
            else:
                self.inbox = collections.deque(packet for packet in self.inbox if packet.kind != PUBLISH)
            if not came or not self.acks:
                return found

    def payloads(self):
        return [packet.payload.decode() for packet in self.messages()]

    # -- ends ---------------------------------------------------------------------------------

    def disconnect(self, reason=None, **more):
        """The orderly end; returns once the server has closed too, so that what it does thereupon is done."""
        self.send(wire.disconnect(reason, **more))
        self.closed()
        self.stream.close()

    def drop(self):
        """The network fails."""
        self.stream.close()
