"""A small STOMP client of all versions: what it sends and hears is visible to the byte."""

import itertools
import json
import select
import socket
import time

ESCAPES = {
    "1.0": {},
    "1.1": {"\\": "\\\\", "\n": "\\n", ":": "\\c"},
    "1.2": {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"},
}
EVENTS, REQUESTS, ANSWERS = "jms.queue.events", "jms.topic.vdsm_requests", "jms.queue.reponses"


class Frame:
    """A command, its headers in order, the first of each name by `frame["name"]` (None: it has none), and its body."""

    def __init__(self, command, headers, body):
        self.command, self.pairs, self.body = command, headers, body
        self.headers = dict(reversed(headers))

    def __getitem__(self, name):
        return self.headers.get(name)

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.command} {self.pairs} {self.body[:200]}"


def written(command, headers=(), body=b"", version="1.2"):
    """The octets of a frame. headers: pairs or a dictionary; None values are left out."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    table = str.maketrans(ESCAPES["1.0" if command in ("CONNECT", "STOMP") else version])
    lines = [command] + [f"{name.translate(table)}:{str(value).translate(table)}" for name, value in pairs if value is not None]
    body = body.encode() if isinstance(body, str) else body
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


class Stomp:
    """A connection. Unless `connect` is False, CONNECT has been sent and CONNECTED has come."""

    def __init__(self, port, host="127.0.0.1", version="1.2", connect=True, tls=None, login=None, passcode=None, receive_buffer=None, **headers):
        self.version, self.buffer, self.beats, self.numbers = version, b"", 0, itertools.count(1)
        self.socket = socket.socket()
        if receive_buffer:  # before the connection is made: the window follows it
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect((host, port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        if connect:
            self.send("CONNECT", {"accept-version": version, "host": "localhost", "login": login, "passcode": passcode, **headers})
            self.connected = self.expect("CONNECTED")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # -- out --------------------------------------------------------------------------------

    def raw(self, data):
        self.socket.sendall(data)
        return self

    def send(self, command, headers=(), body=b""):
        return self.raw(written(command, headers, body, self.version))

    def subscribe(self, destination, id="1", **headers):
        """Subscribes, and returns once that has taken effect. `event_filter` is the header event-filter."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.confirmed("SUBSCRIBE", {"id": id, "destination": destination, **named})

    def publish(self, destination, body=b"", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("SEND", {"destination": destination, **named}, body)

    def notify(self, event, destination=EVENTS, **params):
        return self.publish(destination, json.dumps({"jsonrpc": "2.0", "method": event, "params": params}))

    def confirmed(self, command, headers=(), body=b""):
        """Sends a frame with a receipt and waits for that, as the next frame but for messages, which are kept."""
        receipt = f"receipt-{next(self.numbers)}"
        self.send(command, {**dict(headers), "receipt": receipt}, body)
        kept = b""
        while True:
            frame, octets = self._next(10)
            assert frame is not None, f"no RECEIPT for {command}"
            if frame.command == "RECEIPT" and frame["receipt-id"] == receipt:
                self.buffer = kept + self.buffer
                return self
            assert frame.command == "MESSAGE", frame
            kept += octets

    def synced(self):
        """All that was sent before has taken effect."""
        return self.confirmed("UNSUBSCRIBE", {"id": "nothing"})

    # -- in ---------------------------------------------------------------------------------

    def _fill(self, until):
        """More octets; False at the end or when the time is over."""
        pending = getattr(self.socket, "pending", lambda: 0)()
        if not pending and not select.select([self.socket], [], [], max(0, until - time.monotonic()))[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = "reset"
            return False
        if not data:
            self.ended = "closed"
            return False
        self.buffer += data
        return True

    ended = None

    def _next(self, timeout):
        until = time.monotonic() + timeout
        while True:
            stripped = self.buffer.lstrip(b"\n")
            self.beats += len(self.buffer) - len(stripped)
            self.buffer = stripped
            taken = self._cut()
            if taken:
                return taken
            if self.ended or not self._fill(until):
                return None, b""

    def _cut(self):
        head, mark, rest = self.buffer.partition(b"\n\n")
        if not mark:
            return None
        lines = head.decode().split("\n")
        back = {v: k for k, v in ESCAPES["1.0" if lines[0] == "CONNECTED" else self.version].items()}
        pairs = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            pairs.append((self._unescape(name, back), self._unescape(value, back)))
        length = dict(reversed(pairs)).get("content-length")
        if length is None:
            body, end, rest = rest.partition(b"\0")
            if not end:
                return None
        else:
            if len(rest) <= int(length):
                return None
            body, end, rest = rest[: int(length)], rest[int(length) : int(length) + 1], rest[int(length) + 1 :]
            assert end == b"\0"
        octets = self.buffer[: len(self.buffer) - len(rest)]
        self.buffer = rest
        return Frame(lines[0], pairs, body), octets

    @staticmethod
    def _unescape(text, back):
        out, at = "", 0
        while at < len(text):
            size = 2 if text[at] == "\\" and back else 1
            piece = text[at : at + size]
            out += back[piece] if size == 2 else piece
            at += size
        return out

    def frame(self, timeout=10):
        """The next frame; None if none comes in time."""
        return self._next(timeout)[0]

    def expect(self, command, timeout=10):
        frame = self.frame(timeout)
        assert frame is not None, f"no {command}: {self.ended or 'nothing came'}"
        assert frame.command == command, frame
        return frame

    def message(self, timeout=10):
        return self.expect("MESSAGE", timeout)

    def event(self, timeout=10):
        """The method and the params of the next message, a notification."""
        body = self.message(timeout).json
        return body["method"], body["params"]

    def bodies(self, count, timeout=10):
        return [self.message(timeout).body.decode() for _ in range(count)]

    def error(self):
        """The text of the ERROR that comes next and ends the connection."""
        frame = self.expect("ERROR")
        assert self.frame(5) is None and self.ended, "the connection goes on after an ERROR"
        return frame["message"]

    def silent(self, seconds=0.3):
        """Nothing is heard for so long."""
        frame = self.frame(seconds)
        assert frame is None and not self.ended, frame or self.ended
        return self

    def call(self, method, id=1, destination=REQUESTS, answers=ANSWERS, timeout=10, **params):
        """Asks and gives the answer, as JSON-RPC has it. Must be subscribed where answers go."""
        request = {"jsonrpc": "2.0", "method": method, "id": id, "params": params}
        self.publish(destination, json.dumps(request), reply_to=answers)
        return self.message(timeout).json
