"""A client of STOMP that writes frames as it is told to, and calls by JSON-RPC."""

import itertools
import json
import socket
import time


class Frame:
    def __init__(self, command, headers, body):
        self.command = command
        self.headers = headers
        self.body = body

    def __getitem__(self, name):
        return self.headers.get(name)

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.command} {self.headers} {self.body[:200]!r}>"


class Closed(ConnectionError):
    """The server has ended the connection."""


def encode(command, headers=None, body=b""):
    """A frame as STOMP 1.2 writes it."""
    escapes = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
    plain = command in ("CONNECT", "STOMP")
    lines = [command]
    for name, value in (headers or {}).items():
        value = str(value)
        lines.append(f"{name}:{value if plain else ''.join(escapes.get(c, c) for c in value)}")
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


class Stomp:
    """A connection; connected unless `connect` is False. As a context manager it is closed."""

    requests = "jms.topic.vdsm_requests"

    def __init__(self, port, login=None, passcode=None, version="1.2", connect=True, host="127.0.0.1", tls=None,
                 timeout=20):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.input = b""
        self.ids = itertools.count(1)
        if connect:
            headers = {"accept-version": version, "host": "doctor"}
            if login is not None:
                headers |= {"login": login, "passcode": passcode}
            self.send("CONNECT", headers)
            self.connected = self.frame()
            if self.connected.command != "CONNECTED":
                raise Closed(repr(self.connected))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # -- frames -----------------------------------------------------------------------------

    def write(self, octets):
        self.socket.sendall(octets)

    def send(self, command, headers=None, body=b""):
        body = body if isinstance(body, bytes) else body.encode()
        headers = dict(headers or {})
        if body:
            headers["content-length"] = len(body)
        self.write(encode(command, headers, body))

    def frame(self, timeout=20):
        """The next frame; TimeoutError if none comes, Closed if none can."""
        until = time.monotonic() + timeout
        while True:
            self.input = self.input.lstrip(b"\r\n")
            end = self.input.find(b"\n\n")
            if end >= 0:
                head = self.input[:end].decode().split("\n")
                headers = {}
                for line in head[1:]:
                    name, _, value = line.partition(":")
                    headers.setdefault(name, value.replace("\\c", ":").replace("\\n", "\n").replace("\\\\", "\\"))
                size = int(headers.get("content-length", -1))
                stop = end + 2 + size if size >= 0 else self.input.find(b"\0", end)
                if 0 <= stop < len(self.input):
                    frame = Frame(head[0], headers, self.input[end + 2:stop])
                    self.input = self.input[stop + 1:]
                    return frame
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            received = self.socket.recv(1 << 20)
            if not received:
                raise Closed(self.input[:300])
            self.input += received

    def silent(self, seconds=0.3):
        """Whether nothing comes for so long."""
        try:
            self.unexpected = self.frame(seconds)
            return False
        except TimeoutError:
            return True

    def receipt(self, command, headers, body=b""):
        """Sends a frame and waits for its RECEIPT, which must be the next frame."""
        receipt = f"r{next(self.ids)}"
        self.send(command, headers | {"receipt": receipt}, body)
        frame = self.frame()
        assert frame.command == "RECEIPT" and frame["receipt-id"] == receipt, frame

    def subscribe(self, destination, id=None, **headers):
        id = id or f"s{next(self.ids)}"
        self.receipt("SUBSCRIBE", {"id": id, "destination": destination} | headers)
        return id

    # -- JSON-RPC ---------------------------------------------------------------------------

    def listen(self, reply_to="answers"):
        """Subscribes to a destination for the answers to `call`."""
        self.subscribe(reply_to)
        self.reply_to = reply_to
        return self

    def ask(self, message, to=None, **headers):
        """Sends calls as they are: an object, a list, or text."""
        body = message if isinstance(message, (str, bytes)) else json.dumps(message)
        self.send("SEND", {"destination": to or self.requests, "reply-to": self.reply_to} | headers, body)

    def call(self, method, /, **params):
        """The answer to one call, whole."""
        id = next(self.ids)
        self.ask({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        answer = self.frame().json
        assert answer["id"] == id, answer
        return answer

    def result(self, method, /, **params):
        answer = self.call(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method, /, **params):
        answer = self.call(method, **params)
        assert "error" in answer, answer
        return answer["error"]

    # -- events -----------------------------------------------------------------------------

    def event(self, method, params, to="jms.queue.events"):
        """Tells of an event; returns once the broker has taken it."""
        self.tell(notification(method, params), to)

    def tell(self, body, to="jms.queue.events"):
        """The same with a body as it is."""
        self.receipt("SEND", {"destination": to}, body if isinstance(body, bytes) else body.encode())


def notification(method, params):
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params})
