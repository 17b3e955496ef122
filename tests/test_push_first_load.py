"""A connector's first load, one large commit: whoever reads hears all of it, at the pace at which it reads."""

import threading
import time

from doctor import Server, memory_bound, scaled
from doctor.mqtt import Mqtt, binary, packet, raw_subscriber, revision_of

DOCUMENTS = max(100_000, scaled(200_000))  # fewer would fit into the buffers of the stuck one's socket
QUEUE, BACKLOG = 32 << 10, 16 << 20
STALLED = 2  # seconds
CONFIG = f'limits.mqtt_queue_bytes = {QUEUE}\nlimits.mqtt_backlog_bytes = {BACKLOG}\nlimits.mqtt_stalled_timeout = "{STALLED}s"\n'
SLACK = 16 << 20  # sockets, pages of the commit log


def document(number):
    return f"document-{number:06}-{'x' * 40}"


def first_load():
    return "[" + ",".join(f'{{"id":"{document(n)}"}}' for n in range(DOCUMENTS)) + "]"


def announcements():
    """All of them as they come to a subscriber of 3.1.1 at QoS 0."""
    return b"".join(packet(3, 0, binary(f"vm/{document(n)}") + b"+") for n in range(DOCUMENTS))


def put(http, body):
    started = time.monotonic()
    assert http.put("/entities/vm", body, headers={"Prefer": "return=minimal"}).status in (200, 201)
    return time.monotonic() - started


def subscriber(port, name, receive_buffer=None):
    made = raw_subscriber(port, name, receive_buffer)
    made.settimeout(60)
    return made


class Reading(threading.Thread):
    """Does something in a thread; `finish` waits for it and raises what it raised."""

    def __init__(self, work, *arguments):
        super().__init__(daemon=True)
        self.work, self.arguments, self.error = work, arguments, None
        self.start()

    def run(self):
        try:
            self.work(*self.arguments)
        except BaseException as error:  # whatever it is, the test is to show it
            self.error = error

    def finish(self):
        self.join(120)
        assert not self.is_alive(), "it has not heard all within two minutes"
        if self.error:
            raise self.error


def read_all(made, expected, at_once, pause):
    at = 0
    while at < len(expected):
        data = made.recv(at_once)
        assert data, f"disconnected after {at} of {len(expected)} octets"
        assert data == expected[at : at + len(data)], f"something else came at octet {at}"
        at += len(data)
        time.sleep(pause)


def hear_all(client, count):
    """5.0 at QoS 1: each once, in order, with the revision, the end on the last."""
    for number in range(count):
        message = client.hear(60)
        assert message and (message.topic, message.payload) == (f"vm/{document(number)}", "+"), f"{number}: {message}"
        assert revision_of(message) == 1
        assert ("commit" in dict(message.properties["user"])) == (number == count - 1)
        assert not message.dup


def test_every_reader_hears_a_first_load_whole_and_in_order_and_only_the_stuck_one_is_given_up():
    body, expected = first_load(), announcements()
    with Server(config=CONFIG) as server, server.http(timeout=60) as http:
        alone = put(http, body)
        without_subscribers = server.memory()
    with Server(config=CONFIG) as server, server.http(timeout=60) as http:
        acknowledging = Mqtt(server.mqtt, version=5, timeout=60)
        acknowledging.subscribe("vm/#", qos=1)
        stuck = subscriber(server.mqtt, "stuck", 4096)
        pause = 5 * STALLED / (len(expected) / (32 << 10))  # so that it takes five times what a stuck one may
        readers = [
            Reading(read_all, subscriber(server.mqtt, "fast"), expected, 1 << 20, 0),
            Reading(read_all, subscriber(server.mqtt, "slow", 32 << 10), expected, 32 << 10, pause),
            Reading(hear_all, acknowledging, DOCUMENTS),
        ]
        took = put(http, body)
        slowest = 0.0
        until = time.monotonic() + 4 * STALLED
        while time.monotonic() < until:  # others write meanwhile, and are not held up
            started = time.monotonic()
            assert http.put("/entities/other/1", {"n": started}).status in (200, 201)
            slowest = max(slowest, time.monotonic() - started)
            figures = server.metrics()
            assert figures["doctor_mqtt_queued_bytes"] <= 4 * QUEUE
            assert figures["doctor_mqtt_backlog_bytes"] <= BACKLOG
            time.sleep(0.02)
        for reader in readers:
            reader.finish()
        figures = server.metrics()
        assert figures['doctor_mqtt_closed_total{cause="slow"}'] == 1, "the stuck one, and nobody else"
        assert figures['doctor_mqtt_closed_total{cause="behind"}'] == 0
        assert not any(value for name, value in figures.items() if "dropped" in name), "something was dropped"
        bound = without_subscribers + memory_bound(4 * QUEUE + BACKLOG + SLACK)
        print(f"peak {server.memory() >> 20} MiB, without subscribers {without_subscribers >> 20} MiB; PUT {took:.2f} s, {alone:.2f} s")
        print(f"slowest small write meanwhile {slowest * 1000:.0f} ms")
        assert server.memory() < bound
        assert took < 3 * alone + 5 and slowest < 5
        stuck.close()
        acknowledging.close()


def test_a_consumer_that_reads_slowly_but_steadily_is_not_given_up():
    """A few kilobytes in the time that a stuck one may take nothing: far less than the socket is given at once."""
    body, expected = first_load(), announcements()
    with Server(config=CONFIG) as server, server.http(timeout=60) as http:
        slow = subscriber(server.mqtt, "slow", 4096)
        put(http, body)
        at, until = 0, time.monotonic() + 4 * STALLED
        while time.monotonic() < until:
            at += len(slow.recv(2048))
            time.sleep(0.05)
        assert server.metrics()['doctor_mqtt_closed_total{cause="slow"}'] == 0
        read_all(slow, expected[at:], 1 << 20, 0)
