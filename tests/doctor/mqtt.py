"""A small MQTT client of both versions: what it sends and hears is visible to the byte."""

import os
import select
import socket
import struct
import time
from collections import namedtuple

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14

Packet = namedtuple("Packet", "kind flags body")
Message = namedtuple("Message", "topic payload qos retain dup identifier properties")

# Properties: how the value is written. MQTT 5.0 section 2.2.2.2.
BYTE, TWO, FOUR, VARIABLE, STRING, BINARY, PAIR = range(7)
PROPERTIES = {
    "payload_format": (0x01, BYTE), "message_expiry": (0x02, FOUR), "content_type": (0x03, STRING),
    "response_topic": (0x08, STRING), "correlation_data": (0x09, BINARY), "subscription_identifier": (0x0B, VARIABLE),
    "session_expiry": (0x11, FOUR), "assigned_client_id": (0x12, STRING), "server_keep_alive": (0x13, TWO),
    "authentication_method": (0x15, STRING), "authentication_data": (0x16, BINARY), "request_problem": (0x17, BYTE),
    "will_delay": (0x18, FOUR), "request_response": (0x19, BYTE), "response_information": (0x1A, STRING),
    "server_reference": (0x1C, STRING), "reason_string": (0x1F, STRING), "receive_maximum": (0x21, TWO),
    "topic_alias_maximum": (0x22, TWO), "topic_alias": (0x23, TWO), "maximum_qos": (0x24, BYTE),
    "retain_available": (0x25, BYTE), "user": (0x26, PAIR), "maximum_packet_size": (0x27, FOUR),
    "wildcard_available": (0x28, BYTE), "subscription_identifiers_available": (0x29, BYTE), "shared_available": (0x2A, BYTE),
}
BY_NUMBER = {number: (name, kind) for name, (number, kind) in PROPERTIES.items()}


def variable(number):
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 127
        out.append(digit | (128 if number else 0))
        if not number:
            return bytes(out)


