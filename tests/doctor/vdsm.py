"""A vdsm host as it is on the wire, octet for octet as vdsm reads and writes, with its faults. What it does not like
it cuts, and keeps why."""

import json
import socket
import threading
import time

HEARD_LIMIT = 65536


class Dislike(Exception):
    """Why a connection is cut; empty if it was to end."""


class Vdsm:
    """Listens as long as it is entered; one connection at a time. tls: an ssl.SSLContext.

    answers: what a method returns. `seen` is every octet that came, `connections` how many there were.
    """

    event_destination = "jms.queue.events"

    def __init__(self, port=0, answers=None, tls=None):
        self.port, self.answers, self.tls = port, dict(answers or {}), tls
        self.seen, self.called, self.dislikes, self.connections = b"", [], [], 0
        self.lock = threading.Lock()
        self.connection = self.subscription = self.replies = None
        self.listening = False

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.listener.settimeout(0.02)
        self.port = self.listener.getsockname()[1]
        self.listening = True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listening = False
        self.cut()
        self.thread.join()
        self.listener.close()

    # -- what a test does -------------------------------------------------------------------

    def wait_for_listener(self, seconds=15):
        """Until somebody has subscribed to the events."""
        until = time.monotonic() + seconds
        while self.subscription is None:
            assert time.monotonic() < until and not self.dislikes, self.dislikes
            time.sleep(0.005)
        return self

    def event(self, method, params):
        self.message(self.event_destination, self.wait_for_listener().subscription,
                     json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def message(self, destination, subscription, body):
        """As vdsm writes it: no message-id."""
        self._write(f"MESSAGE\ndestination:{destination}\ncontent-type:application/json\nsubscription:{subscription}\n"
                    f"content-length:{len(body.encode())}\n\n{body}\0")

    def error(self):
        """An ERROR, which ends nothing."""
        self._write("ERROR\ncontent-length:26\n\nSubscription not available\0")

    def cut(self):
        with self.lock:
            if self.connection:
                try:
                    self.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    # -- inside -----------------------------------------------------------------------------

    def _write(self, text):
        with self.lock:
            self.connection.sendall(text.encode())

    def _serve(self):
        while self.listening:
            try:
                made, _ = self.listener.accept()
            except TimeoutError:
                continue
            made.settimeout(10)
            try:
                if self.tls:
                    made = self.tls.wrap_socket(made, server_side=True)
                self.connections += 1
                self.connection = made
                self._talk(made)
            except Dislike as why:
                if str(why):
                    self.dislikes.append(str(why))
            except OSError:
                pass
            with self.lock:
                self.connection = self.subscription = self.replies = None
            made.close()

    def _talk(self, made):
        made.settimeout(None)
        buffer, greeted = b"", False
        while True:
            frame, found, rest = buffer.partition(b"\0")
            if not found:
                octets = made.recv(4096)
                if not octets:
                    return
                self.seen = (self.seen + octets)[-HEARD_LIMIT:]
                # It looks at the first octets of a connection: without one of its commands it is HTTP.
                if not greeted and not (buffer + octets).startswith(b"CONNECT"[: len(buffer + octets)]):
                    raise Dislike(f"the first octets are {octets[:20]}")
                buffer += octets
                continue
            buffer = rest
            command, headers, body = self._parse(frame)
            if not greeted:
                greeted = True
                self._greet(headers)
            else:
                getattr(self, "_" + command.lower(), self._unknown)(headers, body)

    @staticmethod
    def _parse(frame):
        head, found, body = frame.lstrip(b"\n").decode().partition("\n\n")
        if not found:
            raise Dislike(f"no end of the headers: {frame[:80]}")
        command, *lines = head.split("\n")
        headers = {}
        for line in lines:
            if line.count(":") != 1:
                raise Dislike(f"a raw colon, or none: {line}")
            name, _, value = line.partition(":")
            headers[name] = value
        return command, headers, body

    def _greet(self, headers):
        if headers.get("accept-version") != "1.2":
            return self._write("ERROR\ncontent-length:19\n\nVersion unsupported\0")
        incoming, outgoing = headers.get("heart-beat", "0,0").split(",")
        self._write(f"CONNECTED\nversion:1.2\nheart-beat:{outgoing},{incoming}\n\n\0")

    def _subscribe(self, headers, _):
        if "id" not in headers or "destination" not in headers:
            raise Dislike("Missing destination or subscription id header")
        if headers.get("ack") != "auto":
            raise Dislike("ack is not auto")
        if headers["destination"] != self.event_destination:
            self.replies = headers["destination"], headers["id"]
        elif self.replies is None:
            raise Dislike("the event queue comes before the reply queue")
        else:
            self.subscription = headers["id"]

    def _unsubscribe(self, headers, _):
        pass

    def _send(self, headers, body):
        if headers.get("destination") != "jms.topic.vdsm_requests":
            return self.error()
        if self.replies is None or headers.get("reply-to") != self.replies[0]:
            raise Dislike("reply-to is no queue of this connection")
        call = json.loads(body)
        if not isinstance(call, dict) or "id" not in call:
            raise Dislike(f"a batch or a notification: {body}")
        self.called.append((call["method"], call.get("params")))
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] in self.answers:
            answer["result"] = self.answers[call["method"]]
        else:
            answer["error"] = {"code": -32601, "message": "no such method"}
        return self.message(*self.replies, json.dumps(answer))

    def _disconnect(self, headers, _):
        if "receipt" not in headers:
            raise Dislike("KeyError: receipt")
        self._write(f"RECEIPT\nreceipt-id:{headers['receipt']}\n\n\0")
        raise Dislike()

    def _unknown(self, headers, _):
        raise Dislike(f"an unknown command with {headers}")
