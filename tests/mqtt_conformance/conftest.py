import os
import socket

import pytest

from doctor import Server
from doctor.certificates import Authority, Files, context

from .client import Client, Stream, unique
from .wire import V5

OTHER = os.environ.get("DOCTOR_MQTT_BROKER")
OVER_TLS = bool(os.environ.get("DOCTOR_MQTT_TLS"))  # a fresh Doctor, all over TLS
OTHER_WEBSOCKET = os.environ.get("DOCTOR_MQTT_WEBSOCKET")  # host:port of its WebSocket listener, if it has one


def pytest_configure(config):
    config.addinivalue_line("markers", "doctors_own: a rule of Doctor's, not for other brokers")
    config.addinivalue_line("markers", "websocket: needs a WebSocket listener")


def pytest_collection_modifyitems(config, items):
    if not OTHER:
        return
    gone = [item for item in items if item.get_closest_marker("doctors_own")
            or (item.get_closest_marker("websocket") and not OTHER_WEBSOCKET)]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


class Broker:
    """Where the broker listens, and whether it is Doctor, which promises more than the standard demands."""

    def __init__(self, tcp, websocket, own):
        self.address, self.websocket, self.own = tcp, websocket, own


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    if OTHER:
        yield Broker(address(OTHER), OTHER_WEBSOCKET and address(OTHER_WEBSOCKET), own=False)
        return
    if OVER_TLS:
        authority = Authority(tmp_path_factory.mktemp("tls"))
        with Server(tls=authority.issue("server")) as server:
            tcp, websocket = ("127.0.0.1", server.mqtt_tls), ("127.0.0.1", server.api_tls)
            Stream.tls = dict.fromkeys((tcp, websocket), context(Files(authority.ca)))
            yield Broker(tcp, websocket, own=True)
        return
    with Server() as server:
        yield Broker(("127.0.0.1", server.mqtt), ("127.0.0.1", server.api), own=True)


class Clients:
    """Makes clients, and leaves nothing of them behind: neither connections nor sessions nor retained messages."""

    def __init__(self, broker):
        self.broker, self.all = broker, []

    def raw(self, version=V5, stream=None):
        """A connection on which nothing was sent."""
        client = Client(stream or Stream(self.broker.address), version, strict=self.broker.own)
        self.all.append(client)
        return client

    def __call__(self, version=V5, client_id=None, **more):
        """A connected client."""
        client = self.raw(version)
        answer = client.connect(client_id, **more)
        assert answer.reason == 0, f"refused: {answer}"
        return client

    def tidy(self):
        for client in self.all:
            client.stream.close()
        retained = {topic for client in self.all for topic in client.retained}
        kept = {(client.version, client.client_id) for client in self.all if client.kept and client.client_id}
        if retained:
            with_all = self.raw()
            with_all.connect()
            for topic in retained:
                with_all.publish(topic, retain=True, qos=0)
        for version, client_id in kept:
            self.raw(version).connect(client_id)
        for client in self.all:
            client.stream.close()


@pytest.fixture
def mqtt(broker):
    clients = Clients(broker)
    yield clients
    try:
        clients.tidy()
    except (OSError, AssertionError):
        pass  # the test has said what it found


@pytest.fixture
def topic():
    return "conformance/" + unique("t")


@pytest.fixture
def name():
    """A client identifier that nobody else uses, within what every server must accept."""
    return unique()


@pytest.fixture(autouse=True)
def still_serves(broker):
    """Whatever a test sent, the broker still accepts connections afterwards."""
    yield
    socket.create_connection(broker.address, 5).close()
