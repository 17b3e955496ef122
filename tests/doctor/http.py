"""A small HTTP/1.1 client over a raw socket: it sends what it is told, well-formed or not."""

import gzip
import json
import socket


class Answer:
    """One answer: status, headers (the last of a name wins in `[]`) and the decoded body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.raw_body = body
        if self["Content-Encoding"] == "gzip" and body:
            self.body = gzip.decompress(body)

    def __getitem__(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def revision(self):
        return int(self["Doctor-Revision"])

    def __repr__(self):
        lines = [str(self.status), *(f"{k}: {v}" for k, v in self.headers)]
        return "\n".join(lines) + "\n\n" + self.body[:2000].decode("utf-8", "replace")


class Closed(ConnectionError):
    """The server closed the connection where an answer was awaited."""


class Http:
    """A keep-alive connection. `headers` go with every request. Reconnects when it was closed.

    tls: an ssl.SSLContext; then an end without close_notify raises ssl.SSLEOFError.
    """

    def __init__(self, port, host="127.0.0.1", headers=None, timeout=30, tls=None):
        self.address = (host, port)
        self.tls = tls
        self.headers = dict(headers or {})
        self.timeout = timeout
        self.socket = None
        self.buffer = b""

    def connect(self):
        self.close()
        self.socket = socket.create_connection(self.address, self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.address[0], suppress_ragged_eofs=False)
        return self

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.buffer = None, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- requests ---------------------------------------------------------------------------

    def request(self, method, target, body=None, **more):
        """Sends a request and reads its answer. `headers=` adds to or (None) removes defaults."""
        data = encode(method, target, body, self.address, {**self.headers, **more.get("headers", {})})
        fresh = self.socket is None
        try:
            self.send(data)
            return self.read(method)
        except (Closed, BrokenPipeError, ConnectionResetError):
            if fresh:
                self.close()
                raise
        # The server may close an idle connection at any time: once more on a new one.
        self.connect()
        self.send(data)
        return self.read(method)

    def get(self, target, **more):
        return self.request("GET", target, **more)

    def post(self, target, body=None, **more):
        return self.request("POST", target, body, **more)

    def put(self, target, body=None, **more):
        return self.request("PUT", target, body, **more)

    def patch(self, target, body=None, **more):
        return self.request("PATCH", target, body, **more)

    def delete(self, target, **more):
        return self.request("DELETE", target, **more)

    def query(self, target, query, **more):
        """A GET with the query as a percent-encoded `q`."""
        return self.request("GET", target + "?q=" + percent(text(query)), **more)

    # -- bytes ------------------------------------------------------------------------------

    def send(self, data):
        if self.socket is None:
            self.connect()
        self.socket.sendall(data)

    def read(self, method="GET"):
        """Reads one answer, past any 1xx, and closes if the server said that it will."""
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            headers = [(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in head[1:] if line)]
            if status >= 200:
                break
        answer = Answer(status, headers, b"")
        body = self._body(method, answer)
        answer = Answer(status, headers, body)
        if (answer["Connection"] or "").lower() == "close":
            self.close()
        return answer

    def _body(self, method, answer):
        if method == "HEAD" or answer.status in (204, 304):
            return b""
        if (answer["Transfer-Encoding"] or "").lower() == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                self._until(b"\r\n")
            while self._until(b"\r\n") != b"\r\n":
                pass
            return body
        if answer["Content-Length"] is None:
            return self.rest()
        return self._exactly(int(answer["Content-Length"]))

    def rest(self):
        """Everything until the server closes."""
        data, self.buffer = self.buffer, b""
        while more := self.socket.recv(1 << 16):
            data += more
        return data

    def _fill(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise Closed(f"closed after {self.buffer!r}")
        self.buffer += data

    def _until(self, mark):
        while (at := self.buffer.find(mark)) < 0:
            self._fill()
        found, self.buffer = self.buffer[: at + len(mark)], self.buffer[at + len(mark) :]
        return found

    def _exactly(self, size):
        parts, have = [self.buffer], len(self.buffer)
        while have < size:
            data = self.socket.recv(1 << 20)
            if not data:
                raise Closed(f"closed after {have} of {size} bytes")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.buffer = whole[size:]
        return whole[:size]


def encode(method, target, body, address, headers):
    """The bytes of a request. A body that is neither bytes nor str is written as JSON."""
    lines = {"Host": f"{address[0]}:{address[1]}"}
    if body is not None:
        if not isinstance(body, (bytes, str)):
            body = text(body)
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        lines["Content-Length"] = str(len(body))
    for name, value in headers.items():
        lines = {k: v for k, v in lines.items() if k.lower() != name.lower()}
        if value is not None:
            lines[name] = value
    head = f"{method} ".encode() + target.encode("utf-8", "surrogateescape") + b" HTTP/1.1\r\n"
    for name, value in lines.items():
        head += f"{name}: {value}\r\n".encode("utf-8")
    return head + b"\r\n" + (body or b"")


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


def percent(value):
    """Percent-encodes everything but the unreserved characters of RFC 3986."""
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return "".join(chr(byte) if byte in KEPT else f"%{byte:02X}" for byte in data)
