"""Clients of a server that is stopped or killed and started again."""

from mqtt_conformance import wire
from mqtt_conformance.client import Client, Stream


def connected(server, name="", version=wire.V5, resume=None, **more):
    """A client that is let in. resume: whether its session must have been kept, or (None) it begins anew.

    A name keeps the session beyond the connection.
    """
    client = Client(Stream(("127.0.0.1", server.mqtt)), version)
    more.setdefault("keep", bool(name))
    answer = client.connect(name or None, clean=resume is None, **more)
    assert answer.reason == 0, f"refused: {answer}"
    if resume is not None:
        assert answer.session_present == resume, f"{name}: Session Present is {answer.session_present}"
    return client


def forget(server, *names, version=wire.V5):
    """Ends kept sessions."""
    for name in names:
        connected(server, name, version, keep=False).disconnect()


def set_aside(server):
    """The files of MQTT's state that the server has not been able to use."""
    return sorted(server.data.glob("mqtt.mdb.damaged-*"))