def binary(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("!H", len(data)) + data


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def properties(values):
    """Writes {'user': [(k, v)], 'receive_maximum': 3}."""
    out = b""
    for name, value in (values or {}).items():
        number, kind = PROPERTIES[name]
        for item in value if kind == PAIR else [value]:
            out += bytes([number])
            out += {
                BYTE: lambda v: bytes([v]), TWO: lambda v: struct.pack("!H", v), FOUR: lambda v: struct.pack("!I", v),
                VARIABLE: variable, STRING: binary, BINARY: binary, PAIR: lambda v: binary(v[0]) + binary(v[1]),
            }[kind](item)
    return variable(len(out)) + out


class Reader:
    """Takes the parts of a packet's body one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        part = self.data[self.at : self.at + size]
        assert len(part) == size, "the packet ends too early"
        self.at += size
        return part

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def variable(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return value

    def string(self):
        return self.take(self.number(2)).decode()

    def properties(self):
        end = self.variable() + self.at
        found = {}
        while self.at < end:
            name, kind = BY_NUMBER[self.number(1)]
            if kind == PAIR:
                found.setdefault(name, []).append((self.string(), self.string()))
            elif kind in (STRING, BINARY):
                found[name] = self.string() if kind == STRING else self.take(self.number(2))
            else:
                found[name] = self.variable() if kind == VARIABLE else self.number({BYTE: 1, TWO: 2, FOUR: 4}[kind])
        return found

    def rest(self):
        return self.data[self.at :]


class Gone(ConnectionError):
    """The server closed the connection. `reason` is that of its DISCONNECT, if it sent one."""

    def __init__(self, reason=None):
        super().__init__(f"closed with reason {reason}")
        self.reason = reason


def connect_packet(client_id, version=4, user=None, password=None, keep_alive=0, clean=True, will=None, more=None):
    """will: (topic, payload). more: properties of a 5.0 CONNECT."""
    flags = (2 if clean else 0) | (4 if will else 0) | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = binary("MQTT") + bytes([version, flags]) + struct.pack("!H", keep_alive)
    if version == 5:
        body += properties(more)
    body += binary(client_id)
    if will:
        body += (properties({}) if version == 5 else b"") + binary(will[0]) + binary(will[1])
    if user is not None:
        body += binary(user)
    if password is not None:
        body += binary(password)
    return packet(CONNECT, 0, body)


def raw_subscriber(port, name, receive_buffer=None):
    """A socket that is subscribed to vm/+ at QoS 0 by 3.1.1 and has read the acknowledgements."""
    made = socket.socket()
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.connect(("127.0.0.1", port))
    made.sendall(connect_packet(name) + packet(SUBSCRIBE, 2, struct.pack("!H", 1) + binary("vm/+") + b"\0"))
    acknowledged = b""
    while len(acknowledged) < 9:
        acknowledged += made.recv(9 - len(acknowledged))
    assert acknowledged == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00"
    return made


class Mqtt:
    """A client. Connects at once (code and properties of the CONNACK are kept). tls: an ssl.SSLContext."""

    def __init__(self, port, user=None, password=None, version=4, client_id=None, host="127.0.0.1", timeout=10, tls=None, **more):
        self.version, self.timeout = version, timeout
        self.buffer, self.messages, self.closed = b"", [], None
        self.next_identifier = 1
        self.send_acknowledgements, self.unacknowledged = True, []
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = lambda: 0  # what TLS has read and select does not see
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
            self.pending = self.socket.pending
        if client_id is None:
            client_id = "t" + os.urandom(6).hex()
        self.send(connect_packet(client_id, version, user, password, **more))
        answer = Reader(self._expect(CONNACK).body)
        self.session_present, self.code = answer.number(1), answer.number(1)
        self.connack = answer.properties() if version == 5 else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    # -- requests ---------------------------------------------------------------------------

    def subscribe(self, *filters, qos=0):
        """Returns the return codes; the properties of a 5.0 SUBACK are in self.suback."""
        identifier = self._identifier()
        body = struct.pack("!H", identifier) + (properties({}) if self.version == 5 else b"")
        for one in filters:
            body += binary(one) + bytes([qos])
        self.send(packet(SUBSCRIBE, 2, body))
        answer = Reader(self._expect(SUBACK).body)
        assert answer.number(2) == identifier
        self.suback = answer.properties() if self.version == 5 else {}
        return list(answer.rest())

    def unsubscribe(self, *filters):
        identifier = self._identifier()
        body = struct.pack("!H", identifier) + (properties({}) if self.version == 5 else b"")
        self.send(packet(UNSUBSCRIBE, 2, body + b"".join(binary(one) for one in filters)))
        answer = Reader(self._expect(UNSUBACK).body)
        assert answer.number(2) == identifier
        if self.version == 5:
            answer.properties()
        return list(answer.rest())

    def publish(self, topic, payload, qos=0, retain=False, more=None):
        """Returns the reason code of the PUBACK at QoS 1 (0 on 3.1.1)."""
        identifier = self._identifier() if qos else None
        body = binary(topic) + (struct.pack("!H", identifier) if qos else b"")
        body += (properties(more) if self.version == 5 else b"") + (payload.encode() if isinstance(payload, str) else payload)
        self.send(packet(PUBLISH, qos << 1 | int(retain), body))
        if qos == 1:
            answer = Reader(self._expect(PUBACK).body)
            assert answer.number(2) == identifier
            rest = answer.rest()
            return rest[0] if rest else 0
        return None

    def ping(self):
        self.send(packet(PINGREQ, 0, b""))
        self._expect(PINGRESP)

    def disconnect(self):
        self.send(packet(DISCONNECT, 0, b""))
        self.close()

    # -- hearing ----------------------------------------------------------------------------

    def hear(self, timeout=None):
        """The next message, None when the time is over. Raises Gone if the server closed."""
        until = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not self.messages:
            found = self._packet(until)
            if found is None:
                return None
            self._take(found)
        return self.messages.pop(0)

    def heard(self, count, timeout=None):
        """The next `count` messages as (topic, payload); fewer if no more came in time."""
        found = []
        while len(found) < count and (message := self.hear(timeout)):
            found.append((message.topic, message.payload))
        return found

    def wait_closed(self, timeout=10):
        """The reason of the server's DISCONNECT (None without one), once it has closed."""
        try:
            until = time.monotonic() + timeout
            while found := self._packet(until):
                self._take(found)
        except Gone as gone:
            return gone.reason
        raise AssertionError("the connection was not closed")

    # -- inside -----------------------------------------------------------------------------

    def _identifier(self):
        self.next_identifier = self.next_identifier % 65535 + 1
        return self.next_identifier

    def _take(self, found):
        if found.kind == DISCONNECT:
            self.closed = found.body[0] if found.body else 0
            return
        assert found.kind == PUBLISH, f"unexpected packet {found}"
        qos, body = found.flags >> 1 & 3, Reader(found.body)
        topic = body.string()
        identifier = body.number(2) if qos else None
        more = body.properties() if self.version == 5 else {}
        payload = body.rest().decode("utf-8", "replace")
        self.messages.append(Message(topic, payload, qos, found.flags & 1, found.flags >> 3, identifier, more))
        if qos == 1:
            self.unacknowledged.append(identifier)
            if self.send_acknowledgements:
                self.acknowledge()

    def acknowledge(self):
        """Acknowledges what was heard at QoS 1; by itself unless send_acknowledgements is false."""
        for identifier in self.unacknowledged:
            self.send(packet(PUBACK, 0, struct.pack("!H", identifier)))
        self.unacknowledged = []

    def _expect(self, kind):
        until = time.monotonic() + self.timeout
        while found := self._packet(until):
            if found.kind == kind:
                return found
            self._take(found)
        raise AssertionError(f"no packet of kind {kind} came")

    def _packet(self, until):
        while True:
            found = self._complete()
            if found:
                return found
            left = until - time.monotonic()
            if not self.pending() and not select.select([self.socket], [], [], max(left, 0))[0]:
                return None
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Gone(self.closed)
            self.buffer += data

    def _complete(self):
        length = shift = 0
        for at in range(1, min(len(self.buffer), 5)):
            length |= (self.buffer[at] & 127) << shift
            shift += 7
            if not self.buffer[at] & 128:
                end = at + 1 + length
                if len(self.buffer) < end:
                    return None
                found = Packet(self.buffer[0] >> 4, self.buffer[0] & 15, self.buffer[at + 1 : end])
                self.buffer = self.buffer[end:]
                return found
        return None


def revision_of(message):
    """The user property `revision` of a message heard over 5.0."""
    return int(dict(message.properties["user"])["revision"])
