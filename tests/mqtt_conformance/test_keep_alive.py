"""Keep alive: silence ends a connection after one and a half times the interval."""

import time

import pytest

from doctor import Server

from . import wire
from .clause import both, clause, doctors_own, only_5, only_311
from .client import Stream
from .wire import KEEP_ALIVE_TIMEOUT


@both
@clause("MQTT-3.1.2-22", "MQTT-3.2.2-22", "3.1.1: MQTT-3.1.2-24")
def test_silence_closes_after_one_and_a_half_intervals(mqtt, version):
    started = time.monotonic()
    client = mqtt(version, keep_alive=1)
    server_says = client.connack.properties.get("server_keep_alive", 1)
    client.refused(KEEP_ALIVE_TIMEOUT, timeout=server_says * 1.5 + 6)
    assert time.monotonic() - started >= 1.4


@both
@clause("MQTT-3.1.2-22")
def test_every_packet_keeps_the_connection_alive(mqtt, version, topic):
    pinging, publishing = mqtt(version, keep_alive=1), mqtt(version, keep_alive=1)
    for _ in range(3):
        time.sleep(0.7)
        pinging.ping()
        publishing.send(wire.publish(version, topic))
    pinging.ping()
    publishing.ping()


@both
@clause("MQTT-3.1.2-22")
def test_what_the_server_sends_does_not_keep_the_connection_alive(mqtt, version, topic):
    client, publisher = mqtt(version, keep_alive=1, acks=False), mqtt(version)
    client.subscribe(topic)
    until = time.monotonic() + 8
    while time.monotonic() < until:
        publisher.publish(topic)
        try:
            while client.receive(timeout=0.1):
                pass
        except ConnectionError:
            return
    raise AssertionError("still open")


@both
@clause("5.0 §3.1.2.10", "3.1.1 §3.1.2.10")
def test_a_keep_alive_of_zero_never_ends(mqtt, version):
    client = mqtt(version, keep_alive=0)
    if client.connack.properties.get("server_keep_alive"):
        pytest.skip("the server has set another")
    time.sleep(1.7)
    client.ping()


@only_5
@clause("MQTT-3.1.2-21")
def test_a_server_that_limits_the_keep_alive_says_so(mqtt, version):
    found = mqtt(version, keep_alive=65535).connack.properties.get("server_keep_alive")
    assert found is None or 0 < found <= 65535


@pytest.fixture(scope="module")
def limited():
    """A broker that allows no longer keep alive than a second."""
    with Server(config='[limits]\nmqtt_keep_alive_max = "1 s"\n') as server:
        yield ("127.0.0.1", server.mqtt)


@doctors_own
@only_5
@clause("MQTT-3.1.2-21", "MQTT-3.1.2-22")
@pytest.mark.parametrize("asked, told", [(0, 1), (2, 1), (65535, 1), (1, None)])
def test_a_limited_keep_alive_is_told_and_then_holds(mqtt, limited, version, asked, told):
    client = mqtt.raw(version, Stream(limited))
    assert client.connect(keep_alive=asked).properties.get("server_keep_alive") == told
    started = time.monotonic()
    client.refused(KEEP_ALIVE_TIMEOUT, timeout=8)
    assert time.monotonic() - started >= 1.4


@doctors_own
@only_311
@clause("3.1.1 §3.1.2.10")
def test_the_keep_alive_of_a_client_that_cannot_be_told_of_another_is_its_own(mqtt, limited, version):
    client = mqtt.raw(version, Stream(limited))
    client.connect(keep_alive=0)
    time.sleep(2.2)
    client.ping()
