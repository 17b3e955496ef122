"""Hostile input costs no more than its named budget, and no other client.

Each attack gets a clear error or an answer; the peak of the server's memory stays under the sum of
its limits; another client's GETs meanwhile stay under 100 ms at the median, on four connections.
"""

import contextlib
import json
import socket
import threading
import time

import pytest

from doctor import Http, Server, memory_bound, scaled
from doctor.http import Closed, encode, percent, text
from doctor.rules import check_problem
from doctor.witness import Witness

MIB = 1 << 20
DOCUMENT, BODY, ANSWER, BODIES, ANSWERS = 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB
CONFIG = f"""
[limits]
document_size = {DOCUMENT}
request_body = {BODY}
answer_size = {ANSWER}
bodies_under_way = {BODIES}
answers_under_way = {ANSWERS}
query_documents = 100000
header_timeout = "1s"
body_timeout = "2s"
write_timeout = "3s"
"""
# Code and threads, the pages of the store that were touched, and what a body becomes while it is parsed.
BASE = 96 * MIB
WITNESSES = 4


@pytest.fixture
def victim():
    """A server under attack: with documents that refer to one another, and witnesses reading."""
    with Server(config=CONFIG) as server, server.http(timeout=120) as http:
        ring = [{"id": str(n), "a": str((n + 1) % 100), "all": "0", "s": "a" * 200, "n": n} for n in range(100)]
        http.put("/entities/a", ring)
        http.put("/entities/one", [{"id": "1", "one": "1", "n": 1}])
        witnesses = [Witness(server, "/entities/one/1") for _ in range(WITNESSES)]
        for witness in witnesses:
            witness.start()
        server.attacker = http
        revision = http.get("/entities").revision
        yield server
        medians = [witness.median() for witness in witnesses]
        assert max(medians) < 0.1, f"the witnesses waited {[round(m * 1000) for m in medians]} ms at the median"
        assert server.memory() < memory_bound(BODIES + ANSWERS + BASE), f"peak {server.memory() // MIB} MiB"
        assert server.process.poll() is None
        if not getattr(server, "wrote", False):
            assert http.get("/entities").revision == revision, "an attack changed something"


def refused(answer, *statuses):
    assert answer.status in statuses, answer
    check_problem("GET", answer)
    return answer.json["detail"]


def answered(answer):
    assert answer.status in (200, 201), answer
    return answer.json


# -- JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    "[" * (7 * MIB), '{"a":' * MIB, "[" * MIB + "]" * MIB, '{"a":' + "[" * 65 + "]" * 65 + "}", '{"a":' * 100 + "1" + "}" * 100,
], ids=["brackets", "braces", "closed brackets", "65 levels", "100 objects"])
def test_deeply_nested_json_is_refused(victim, body):
    http = victim.attacker
    refused(http.put("/entities/a/x", body), 400, 413)
    refused(http.post("/entities/a", body), 400, 413)
    refused(http.patch("/entities/a/1", body, headers={"Content-Type": "application/json-patch+json"}), 400, 413)
    refused(http.patch("/entities/a/1", body, headers={"Content-Type": "application/merge-patch+json"}), 400, 413)
    refused(http.post("/query/a", body[: MIB - 1]), 400)


def test_ten_thousand_fields_are_accepted_and_one_more_is_not(victim):
    victim.wrote = True
    http = victim.attacker
    many = {"id": "x", **{f"field-{n}": n for n in range(9999)}}
    answered(http.put("/entities/many/x", many))
    assert http.get("/entities/many/x").json == many
    assert answered(http.put("/entities/many/x", {**many, "field-5": "new"}))["updated"] == {"x": ["field-5"]}
    assert "document_fields" in refused(http.put("/entities/many/x", {**many, "more": 1}), 400)


