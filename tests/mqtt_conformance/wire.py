"""The packets of MQTT 3.1.1 and 5.0 as bytes, written from the standards.

What a test sends can be as wrong as it wants. What a server sends is read strictly: any packet
that breaks a rule of its own form raises NotConformant, whatever the test was about.
"""

from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(8, 16)
NAMES = ("reserved CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK "
         "PINGREQ PINGRESP DISCONNECT AUTH").split()
REQUIRED_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}  # every other packet but PUBLISH: 0

V311, V5 = 4, 5

# Reason codes by the name the standard gives them, in snake case.
SUCCESS, NO_MATCHING_SUBSCRIBERS, NO_SUBSCRIPTION_EXISTED = 0x00, 0x10, 0x11
DISCONNECT_WITH_WILL, CONTINUE_AUTHENTICATION, RE_AUTHENTICATE = 0x04, 0x18, 0x19
UNSPECIFIED_ERROR, MALFORMED_PACKET, PROTOCOL_ERROR, IMPLEMENTATION_SPECIFIC_ERROR = 0x80, 0x81, 0x82, 0x83
UNSUPPORTED_PROTOCOL_VERSION, NOT_AUTHORIZED, BAD_AUTHENTICATION_METHOD = 0x84, 0x87, 0x8C
KEEP_ALIVE_TIMEOUT, SESSION_TAKEN_OVER, TOPIC_FILTER_INVALID, TOPIC_NAME_INVALID = 0x8D, 0x8E, 0x8F, 0x90
PACKET_IDENTIFIER_NOT_FOUND, RECEIVE_MAXIMUM_EXCEEDED, TOPIC_ALIAS_INVALID = 0x92, 0x93, 0x94
PACKET_TOO_LARGE = 0x95

