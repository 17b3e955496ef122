"""What tests of TLS have in common: requests, figures, and a client whose octets they move by themselves."""

import socket
import ssl
import subprocess

from .certificates import context
from .http import Http


def https(server, trust, **more):
    return Http(server.api_tls, tls=context(trust), **more)


def handshakes(server, listener):
    found = server.metrics()
    return {one: int(found[f'doctor_tls_handshakes_total{{listener="{listener}",outcome="{one}"}}'])
            for one in ("done", "failed", "timed_out")}


def curl(*arguments):
    return subprocess.run(["curl", "-sS", *map(str, arguments)], capture_output=True, text=True, timeout=20)


class Bytes:
    """A TLS client whose octets on the wire a test moves by itself."""

    def __init__(self, port, files, receive_buffer=None, **more):
        self.socket = socket.socket()
        self.socket.settimeout(10)
        if receive_buffer:  # before it connects, or the server may already send more
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(files).wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1", **more)

    def deliver(self, piece=1 << 14):
        """Sends what is to be sent, `piece` octets at a time."""
        data = self.outgoing.read()
        for at in range(0, len(data), piece):
            self.socket.sendall(data[at : at + piece])
        return len(data)

    def until(self, action, piece=1 << 14, read=1 << 14):
        """Repeats an action that may want to read, reading `read` octets at a time."""
        while True:
            try:
                done = action()
                self.deliver(piece)
                return done
            except ssl.SSLWantReadError:
                self.deliver(piece)
                data = self.socket.recv(read)
                self.incoming.write(data) if data else self.incoming.write_eof()

    def handshake(self, **pieces):
        self.until(self.tls.do_handshake, **pieces)
        return self

    def read_all(self):
        """All until close_notify; raises SSLEOFError without one."""
        found = b""
        while data := self.until(lambda: self.tls.read(1 << 14)):
            found += data
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