def test_a_million_keys_in_a_nested_object_are_checked_for_doubles_in_linear_time(victim):
    victim.wrote = True
    keys = ",".join(f'"k{n}":1' for n in range(250_000))
    started = time.monotonic()
    answered(victim.attacker.put("/entities/many/x", '{"o":{' + keys + "}}"))
    refused(victim.attacker.put("/entities/many/x", '{"o":{' + keys + ',"k77":1}}'), 400)
    assert time.monotonic() - started < 20


def test_numbers_with_huge_exponents_are_compared_without_being_expanded(victim):
    victim.wrote = True
    http = victim.attacker
    numbers = [f"{n % 10}.{'3' * 900}e{999000 + n}" for n in range(500)]
    answered(http.put("/entities/big", "[" + ",".join(f'{{"id":"{n}","n":{one}}}' for n, one in enumerate(numbers)) + "]"))
    rows = answered(http.query("/entities/big", {"orderBy": "-n", "select": "id", "limit": 2}))
    assert rows == [{"id": "499"}, {"id": "498"}]
    condition = '{"where":{"n":{"$gt":1e-1000000,"$lt":9e1000000,"$ne":1e999999}},"select":"id"}'
    assert len(answered(http.post("/query/big", condition))) == 500
    refused(http.put("/entities/big/x", '{"n":1e1000001}'), 400)
    refused(http.put("/entities/big/x", '{"n":' + "9" * 5_000_000 + "}"), 400, 413)
    refused(http.post("/query/big", '{"where":{"n":1e99999999999}}'), 400)


def test_a_json_patch_that_doubles_is_stopped(victim):
    victim.wrote = True
    http = victim.attacker
    patch = {"Content-Type": "application/json-patch+json"}
    answered(http.put("/entities/a/x", {"t": ["x" * 1000]}))
    doubling = [{"op": "copy", "from": "/t", "path": "/t/-"}] * 40
    refused(http.patch("/entities/a/x", doubling, headers=patch), 400, 413)
    whole = [{"op": "copy", "from": "", "path": f"/f{n}"} for n in range(40)]
    refused(http.patch("/entities/a/x", whole, headers=patch), 400, 413)
    refused(http.patch("/entities/a/x", [{"op": "test", "path": "/t", "value": ["x" * 1000]}] * 20_000, headers=patch), 400, 413)
    assert http.get("/entities/a/x").json == {"id": "x", "t": ["x" * 1000]}


def test_a_json_patch_of_many_operations_on_a_long_array_ends(victim):
    victim.wrote = True
    http = victim.attacker
    answered(http.put("/entities/a/x", {"t": list(range(300_000))}))
    moves = [{"op": "move", "from": "/t/299999", "path": "/t/0"}] * 10_000
    started = time.monotonic()
    answer = http.patch("/entities/a/x", moves, headers={"Content-Type": "application/json-patch+json"})
    assert answer.status in (200, 400, 413), answer
    assert time.monotonic() - started < 60


# -- queries ----------------------------------------------------------------------------------


def test_a_query_text_of_a_mebibyte_is_answered_and_a_longer_one_refused(victim):
    http = victim.attacker
    select = text({"select": ["n", "@a.n"] * 80_000})
    assert MIB // 2 < len(select) < MIB
    assert len(answered(http.post("/query/a", select))) == 100
    assert "query_text" in refused(http.post("/query/a", select + " " * MIB), 413)


@pytest.mark.parametrize("query", [
    {"where": {"$or": [{"s": f"b{n}*"} for n in range(50_000)]}},
    {"where": {"$or": [{"n": -n - 1} for n in range(60_000)]}},
    {"where": {"n": {"$in": [-n - 1 for n in range(100_000)]}}},
    {"where": {"$and": [{"@a.@a.@a.n": {"$gte": 0}} for _ in range(20_000)]}, "select": "id"},
    {"orderBy": ["-@a.@a.n"] * 40_000, "select": "id"},
    {"select": [{"field": "n", "as": f"n{n}"} for n in range(30_000)]},
    {"select": [f"@a.@a.@a.x{n}" for n in range(40_000)]},
], ids=["or of globs", "or", "in", "references", "orders", "names", "missing fields"])
def test_a_long_query_is_answered_or_refused_by_a_budget(victim, query):
    answer = victim.attacker.post("/query/a", text(query))
    assert answer.status == 200 or refused(answer, 400)