# The reason codes that a server may put into each packet (5.0, the tables of section 3).
SERVER_CODES = {
    CONNACK: {0x00, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F},
    PUBACK: {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    PUBREC: {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    PUBREL: {0x00, 0x92},
    PUBCOMP: {0x00, 0x92},
    SUBACK: {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
    UNSUBACK: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
    DISCONNECT: {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, *range(0x8D, 0x91), *range(0x93, 0xA3)} - {0x91, 0x92},
    AUTH: {0x00, 0x18},
}
CODES_OF_311 = {CONNACK: set(range(6)), SUBACK: {0, 1, 2, 0x80}}

BYTE, TWO_BYTES, FOUR_BYTES, VARIABLE, STRING, BINARY, PAIR = range(7)
PROPERTIES = {
    "payload_format_indicator": (0x01, BYTE), "message_expiry_interval": (0x02, FOUR_BYTES),
    "content_type": (0x03, STRING), "response_topic": (0x08, STRING), "correlation_data": (0x09, BINARY),
    "subscription_identifier": (0x0B, VARIABLE), "session_expiry_interval": (0x11, FOUR_BYTES),
    "assigned_client_identifier": (0x12, STRING), "server_keep_alive": (0x13, TWO_BYTES),
    "authentication_method": (0x15, STRING), "authentication_data": (0x16, BINARY),
    "request_problem_information": (0x17, BYTE), "will_delay_interval": (0x18, FOUR_BYTES),
    "request_response_information": (0x19, BYTE), "response_information": (0x1A, STRING),
    "server_reference": (0x1C, STRING), "reason_string": (0x1F, STRING), "receive_maximum": (0x21, TWO_BYTES),
    "topic_alias_maximum": (0x22, TWO_BYTES), "topic_alias": (0x23, TWO_BYTES), "maximum_qos": (0x24, BYTE),
    "retain_available": (0x25, BYTE), "user_property": (0x26, PAIR), "maximum_packet_size": (0x27, FOUR_BYTES),
    "wildcard_subscription_available": (0x28, BYTE), "subscription_identifiers_available": (0x29, BYTE),
    "shared_subscription_available": (0x2A, BYTE),
}
BY_NUMBER = {number: (name, kind) for name, (number, kind) in PROPERTIES.items()}
SIZES = {BYTE: 1, TWO_BYTES: 2, FOUR_BYTES: 4}

_OF_ACKS = {"reason_string", "user_property"}
FROM_SERVER = {
    CONNACK: _OF_ACKS | {
        "session_expiry_interval", "receive_maximum", "maximum_qos", "retain_available", "maximum_packet_size",
        "assigned_client_identifier", "topic_alias_maximum", "wildcard_subscription_available",
        "subscription_identifiers_available", "shared_subscription_available", "server_keep_alive",
        "response_information", "server_reference", "authentication_method", "authentication_data"},
    PUBLISH: {
        "payload_format_indicator", "message_expiry_interval", "topic_alias", "response_topic", "correlation_data",
        "user_property", "subscription_identifier", "content_type"},
    PUBACK: _OF_ACKS, PUBREC: _OF_ACKS, PUBREL: _OF_ACKS, PUBCOMP: _OF_ACKS, SUBACK: _OF_ACKS, UNSUBACK: _OF_ACKS,
    DISCONNECT: _OF_ACKS | {"server_reference"},  # and no session expiry interval [MQTT-3.14.2-2]
    AUTH: _OF_ACKS | {"authentication_method", "authentication_data"},
}
FLAGS = {"maximum_qos", "retain_available", "wildcard_subscription_available", "subscription_identifiers_available",
         "shared_subscription_available", "payload_format_indicator"}  # 0 or 1
NEVER_ZERO = {"receive_maximum", "maximum_packet_size", "topic_alias", "subscription_identifier"}


class NotConformant(AssertionError):
    """The server sent a packet that the standard forbids."""


@dataclass
class Packet:
    kind: int
    flags: int = 0
    identifier: int = None
    reason: int = None
    reasons: list = None
    properties: dict = field(default_factory=dict)
    session_present: bool = None
    topic: str = None
    payload: bytes = None
    size: int = 0
    body: bytes = b""

    @property
    def qos(self):
        return self.flags >> 1 & 3

    @property
    def retain(self):
        return bool(self.flags & 1)

    @property
    def dup(self):
        return bool(self.flags & 8)

    @property
    def user(self):
        return self.properties.get("user_property", [])

    def __repr__(self):
        shown = {k: v for k, v in vars(self).items() if v not in (None, {}, b"") and k not in ("kind", "body", "size")}
        return f"{NAMES[self.kind]}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


# -- writing --------------------------------------------------------------------------------------


def number(value, size=2):
    return value.to_bytes(size, "big")


def variable(value):
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127)
    return bytes(digit | 128 for digit in digits[:-1]) + bytes(digits[-1:])


def string(text):
    """A UTF-8 string or binary data; bytes go as they are."""
    data = text.encode() if isinstance(text, str) else text
    return number(len(data)) + data


def one_property(name, value):
    code, kind = PROPERTIES[name]
    if kind == PAIR:
        return bytes([code]) + string(value[0]) + string(value[1])
    if kind == VARIABLE:
        return bytes([code]) + variable(value)
    return bytes([code]) + (number(value, SIZES[kind]) if kind in SIZES else string(value))


def properties(*pairs, **values):
    """The length and the properties: pairs (name, value) in order, then those by keyword.

    A list as value stands for the property several times.
    """
    out = b""
    for name, value in [*pairs, *values.items()]:
        if value is not None:
            out += b"".join(one_property(name, one) for one in (value if isinstance(value, list) else [value]))
    return variable(len(out)) + out


def frame(kind, body=b"", flags=None):
    flags = REQUIRED_FLAGS.get(kind, 0) if flags is None else flags
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


@dataclass
class Will:
    topic: str
    payload: bytes = b"will"
    qos: int = 0
    retain: bool = False
    properties: dict = field(default_factory=dict)


def connect(version, client_id, clean=True, keep_alive=0, will=None, user=None, password=None, name="MQTT", flags=None,
            level=None, after=b"", **more):
    """flags: instead of those that follow from the arguments; after: bytes at the end."""
    if flags is None:
        flags = clean << 1 | (user is not None) << 7 | (password is not None) << 6
        if will:
            flags |= 4 | will.qos << 3 | will.retain << 5
    body = string(name) + bytes([version if level is None else level, flags]) + number(keep_alive)
    body += properties(**more) if version == V5 else b""
    body += string(client_id)
    if will:
        body += properties(**will.properties) if version == V5 else b""
        body += string(will.topic) + string(will.payload)
    body += string(user) if user is not None else b""
    body += string(password) if password is not None else b""
    return frame(CONNECT, body + after)


def publish(version, topic, payload=b"", qos=0, retain=False, dup=False, identifier=None, pairs=(), **more):
    body = string(topic) + (number(identifier) if identifier is not None else b"")
    body += properties(*pairs, **more) if version == V5 else b""
    return frame(PUBLISH, body + (payload.encode() if isinstance(payload, str) else payload), dup << 3 | qos << 1 | retain)


def acknowledge(kind, identifier, reason=None):
    """PUBACK, PUBREC, PUBREL, PUBCOMP: the short form without a reason."""
    return frame(kind, number(identifier) + (bytes([reason]) if reason is not None else b""))


def subscribe(version, identifier, filters, pairs=(), **more):
    """filters: (filter, options)."""
    body = number(identifier) + (properties(*pairs, **more) if version == V5 else b"")
    return frame(SUBSCRIBE, body + b"".join(string(one) + bytes([options]) for one, options in filters))


def unsubscribe(version, identifier, filters, **more):
    body = number(identifier) + (properties(**more) if version == V5 else b"")
    return frame(UNSUBSCRIBE, body + b"".join(map(string, filters)))


def disconnect(reason=None, **more):
    """The short form without a reason."""
    return frame(DISCONNECT, b"" if reason is None else bytes([reason]) + properties(**more))


def auth(reason, **more):
    return frame(AUTH, bytes([reason]) + properties(**more))


# -- reading --------------------------------------------------------------------------------------


def demand(true, rule):
    if not true:
        raise NotConformant(rule)


def parse_variable(data, at=0):
    """(value, bytes taken), None while more is needed."""
    value = 0
    for taken in range(1, 5):
        if at + taken > len(data):
            return None
        byte = data[at + taken - 1]
        value |= (byte & 127) << 7 * (taken - 1)
        if not byte & 128:
            demand(byte or taken == 1, "a variable byte integer is not of the least length")
            return value, taken
    raise NotConformant("a variable byte integer is longer than four bytes")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        demand(self.at + size <= len(self.data), "the packet ends within a field")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size=2):
        return int.from_bytes(self.take(size), "big")

    def variable(self):
        found = parse_variable(self.data, self.at)
        demand(found, "the packet ends within a variable byte integer")
        self.at += found[1]
        return found[0]

    def binary(self):
        return self.take(self.number())

    def string(self):
        try:
            text = self.binary().decode()  # Python's decoder refuses surrogates and overlong forms
        except UnicodeDecodeError:
            raise NotConformant("a string is not well-formed UTF-8") from None
        demand("\0" not in text, "a string holds U+0000")
        return text

    def left(self):
        return len(self.data) - self.at

    def rest(self):
        return self.take(self.left())

    def properties(self, packet):
        length = self.variable()
        demand(length <= self.left(), "the properties are longer than the packet")
        end, found = self.at + length, {}
        while self.at < end:
            code = self.variable()
            demand(code in BY_NUMBER, f"{code:#x} is no property")
            name, kind = BY_NUMBER[code]
            demand(name in FROM_SERVER.get(packet, ()), f"{name} has no place in a {NAMES[packet]} of a server")
            value = self._value(kind)
            if name == "user_property" or (name == "subscription_identifier" and packet == PUBLISH):
                found.setdefault(name, []).append(value)
            else:
                demand(name not in found, f"{name} twice")
                found[name] = value
            demand(name not in FLAGS or value in (0, 1), f"{name} is {value}")
            demand(name not in NEVER_ZERO or value, f"{name} is 0")
        demand(self.at == end, "the properties do not end where their length says")
        return found

    def _value(self, kind):
        if kind == PAIR:
            return self.string(), self.string()
        if kind in SIZES:
            return self.number(SIZES[kind])
        return {VARIABLE: self.variable, STRING: self.string, BINARY: self.binary}[kind]()


def parse(data, version):
    """(packet, bytes taken) of what a server sent; None while more is needed."""
    length = parse_variable(data, 1) if data else None
    if length is None or len(data) < 1 + length[1] + length[0]:
        return None
    head = 1 + length[1]
    packet = Packet(data[0] >> 4, data[0] & 15, size=head + length[0], body=bytes(data[head : head + length[0]]))
    demand(packet.kind in READERS and (version == V5 or packet.kind not in (DISCONNECT, AUTH)),
           f"a server never sends {NAMES[packet.kind]} here")
    if packet.kind != PUBLISH:
        demand(packet.flags == REQUIRED_FLAGS.get(packet.kind, 0), f"flags {packet.flags:04b} in {NAMES[packet.kind]}")
    reader = Reader(packet.body)
    READERS[packet.kind](packet, reader, version)
    demand(not reader.left(), f"{reader.left()} bytes too many at the end of {NAMES[packet.kind]}")
    codes = SERVER_CODES if version == V5 else CODES_OF_311
    for reason in (packet.reasons or []) + ([packet.reason] if packet.reason is not None else []):
        demand(packet.kind not in codes or reason in codes[packet.kind], f"{reason:#x} in {NAMES[packet.kind]}")
    return packet, packet.size


def _connack(packet, reader, version):
    flags, packet.reason = reader.number(1), reader.number(1)
    demand(flags in (0, 1), "reserved bits of the connect acknowledge flags")
    packet.session_present = bool(flags)
    demand(not (packet.reason and flags), "Session Present in a CONNACK that refuses")
    if version == V5:
        packet.properties = reader.properties(CONNACK)


def _publish(packet, reader, version):
    demand(packet.qos < 3, "QoS 3")
    demand(packet.qos or not packet.dup, "DUP at QoS 0")
    packet.topic = reader.string()
    demand(not set(packet.topic) & {"+", "#"}, "a wildcard in a topic name")
    if packet.qos:
        packet.identifier = reader.number()
        demand(packet.identifier, "packet identifier 0")
    if version == V5:
        packet.properties = reader.properties(PUBLISH)
    demand(packet.topic or "topic_alias" in packet.properties, "an empty topic name without an alias")
    packet.payload = reader.rest()


def _acknowledgement(packet, reader, version):
    packet.identifier, packet.reason = reader.number(), SUCCESS
    demand(packet.identifier, "packet identifier 0")
    if version == V5 and reader.left():
        packet.reason = reader.number(1)
        if reader.left():
            packet.properties = reader.properties(packet.kind)


def _suback(packet, reader, version):
    packet.identifier = reader.number()
    if version == V5:
        packet.properties = reader.properties(packet.kind)
    packet.reasons = list(reader.rest()) if version == V5 or packet.kind == SUBACK else []


def _disconnect(packet, reader, version):
    packet.reason = reader.number(1) if reader.left() else SUCCESS
    if reader.left():
        packet.properties = reader.properties(packet.kind)


READERS = {
    CONNACK: _connack, PUBLISH: _publish, PUBACK: _acknowledgement, PUBREC: _acknowledgement, PUBREL: _acknowledgement,
    PUBCOMP: _acknowledgement, SUBACK: _suback, UNSUBACK: _suback, PINGRESP: lambda *_: None, DISCONNECT: _disconnect,
    AUTH: _disconnect,
}
