"""Calls of JSON-RPC over STOMP, and who makes them: a connector, and Alice, who may read one document."""

from .stomp import Stomp

SECRET = "sesame"
ALICE = "alice-0123456789abcdef"


def call(id, method, /, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def connector(server, **more):
    return Stomp(server.stomp, "connector", SECRET, **more)


def alice(server):
    return Stomp(server.stomp, "session", ALICE)