@pytest.mark.parametrize("selector", [
    "@one." * 100 + "n", "@one(" * 100 + "n" + ")" * 100, "@[one](" * 100 + "n" + ")" * 100, "@[one]." * 100 + "n",
    "@one." * 1000 + "n", "@one(" * 1000 + "n" + ")" * 1000, "@[one](" * 1000 + "n" + ")" * 1000, "@[one]." * 1000 + "n",
    "@one(" * 100_000, "@one." * 200_000 + "n", "(" * 500_000, "@[one](" * 100_000 + "n" + ")" * 100_000,
], ids=["100 dots", "100 brackets", "100 many in brackets", "100 many with dots", "1000 dots", "1000 brackets", "1000 many in brackets",
        "1000 many with dots", "open", "200 000 dots", "only brackets", "100 000 many"])
def test_selectors_nested_deeply_are_answered_or_refused(victim, selector):
    answer = victim.attacker.post("/query/one", text({"select": selector}))
    assert answer.status == 200 or refused(answer, 400)
    assert answer.status == 200 or selector.count("one") != 100, "references are followed to any depth that a person would write"
    nested = "[" * 100_000 + '"id"' + "]" * 100_000
    answer = victim.attacker.post("/query/one", '{"select":' + nested + "}")
    assert answer.status == 200 or refused(answer, 400)


def test_long_forms_nested_deeply_are_answered_or_refused(victim):
    for depth in (30, 1000, 20_000):
        query = '{"select":' + '{"ref":"one","select":[' * depth + '"n"' + "]}" * depth + "}"
        answer = victim.attacker.post("/query/one", query)
        assert answer.status == 200 or refused(answer, 400)
        conditions = '{"where":' + '{"$and":[' * depth + '{"n":1}' + "]}" * depth + "}"
        answer = victim.attacker.post("/query/one", conditions)
        assert answer.status == 200 or refused(answer, 400)
        nots = '{"where":{"n":' + '{"$not":' * depth + "1" + "}" * depth + "}}"
        answer = victim.attacker.post("/query/one", nots)
        assert answer.status == 200 or refused(answer, 400)


def test_cyclic_references_that_multiply_are_stopped_by_a_budget(victim):
    http = victim.attacker
    http.put("/entities/a", [{"id": str(n), "a": [str(m) for m in range(100)]} for n in range(100)])
    victim.wrote = True
    for selector in ("@[a](@[a](@[a](@[a](@[a](id)))))", "@[a].@[a].@[a].@[a].id", "@[a:a](@[a:a](@[a:a](@[a:a](*))))"):
        detail = refused(http.post("/query/a", text({"select": selector})), 400)
        assert "query_documents" in detail or "answer_size" in detail
    condition = {"where": {"@[a].@[a].@[a].@[a].@[a].n": 5}}
    answer = http.post("/query/a", text(condition))
    assert answer.status == 200 or "query_documents" in refused(answer, 400)


@pytest.mark.parametrize("pattern", [
    "*a" * 30 + "b", "*a*" * 200 + "b", "{a,a}" * 200 + "b", "{a,aa,aaa}" * 60 + "b", "{*,*}" * 100 + "b", "?" * 1000,
    "{" * 2000 + "a" + "}" * 2000, "{a," * 1000 + "a" + "}" * 1000, "[" * 5000, "[a-z]*" * 200 + "1", "{a*,*a}" * 60 + "b", "\\" * 10_001,
    "*" * 100_000 + "b",
])
def test_globs_made_to_explode_take_linear_time(victim, pattern):
    started = time.monotonic()
    answer = victim.attacker.post("/query/a", text({"where": {"s": {"$glob": pattern}}, "select": "id"}))
    if answer.status == 200:
        assert answer.json == []
    else:
        refused(answer, 400)
    assert time.monotonic() - started < 10


