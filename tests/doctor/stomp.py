"""A client that calls by JSON-RPC and tells of events, over STOMP."""

import itertools
import json

from . import stomp_wire
from .stomp_wire import REQUESTS


class Closed(ConnectionError):
    """The server has ended the connection."""


class Stomp:
    """A connection; connected unless `connect` is False. As a context manager it is closed."""

    requests = REQUESTS

    def __init__(self, port, login=None, passcode=None, version="1.2", connect=True, host="127.0.0.1", tls=None):
        self.wire = stomp_wire.Stomp(port, host=host, version=version, connect=False, tls=tls)
        self.socket = self.wire.socket
        self.ids = itertools.count(1)
        if connect:
            self.send("CONNECT", {"accept-version": version, "host": "doctor", "login": login, "passcode": passcode})
            self.connected = self.frame()
            if self.connected.command != "CONNECTED":
                raise Closed(repr(self.connected))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    # -- frames -----------------------------------------------------------------------------

    def write(self, octets):
        self.wire.raw(octets)

    def send(self, command, headers=None, body=b""):
        body = body if isinstance(body, bytes) else body.encode()
        headers = dict(headers or {})
        if body:
            headers["content-length"] = len(body)
        self.wire.send(command, headers, body)

    def frame(self, timeout=20):
        """The next frame; TimeoutError if none comes, Closed if none can."""
        frame = self.wire.frame(timeout)
        if frame is None:
            raise Closed(self.wire.ended) if self.wire.ended else TimeoutError
        return frame

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
