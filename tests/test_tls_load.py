"""TLS with many, slow and large: hostile and unfinished handshakes, readers that are slow, idle clients."""

import contextlib
import os
import random
import signal
import socket
import ssl
import struct
import time

import pytest

from doctor import Server, scaled, wait_for
from doctor.certificates import context
from doctor.mqtt import Mqtt, connect_packet
from doctor.tls import Bytes, curl, handshakes, https


def hello_of(trust):
    """The octets of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(trust).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_whatever_comes_instead_of_a_handshake_harms_nobody(tls, trust):
    seed = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"DOCTOR_SEED={seed}")
    chance, hello = random.Random(seed), hello_of(trust)
    with https(tls, trust) as kept:
        for _ in range(scaled(400)):
            sent = bytearray(hello)
            for _ in range(chance.choice([0, 1, 3, 30])):
                sent[chance.randrange(len(sent))] = chance.randrange(256)
            sent = sent[: chance.choice([len(sent), chance.randrange(len(sent))])] + chance.randbytes(chance.choice([0, 0, 5, 5000]))
            with socket.create_connection(("127.0.0.1", chance.choice([tls.api_tls, tls.mqtt_tls])), 10) as client:
                with contextlib.suppress(OSError):
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(1 << 14):
                        pass
        assert kept.get("/healthz").status == 200
    wait_for(lambda: handshakes(tls, "api")["failed"] + handshakes(tls, "mqtt")["failed"] == scaled(400))


def test_slow_handshakes_time_out_and_delay_nobody(server_files, trust):
    hello = hello_of(trust)
    with Server(tls=server_files, config="[limits]\ntls_handshake_timeout = \"1s\"\n") as server:
        slow = [socket.create_connection(("127.0.0.1", port)) for port in (server.api_tls, server.mqtt_tls) for _ in range(20)]
        started = time.monotonic()
        for n in range(15):
            for one in slow[: 20]:
                with contextlib.suppress(OSError):
                    one.sendall(hello[n : n + 1])
            before = time.monotonic()
            with https(server, trust) as http, Mqtt(server.mqtt_tls, tls=context(trust)) as client:
                assert http.get("/healthz").status == 200
                client.ping()
            assert time.monotonic() - before < 1
            time.sleep(max(0, started + 0.1 * (n + 1) - time.monotonic()))
        wait_for(lambda: handshakes(server, "api")["timed_out"] == 20 and handshakes(server, "mqtt")["timed_out"] == 20)
        assert "tls_handshake_timeout" in server.log
        for one in slow:
            one.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                while one.recv(1000):
                    pass
            one.close()


def test_handshakes_count_as_connections(server_files, trust):
    with Server(tls=server_files, config="[limits]\nconnections = 5\n") as server:
        slow = [socket.create_connection(("127.0.0.1", server.api_tls)) for _ in range(5)]
        time.sleep(0.2)
        with pytest.raises(OSError):
            https(server, trust).get("/healthz")
        for one in slow:
            one.close()

        def served():
            try:
                with https(server, trust) as http:
                    return http.get("/healthz").status == 200
            except OSError:
                return False

        wait_for(served)
        assert "the limit `connections` is reached" in server.log


def test_sigterm_waits_for_no_handshake(server_files, trust):
    with Server(tls=server_files) as server:
        half = socket.create_connection(("127.0.0.1", server.api_tls))
        half.sendall(hello_of(trust)[:50])
        idle = https(server, trust).connect()
        client = Mqtt(server.mqtt_tls, version=5, tls=context(trust))
        time.sleep(0.2)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert client.wait_closed() == 0x8B
        assert idle.rest() == b""  # close_notify, or it would raise
        assert server.process.wait(20) == 0 and time.monotonic() - started < 5
        half.close()


def test_a_large_export_and_a_large_body_go_through(tls, trust):
    documents = [{"id": str(n), "pad": os.urandom(500).hex()} for n in range(scaled(30_000))]
    with https(tls, trust, timeout=120) as http, tls.http(timeout=120) as plain:
        assert http.put("/entities/vm", documents).status == 201
        assert http.get("/export").body == plain.get("/export").body
        whole = http.get("/entities/vm")
        assert whole.json == documents and whole.body == plain.get("/entities/vm").body
    read = curl("--cacert", trust.ca, "--limit-rate", "40M", f"https://localhost:{tls.api_tls}/export", "-o", "/dev/null", "-w", "%{size_download}")
    assert read.returncode == 0 and int(read.stdout) > scaled(30_000) * 1000


def test_a_slow_reader_gets_all_and_holds_up_nobody(server_files, trust):
    with Server(tls=server_files, env={"CLUSTERED": "0"}) as server:
        documents = [{"id": str(n), "pad": "x" * 1000} for n in range(20_000)]
        with server.http(timeout=60) as http:
            http.put("/entities/vm", documents)
        with Bytes(server.api_tls, trust, receive_buffer=1 << 14) as slow:
            slow.handshake()
            slow.until(lambda: slow.tls.write(b"GET /entities/vm HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            for _ in range(20):
                slow.until(lambda: slow.tls.read(1000), read=2000)
                before = time.monotonic()
                with https(server, trust) as other:
                    assert other.get("/entities/vm/1").status == 200
                assert time.monotonic() - before < 1
            rest = slow.read_all()
        assert rest.endswith(b"}]") and len(rest) > 20_000 * 1000


def test_a_subscriber_that_reads_slowly_is_kept_and_one_that_reads_nothing_is_not(server_files, trust):
    config = "[limits]\nmqtt_stalled_timeout = \"2s\"\nmqtt_queue_bytes = \"1 MiB\"\n"
    with Server(tls=server_files, config=config) as server, server.http(timeout=60) as http:
        def subscriber(name):
            client = Bytes(server.mqtt_tls, trust, receive_buffer=1 << 14)
            client.handshake().until(lambda: client.tls.write(connect_packet(name) + b"\x82\x09\x00\x01\x00\x04vm/+\x00"))
            found = b""
            while len(found) < 9:
                found += client.until(lambda: client.tls.read(9 - len(found)))
            return client

        with subscriber("slow") as slow, subscriber("stuck") as stuck:
            ids = [f"{n:05}-{'x' * 200}" for n in range(20_000)]
            http.put("/entities/vm", [{"id": one} for one in ids])
            mqtt = 'doctor_connections{protocol="mqtt"}'
            until, heard = time.monotonic() + 8, b""
            while time.monotonic() < until:
                heard += slow.until(lambda: slow.tls.read(1000), read=3000)
                time.sleep(0.05)
            assert server.metrics()[mqtt] == 1
            at, expected = len(heard), b"".join(b"\x30" + struct.pack("BB", 0x80 | (212 & 127), 212 >> 7) + struct.pack("!H", 209) + f"vm/{one}+".encode() for one in ids)
            while at < len(expected):
                data = slow.until(lambda: slow.tls.read(1 << 14), read=1 << 16)
                assert data, f"closed after {at} of {len(expected)}"
                heard += data
                at = len(heard)
            assert heard == expected
            stuck.socket.settimeout(5)
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                stuck.read_all()


def test_many_clients_cost_little_while_they_are_idle(server_files, trust):
    count = scaled(500)
    made = context(trust)
    with Server(tls=server_files) as server:
        warm = [Mqtt(server.mqtt_tls, tls=made) for _ in range(20)]
        before = server.memory("VmRSS")
        clients = [Mqtt(server.mqtt_tls, tls=made) for _ in range(count)]
        for client in clients:
            client.subscribe("vm/+")
        each = (server.memory("VmRSS") - before) / count
        # A sanitizer keeps what handshakes have freed.
        assert "DOCTOR_SANITIZED" in os.environ or each < 40 << 10, f"{each / 1024:.1f} KiB"
        with server.http() as http:
            http.put("/entities/vm/1", {})
        assert all(client.hear().topic == "vm/1" for client in clients)
        assert server.metrics()['doctor_connections{protocol="mqtt"}'] == count + 20
        for client in warm + clients:
            client.close()
        wait_for(lambda: server.metrics()['doctor_connections{protocol="mqtt"}'] == 0)