def test_a_skip_of_2_to_the_63_is_refused_and_one_less_is_answered(victim):
    refused(victim.attacker.post("/query/a", '{"skip":9223372036854775808}'), 400)
    refused(victim.attacker.post("/query/a", '{"skip":-9223372036854775809}'), 400)
    refused(victim.attacker.post("/query/a", '{"limit":' + "9" * 1000 + "}"), 400)
    assert answered(victim.attacker.post("/query/a", '{"skip":9223372036854775807,"limit":9223372036854775807}')) == []


def test_forged_cursors_are_refused(victim):
    for cursor in ("A" * 500_000, "é" * 1000, "\0" * 100, "=" * 1000, "A" * 40, "-_" * 300):
        refused(victim.attacker.post("/query/a", text({"limit": 1, "after": cursor})), 400)


# -- HTTP -------------------------------------------------------------------------------------


def test_header_bombs_are_refused(victim):
    many = b"GET /entities HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n"
    long = b"GET /entities HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * (2 * MIB) + b"\r\n\r\n"
    for bomb in (many, long):
        with Http(victim.api) as http:
            with contextlib.suppress(ConnectionError):
                http.send(bomb)
            with contextlib.suppress(ConnectionResetError, Closed):
                refused(http.read(), 431)
    target = b"GET /entities?q=" + b"y" * (2 * MIB) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Http(victim.api) as http:
        with contextlib.suppress(ConnectionError):
            http.send(target)
        with contextlib.suppress(ConnectionResetError, Closed):
            refused(http.read(), 414, 431)


def test_slow_loris_is_cut_off(victim):
    sockets = [socket.create_connection(("127.0.0.1", victim.api)) for _ in range(scaled(300))]
    head = b"GET /entities HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"y" * 100
    started, sent, open_ones = time.monotonic(), 0, list(sockets)
    while open_ones and time.monotonic() - started < 15:
        for one in list(open_ones):
            try:
                one.sendall(head[sent % len(head) : sent % len(head) + 1])
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    if b"408" in one.recv(1000) or True:
                        raise ConnectionResetError
                one.setblocking(True)
            except ConnectionError:
                open_ones.remove(one)
                one.close()
        sent += 1
        time.sleep(0.2)
    assert not open_ones, f"{len(open_ones)} connections are still open"


