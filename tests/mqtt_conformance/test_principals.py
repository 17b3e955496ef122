"""Doctor's own rules: who may connect, publish, hear, and whose sessions meet."""

import itertools

import pytest

from doctor import Server

from . import wire
from .client import Client, Stream
from .clause import both, clause, doctors_own, only_5
from .wire import NOT_AUTHORIZED, PUBACK, PUBCOMP, PUBREC, PUBREL, V5, Will, acknowledge

pytestmark = doctors_own
HOSTS = itertools.count(1)

SECRET, READER, OTHER = "open sesame", "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(scope="module")
def secured():
    with Server(secret=SECRET) as server:
        with server.http() as http:
            for session in (READER, OTHER):
                assert http.post("/sessions", {"id": session, "permissions": "*"}).status < 300
        yield server


@pytest.fixture
def connect(secured):
    """connect(version, user, password, ...): the client and its CONNACK."""
    all_of_them = []

    def connected(version, user=None, password=None, client_id=None, source=None, **more):
        client = Client(Stream(("127.0.0.1", secured.mqtt), source), version)
        all_of_them.append(client)
        return client, client.connect(client_id, user=user, password=password, **more)

    yield connected
    for client in all_of_them:
        client.stream.close()


def connector(connect, version, **more):
    client, answer = connect(version, "connector", SECRET, **more)
    assert answer.reason == 0
    return client


def session(connect, version, which=READER, **more):
    client, answer = connect(version, "session", which, **more)
    assert answer.reason == 0
    return client


@both
@clause("5.0 §3.1.4", "MQTT-3.1.4-2", "MQTT-3.2.2-7", "3.1.1: MQTT-3.2.2-5")
@pytest.mark.parametrize("user, password", [
    (None, None), ("connector", "wrong"), ("connector", ""), ("connector", None), ("session", "unknown"), ("session", SECRET),
    ("someone", SECRET), ("", "")])
def test_wrong_credentials_are_refused_without_a_hint(connect, version, user, password):
    host = f"127.{next(HOSTS)}.0.1"  # failures slow down further ones from the same address
    client, answer = connect(version, user, password, source=(host, 0))
    assert (answer.reason, answer.properties) == (0x86 if version == V5 else 4, {})
    assert client.closed() == []


@both
@clause("MQTT-4.3.3-9", "3.1.1: MQTT-3.3.5-2", "5.0 §3.3.4")
def test_a_session_may_not_publish(connect, version, topic):
    witness, client = connector(connect, version), session(connect, version)
    witness.subscribe(topic, qos=2)
    client.publish(topic, qos=0)
    expected = NOT_AUTHORIZED if version == V5 else 0
    client.send(wire.publish(version, topic, qos=1, identifier=1))
    assert client.expect(PUBACK).reason == expected
    for _ in range(2):  # the identifier is free again at once
        client.send(wire.publish(version, topic, qos=2, identifier=1))
        assert client.expect(PUBREC).reason == expected
        if version != V5:
            client.send(acknowledge(PUBREL, 1))
            client.expect(PUBCOMP)
    assert witness.messages() == []


@both
@clause("5.0 §3.1.4")
def test_the_will_of_a_session_is_refused(connect, version, topic):
    client, answer = connect(version, "session", READER, will=Will(topic))
    assert answer.reason == (NOT_AUTHORIZED if version == V5 else 5)
    assert client.closed() == []


@both
@clause("MQTT-3.1.3-2")
def test_client_identifiers_of_different_principals_do_not_meet(connect, version, name):
    clients = [connector(connect, version, client_id=name), session(connect, version, client_id=name),
               session(connect, version, OTHER, client_id=name)]
    for client in clients:
        client.ping()
    again = session(connect, version, client_id=name)
    clients[1].refused(wire.SESSION_TAKEN_OVER)
    for client in (clients[0], clients[2], again):
        client.ping()


@both
@clause("MQTT-3.1.3-2", "MQTT-3.1.2-5")
def test_stored_sessions_of_different_principals_do_not_meet(connect, version, name):
    first = session(connect, version, client_id=name, keep=True)
    first.disconnect()
    assert not connector(connect, version, client_id=name, keep=True, clean=False).connack.session_present
    assert not session(connect, version, OTHER, client_id=name, keep=True, clean=False).connack.session_present
    assert session(connect, version, client_id=name, keep=True, clean=False).connack.session_present


@only_5
@clause("5.0 §4.8.2")
def test_shared_groups_belong_to_a_principal(connect, version, topic):
    filter, one, two = "$share/group/" + topic, connector(connect, version), session(connect, version)
    one.subscribe(filter)
    two.subscribe(filter)
    connector(connect, version).publish(topic, "x")
    assert (one.payloads(), two.payloads()) == (["x"], ["x"])
