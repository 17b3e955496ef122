"""TLS octet by octet: in pieces, ended, cut off, broken, and what is no TLS."""

import contextlib
import json
import socket
import ssl
import time

import pytest

from doctor import Http, Server, wait_for
from doctor.certificates import context
from doctor.mqtt import Gone, Mqtt, connect_packet
from doctor.tls import Bytes, curl, handshakes, https


def test_a_handshake_and_a_request_may_come_octet_by_octet(tls, trust):
    with Bytes(tls.api_tls, trust) as client:
        client.handshake(piece=1, read=1)
        client.until(lambda: client.tls.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), piece=1)
        assert client.read_all().endswith(b"ok\n")
    with Bytes(tls.mqtt_tls, trust) as client:
        client.handshake(piece=1, read=1)
        client.until(lambda: client.tls.write(connect_packet("octets")), piece=1)
        assert client.until(lambda: client.tls.read(100), read=1) == b"\x20\x02\x00\x00"


def test_a_request_may_come_octet_by_octet_in_records_of_its_own_and_many_in_one(tls, trust):
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        for octet in request * 3:
            client.until(lambda: client.tls.write(bytes([octet])))
        client.until(lambda: client.tls.write(request * 199 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        assert client.read_all().count(b"200 OK") == 203


def test_the_end_is_told_by_close_notify(server_files, trust):
    with Server(tls=server_files, config="[limits]\nidle_timeout = \"300ms\"\nmqtt_connect_timeout = \"300ms\"\n") as server:
        for request in (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
                        b"nonsense\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b""):
            with Bytes(server.api_tls, trust) as client:
                client.handshake().until(lambda: client.tls.write(request))
                client.read_all()
        for octets in (connect_packet("c") + b"\xe0\x00", b"nonsense", connect_packet("x", 5) + b"\x00", b""):
            with Bytes(server.mqtt_tls, trust) as client:
                client.handshake().until(lambda: client.tls.write(octets))
                client.read_all()
        wait_for(lambda: server.metrics()['doctor_connections{protocol="mqtt"}'] == 0)


def test_a_client_that_has_ended_its_side_gets_its_answer(tls, trust):
    with tls.http() as http:
        http.put("/entities/vm", [{"id": str(n), "pad": "x" * 1000} for n in range(5000)])
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"GET /entities/vm HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
        client.deliver()
        client.socket.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):
            while data := client.until(lambda: client.tls.read(1 << 14)):
                answer += data
        head, body = answer.split(b"\r\n\r\n", 1)
        assert b"200 OK" in head and len(json.loads(body)) == 5000


@pytest.mark.parametrize("octets", [b"\x17\x03\x03\x40\x00abc", b"\x17\x03\x03\x00\x20" + b"x" * 32, b"\x17\x03\x03\xff\xff", b"junk" * 100,
                                    b"\x16\x03\x03\x00\x04\x01\x00\x00\x00", b""])
def test_a_broken_record_ends_its_connection_and_no_other(tls, trust, octets):
    with https(tls, trust) as other, Mqtt(tls.mqtt_tls, tls=context(trust)) as subscriber:
        other.get("/healthz")
        subscriber.subscribe("#")
        for port in (tls.api_tls, tls.mqtt_tls):
            with Bytes(port, trust) as client:
                client.handshake()
                client.socket.sendall(octets)
                client.socket.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while client.socket.recv(1 << 14):
                        pass
        kept = other.socket
        assert other.put("/entities/vm/1", {}).status == 201 and other.socket is kept
        assert subscriber.hear().topic == "vm/1"
        wait_for(lambda: tls.metrics()['doctor_connections{protocol="mqtt"}'] == 1)


def test_a_put_that_is_cut_off_writes_nothing(tls, trust):
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{\"n\": 1"))
    with tls.http() as http:
        time.sleep(0.2)
        assert http.get("/entities/vm/1").status == 404


def test_plain_http_on_the_port_of_https_is_told_so(tls):
    answer = curl(f"http://localhost:{tls.api_tls}/entities", "-D", "-", "--max-time", "5")
    assert answer.returncode == 0 and "400" in answer.stdout and "https://" in answer.stdout
    assert handshakes(tls, "api")["failed"] == 1
    assert "the client spoke HTTP without TLS" in tls.log and "peer=127.0.0.1" in tls.log
    for _ in range(5):
        curl(f"http://localhost:{tls.api_tls}/")
    assert tls.log.count("a TLS handshake failed") == 1


def test_tls_on_a_plain_port_is_told_in_the_log_once_a_minute(trust):
    for port in ("api", "mqtt"):
        with Server() as server:
            for _ in range(3):
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    Http(getattr(server, port), tls=context(trust)).connect()
            assert server.log.count("a client begins TLS on a port without it") == 1
            with server.http() as http:
                assert http.get("/healthz").status == 200


def test_mqtt_on_the_port_of_mqtt_over_tls_is_refused_with_a_word(tls):
    with pytest.raises((AssertionError, Gone, ConnectionError)):
        Mqtt(tls.mqtt_tls, timeout=3)
    assert handshakes(tls, "mqtt")["failed"] == 1
    assert "for=mqtt" in tls.log


def test_who_only_looks_whether_the_port_is_open_is_counted_and_not_logged(tls):
    for _ in range(3):
        socket.create_connection(("127.0.0.1", tls.api_tls)).close()
    wait_for(lambda: handshakes(tls, "api")["failed"] == 3)
    assert "handshake failed" not in tls.log
