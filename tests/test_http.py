"""HTTP/1.1 as it comes over the wire: pieces, pipelines, and what must not be guessed at."""

import contextlib
import socket
import time

import pytest

from doctor import Http, Server
from doctor.http import Closed, encode


def raw(server, data, timeout=10):
    """A connection that has sent these bytes."""
    http = Http(server.api, timeout=timeout)
    http.send(data)
    return http


def request(method, target, body=None, **headers):
    return encode(method, target, body, ("127.0.0.1", 80), {name.replace("_", "-"): value for name, value in headers.items()})


def closes(http):
    """True if the server closes the connection without another answer."""
    http.socket.settimeout(10)
    try:
        return http.socket.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_connection_is_kept_alive_until_somebody_says_close(server):
    http = raw(server, request("GET", "/entities"))
    assert http.read().status == 200
    http.send(request("GET", "/entities", Connection="close"))
    answer = http.read()
    assert answer.status == 200 and answer["Connection"].lower() == "close"


def test_http_1_0_is_answered_and_closed(server):
    http = raw(server, b"GET /entities HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in http.rest().split(b"\r\n")[0]


def test_pipelined_requests_are_answered_in_order(server):
    with server.http() as http:
        http.put("/entities/vm", [{"id": str(n)} for n in range(5)])
    http = raw(server, b"".join(request("GET", f"/entities/vm/{n}") for n in range(5)) + request("PUT", "/entities/vm/1", {"a": 1})
               + request("GET", "/entities/vm/1") + request("GET", "/entities/vm/none"))
    bodies = [http.read() for _ in range(8)]
    assert [one.json.get("id") for one in bodies[:5]] == ["0", "1", "2", "3", "4"]
    assert bodies[5].status == 200 and bodies[6].json == {"id": "1", "a": 1} and bodies[7].status == 404


def test_a_pipelined_write_is_seen_by_the_read_behind_it(server):
    http = raw(server, b"".join(request("PUT", "/entities/vm/1", {"n": n}) + request("GET", "/entities/vm/1") for n in range(50)))
    for n in range(50):
        assert http.read().status in (200, 201)
        assert http.read().json["n"] == n


def test_the_same_request_again_is_answered_with_what_is_true_now(server):
    get = request("GET", "/entities/vm/1")
    http = raw(server, get + get)
    assert [http.read().status for _ in range(2)] == [404, 404]
    for n in range(3):
        http.send(request("PUT", "/entities/vm/1", {"n": n}) + get + get + get)
        written = http.read()
        for _ in range(3):
            answer = http.read()
            assert answer.json == {"id": "1", "n": n} and answer.revision == written.revision
    http.send(request("PUT", "/entities/other/1", {}) + get)
    assert http.read().revision == http.read().revision == written.revision + 1
    http.send(request("HEAD", "/entities/vm/1"))
    assert http.read("HEAD").body == b""
    http.send(get + request("GET", "/entities/vm/1", Connection="close"))
    assert http.read().status == 200
    assert http.read()["Connection"].lower() == "close"


def test_the_same_request_again_has_the_date_of_its_own_answer(server):
    http = raw(server, request("GET", "/entities/vm/1"))
    first = http.read()
    time.sleep(1.1)
    http.send(request("GET", "/entities/vm/1"))
    second = http.read()
    assert second["Date"] != first["Date"]
    assert [one for one in first.headers if one[0] != "Date"] == [one for one in second.headers if one[0] != "Date"]


def test_the_same_request_again_is_refused_once_its_session_has_expired(server):
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    with server.http() as http:
        http.put("/entities/vm/1", {"a": 1})
        http.put("/sessions/0123456789abcdef", {"permissions": {"vm": "*"}, "expires": soon})
    http = raw(server, b"")
    statuses, until = [], time.monotonic() + 20
    while 401 not in statuses and time.monotonic() < until:
        http.send(request("GET", "/entities/vm/1", SESSION="0123456789abcdef"))
        statuses.append(http.read().status)
        time.sleep(0.05)
    assert statuses[:2] == [200, 200] and statuses[-1] == 401 and time.monotonic() < until


def test_a_request_may_come_byte_by_byte(server):
    http = Http(server.api).connect()
    for byte in request("PUT", "/entities/vm/1", {"a": "é"}):
        http.send(bytes([byte]))
    assert http.read().status == 201


def test_expect_100_continue_is_answered_before_the_body(server):
    http = raw(server, request("PUT", "/entities/vm/1", Expect="100-continue", Content_Length="2"))
    assert http._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    http.send(b"{}")
    assert http.read().status == 201


def test_a_refused_request_is_answered_without_its_body(secured):
    http = raw(secured, request("PUT", "/entities/vm/1", Expect="100-continue", Content_Length="1000000"))
    assert http.read().status == 401
    http = raw(secured, request("PUT", "/entities/vm/1", Content_Length="60000000"))
    assert http.read().status == 401


def test_an_unknown_expectation_is_refused(server):
    assert raw(server, request("PUT", "/entities/vm/1", {}, Expect="magic")).read().status in (400, 417)


def test_a_chunked_body_is_read(server):
    http = raw(server, request("PUT", "/entities/vm/1", Transfer_Encoding="chunked") + b"3\r\n{\"a\r\n6;x=y\r\n\":12} \r\n0\r\nTrailer: x\r\n\r\n")
    assert http.read().status == 201
    http.send(request("GET", "/entities/vm/1"))
    assert http.read().json == {"id": "1", "a": 12}


@pytest.mark.parametrize("data", [
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length : 2\r\n\r\n{}",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
    b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\n Content-Length: 2\r\n\r\n{}",
    b"GET /entities HTTP/1.1\r\n\r\n",
    b"GET /entities HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET /entities HTTP/2.7\r\nHost: localhost\r\n\r\n",
    b"GET  /entities HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /entities\r\n\r\n",
    b"GET /entities HTTP/1.1\r\nHost: localhost\r\nX\x00Y: 1\r\n\r\n",
    b"GET /entities HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40 + b"\r\n\r\n",
    b"GET /entities HTTP/1.1\nHost: localhost\rX: y\r\n\r\n",
], ids=["length and chunked", "two lengths", "chunked not last", "blank before the colon", "blank before the colon of a length", "signed length",
        "bad chunk size", "bad chunk end", "folded length", "no host", "two hosts", "version", "two blanks", "no version", "zero in a name",
        "no colon", "TLS", "bare returns"])
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(server, data):
    http = raw(server, data + b"GET /entities/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with contextlib.suppress(Closed, ConnectionResetError):
        assert http.read().status in (400, 501, 505)
        assert http.socket is None or closes(http), "something behind the mistake was answered"
    with server.http() as other:
        assert other.get("/entities").json == []


def test_a_bad_request_is_told_why(server):
    http = raw(server, b"GET /entities HTTP/1.1\r\n\r\n")
    answer = http.read()
    assert answer.status == 400 and "Host" in answer.json["detail"]


@pytest.mark.parametrize("target, status", [
    ("http://localhost/entities", 200), ("*", 400), ("entities", 400), ("/../entities", 404), ("/entities/./vm", 400), ("//entities", 404),
])
def test_targets_are_taken_as_they_stand(server, target, status):
    answer = raw(server, request("GET", target)).read()
    assert answer.status == status or (status >= 400 and answer.status in (400, 404)), answer


def test_a_get_with_a_body_leaves_the_connection_in_step(server):
    http = raw(server, request("GET", "/healthz", "ignored") + request("GET", "/entities", {"select": "id"}) + request("GET", "/readyz"))
    assert [http.read().status for _ in range(3)][0] in (200, 400)


def test_a_head_of_an_error_has_no_body(server):
    http = raw(server, request("HEAD", "/entities/vm/1") + request("GET", "/healthz"))
    assert http.read("HEAD").status == 404
    assert http.read().status == 200


def test_a_silent_connection_is_closed_in_the_end():
    with Server(config="[limits]\nidle_timeout = \"1s\"\nheader_timeout = \"1s\"\nbody_timeout = \"1s\"\n") as server:
        idle = raw(server, request("GET", "/entities"))
        assert idle.read().status == 200
        never = Http(server.api, timeout=10).connect()
        head = raw(server, b"GET /entities HTTP/1.1\r\nHost:")
        body = raw(server, request("PUT", "/entities/vm/1", Content_Length="5") + b"{")
        started = time.monotonic()
        assert closes(idle) and closes(never)
        for http in (head, body):
            with contextlib.suppress(Closed, ConnectionResetError):
                assert http.read().status == 408
        assert time.monotonic() - started < 6
        with server.http() as http:
            assert http.get("/entities").json == []


def test_a_client_that_goes_away_in_the_middle_harms_nobody(server):
    for data in (b"GET", request("PUT", "/entities/vm/1", Content_Length="100") + b"{", request("GET", "/entities")):
        with socket.create_connection(("127.0.0.1", server.api)) as gone:
            gone.sendall(data)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with server.http() as http:
        assert http.get("/entities").json == []


def test_large_bodies_and_answers_go_through(server):
    documents = [{"id": str(n), "text": f"{n} " * 1000} for n in range(2000)]
    with server.http(timeout=60) as http:
        assert http.put("/entities/vm", documents).status == 201
        assert http.get("/entities/vm").json == documents
        assert http.get("/entities/vm", headers={"Accept-Encoding": "gzip"}).json == documents
        assert http.put("/entities/vm", documents).json["unchanged"] == 2000
