"""A consumer that does not read is bounded and harms nobody."""

import multiprocessing
import selectors
import struct
import time

from doctor import Server, memory_bound, scaled
from doctor.mqtt import SUBSCRIBE, binary, packet, raw_subscriber

CHANGES = scaled(200_000)
COMMIT = 500
CLIENTS, STUCK = 100, 10
QUEUE = 1 << 20
AHEAD = 3000  # changes that the writer may be ahead of the slowest reader: well inside a queue
SLACK = 64 << 20  # what a server needs besides the queues: threads, the map of the store, bodies


def document(number):
    return f"document-{number:04}-{'x' * 80}"


def readers(port, count, changes, commit, ready, slowest, result):
    """Reads everything on `count` connections, byte for byte what is expected; reports the slowest."""
    message = [packet(3, 0, binary(f"vm/{document(n)}") + b"n") for n in range(commit)]
    size = len(message[0])
    round = b"".join(message)
    expected = round * 3  # so that a slice of up to a round can be taken anywhere
    total = size * changes
    chooser, done = selectors.DefaultSelector(), {}
    for n in range(count):
        made = raw_subscriber(port, f"reader-{n}")
        made.setblocking(False)
        chooser.register(made, selectors.EVENT_READ)
        done[made] = 0
    ready.set()
    try:
        while min(done.values()) < total:
            events = chooser.select(60)
            assert events, f"nothing came for a minute; the slowest has {min(done.values()) // size} of {changes}"
            for key, _ in events:
                data = key.fileobj.recv(len(round))
                assert data, f"disconnected after {done[key.fileobj] // size} of {changes}"
                at = done[key.fileobj] % len(round)
                assert data == expected[at : at + len(data)], f"out of order at message {done[key.fileobj] // size}"
                done[key.fileobj] += len(data)
            slowest.value = min(done.values()) // size
        result.put("")
    except AssertionError as error:
        result.put(str(error))


def test_stuck_consumers_are_bounded_and_the_others_hear_everything_in_order():
    config = f"limits.mqtt_queue_bytes = {QUEUE}\nlimits.mqtt_stalled_timeout = \"2s\"\n"
    context = multiprocessing.get_context("spawn")
    with Server(config=config) as server, server.http(timeout=60) as http:
        changes = CHANGES // COMMIT * COMMIT
        http.put("/entities/vm", [{"id": document(n), "n": 0} for n in range(COMMIT)])
        ready, slowest, result = context.Event(), context.Value("q", 0), context.Queue()
        process = context.Process(target=readers, args=(server.mqtt, CLIENTS - STUCK, changes, COMMIT, ready, slowest, result), daemon=True)
        process.start()
        assert ready.wait(30)
        stuck = [raw_subscriber(server.mqtt, f"stuck-{n}", receive_buffer=4096) for n in range(STUCK)]
        before = server.memory("VmRSS")
        slow = 0.0
        for number in range(1, changes // COMMIT + 1):
            while number * COMMIT - slowest.value > AHEAD and process.is_alive():
                time.sleep(0.0005)
            body = "[" + ",".join(f'{{"id":"{document(n)}","n":{number}}}' for n in range(COMMIT)) + "]"
            started = time.monotonic()
            assert http.put("/entities/vm", body, headers={"Prefer": "return=minimal"}).status == 200
            slow = max(slow, time.monotonic() - started)
        assert result.get(timeout=120) == ""
        process.join(10)
        assert server.memory() < before + memory_bound(CLIENTS * QUEUE + SLACK), f"{before >> 20} MiB, then {server.memory() >> 20} MiB"
        assert slow < 5, f"a write took {slow:.1f} s"
        wait_until_given_up(server, STUCK)
        figures = server.metrics()
        assert figures['doctor_mqtt_closed_total{cause="slow"}'] == STUCK
        assert figures["doctor_mqtt_catching_up"] == 0
        assert not any(value for name, value in figures.items() if "dropped" in name), "an announcement was dropped"
        wait_until_closed(stuck)
        print(f"peak {server.memory() >> 20} MiB, slowest write {slow * 1000:.0f} ms")


def wait_until_given_up(server, count, timeout=20):
    """Not one octet is read before: a client that reads again is stuck no longer."""
    until = time.monotonic() + timeout
    while sum(value for name, value in server.metrics().items() if 'cause="slow"' in name) < count:
        assert time.monotonic() < until, "a client that does not read was not given up"
        time.sleep(0.1)


def wait_until_closed(stuck, timeout=20):
    """The stuck ones are disconnected: what was sent before can be read, then the end comes."""
    until = time.monotonic() + timeout
    for one in stuck:
        one.settimeout(max(0.1, until - time.monotonic()))
        try:
            while one.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        one.close()


def test_a_consumer_at_qos_1_that_acknowledges_nothing_is_bounded():
    config = "limits.mqtt_queue_bytes = 100000\nlimits.mqtt_inflight = 10\n"
    with Server(config=config) as server, server.http() as http:
        stuck = raw_subscriber(server.mqtt, "stuck")
        stuck.sendall(packet(SUBSCRIBE, 2, struct.pack("!H", 2) + binary("#") + b"\1"))
        before = server.memory("VmRSS")
        for number in range(scaled(300)):
            body = [{"id": document(n), "n": number} for n in range(COMMIT)]
            assert http.put("/entities/vm", body, headers={"Prefer": "return=minimal"}).status in (200, 201)
        assert server.memory() < before + memory_bound(SLACK)
        stuck.close()