def test_a_body_that_does_not_come_is_given_up(victim):
    with Http(victim.api, timeout=20) as http:
        http.send(b"PUT /entities/a/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        with contextlib.suppress(Closed):
            refused(http.read(), 408)


def test_bodies_under_way_are_bounded_together(victim):
    """Twenty bodies of nearly the limit, each held back before its end."""
    held = []
    size = BODY - 100
    head = b"PUT /entities/a/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    for _ in range(20):
        one = Http(victim.api, timeout=1)
        with contextlib.suppress(ConnectionError, TimeoutError):
            one.send(head + b"[" + b" " * (size - 1000))
        held.append(one)
    statuses = []
    for one in held:
        with contextlib.suppress(ConnectionError, TimeoutError):
            statuses.append(one.read().status)
        one.close()
    assert set(statuses) <= {503, 413, 408} and 503 in statuses, statuses


def test_long_queries_that_wait_take_no_more_than_their_text(victim):
    """Parsed, such a query takes some forty times the memory of its text."""
    query = '{"select":[' + ",".join(f'"f{n}"' for n in range(90_000)) + '],"where":{"id":"nobody"}}'
    waiting = []
    for _ in range(30):
        one = Http(victim.api)
        one.send(encode("POST", "/query/a", query, ("127.0.0.1", victim.api), {}))
        waiting.append(one)
    for one in waiting:
        assert one.read().status in (200, 503)
        one.close()


def test_answers_under_way_are_bounded_together(victim):
    """Clients ask for large answers and do not read them."""
    victim.wrote = True
    http = victim.attacker
    for n in range(3):
        answered(http.put(f"/entities/large/{n}", {"a": "x" * (3 * MIB)}))
    greedy = []
    for _ in range(30):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", victim.api))
        one.sendall(encode("GET", "/entities/large", None, ("127.0.0.1", victim.api), {}))
        greedy.append(one)
        time.sleep(0.02)
    time.sleep(1)
    assert victim.memory() < memory_bound(BODIES + ANSWERS + BASE)
    for one in greedy:
        one.close()
    time.sleep(0.2)
    assert len(answered(http.get("/entities/large"))) == 3


@pytest.mark.parametrize("headers, status", [
    ({"Content-Length": "99999999999999999999"}, (400, 413)), ({"Content-Length": str(1 << 40)}, (413,)),
    ({"Content-Length": "-1"}, (400,)), ({"Content-Length": "0x10"}, (400,)), ({"Content-Length": "5, 6"}, (400,)),
    ({"Content-Length": None, "Transfer-Encoding": "gzip"}, (400, 501)), ({"Content-Encoding": "gzip"}, (400, 415)),
])
def test_impossible_bodies_are_refused_at_once(victim, headers, status):
    with Http(victim.api) as http:
        http.send(encode("PUT", "/entities/a/x", "{}", ("127.0.0.1", victim.api), headers))
        assert http.read().status in status


def test_an_endless_chunked_body_is_refused(victim):
    with Http(victim.api) as http:
        http.send(b"PUT /entities/a/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                http.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
        with contextlib.suppress(ConnectionResetError, Closed):
            assert "request_body" in refused(http.read(), 413)


def test_forms_and_scripts_of_a_foreign_origin_write_nothing(victim):
    http = victim.attacker
    foreign = {"Origin": "https://evil.example"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "cors_origins" in refused(http.post("/entities/a", "id=1", headers={**foreign, **form}), 403)
    assert "cors_origins" in refused(http.post("/entities/a", '{"id":"x"}', headers={**foreign, "Content-Type": "text/plain"}), 403)
    refused(http.post("/entities/a", '{"id":"x"}', headers=form), 415)
    refused(http.post("/entities/a", '{"id":"x"}', headers={"Content-Type": "text/plain"}), 415)
    refused(http.delete("/entities/a", headers={"Host": "evil.example"}), 403)


def test_many_expensive_queries_at_once_leave_room_for_others(victim):
    query = text({"where": {"$or": [{"s": f"*b{n}*"} for n in range(scaled(5000))]}})

    def ask():
        with victim.http(timeout=120) as http:
            assert http.post("/query/a", query).status in (200, 400, 503)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_store_may_not_be_filled_with_collections():
    with Server(config="limits.collections = 3\n") as server, server.http() as http:
        for name in ("a", "b", "c"):
            answered(http.put(f"/entities/{name}/1", {}))
        assert "collections" in refused(http.put("/entities/d/1", {}), 400, 413, 507)
        answered(http.put("/entities/a/2", {}))


def test_connections_are_bounded():
    with Server(config="limits.connections = 20\n") as server:
        held = [socket.create_connection(("127.0.0.1", server.api)) for _ in range(60)]
        time.sleep(0.3)
        for one in held:
            one.close()
        time.sleep(0.3)
        with server.http() as http:
            assert http.get("/entities").status == 200
        assert server.memory() < memory_bound(BASE)
        assert server.metrics()['doctor_connections_refused_total{cause="limit"}'] >= 30
        assert server.log.count("the limit `connections` is reached") == 1


def test_a_get_with_a_very_long_raw_query_is_read_as_it_stands(victim):
    target = "/entities/a?q=" + percent(json.dumps({"select": "id", "where": {"s": "b" * 20_000}}))
    assert answered(victim.attacker.get(target)) == []
