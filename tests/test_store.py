"""What holds of the store as a whole: groups of writes, revisions, tags, sessions that expire."""

import base64
import json
import random
import threading
import time

from doctor import Server, scaled


def together(*works):
    """Runs these at the same time and waits for all of them."""
    wrong = []

    def run(work):
        try:
            work()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def test_writes_that_share_a_flush_fail_and_succeed_each_for_itself(server):
    answers = [[] for _ in range(16)]

    def write(who):
        chance = random.Random(who)
        with server.http() as http:
            for number in range(scaled(60)):
                bad = chance.random() < 0.5
                body = {"n": number, "_bad": 1} if bad else {"n": number}
                answer = http.put(f"/entities/vm/{who}", body)
                assert answer.status == (400 if bad else 201 if not answers[who] else 200), answer
                if not bad:
                    answers[who].append((answer.revision, number))

    together(*(lambda who=who: write(who) for who in range(16)))
    revisions = [revision for mine in answers for revision, _ in mine]
    assert sorted(revisions) == list(range(1, len(revisions) + 1)), "revisions are not gapless and unique"
    with server.http() as http:
        for who, mine in enumerate(answers):
            assert http.get(f"/entities/vm/{who}").json == {"id": str(who), "n": mine[-1][1]}
            assert mine == sorted(mine)


def test_of_many_who_compare_with_one_etag_only_one_wins(server):
    with server.http() as http:
        etag = http.put("/entities/vm/1", {"n": -1})["ETag"]
    won = []

    def write(who):
        with server.http() as http:
            answer = http.put("/entities/vm/1", {"n": who}, headers={"If-Match": etag})
            assert answer.status in (200, 412)
            if answer.status == 200:
                won.append(who)

    together(*(lambda who=who: write(who) for who in range(16)))
    assert len(won) == 1
    with server.http() as http:
        assert http.get("/entities/vm/1").json["n"] == won[0]


def test_of_many_who_create_only_one_creates(server):
    statuses = []

    def write():
        with server.http() as http:
            statuses.append(http.put("/entities/vm/1", {}, headers={"If-None-Match": "*"}).status)

    together(*[write] * 16)
    assert sorted(statuses) == [201] + [412] * 15


def test_a_read_sees_one_revision_however_many_documents_it_follows(server):
    """Every commit makes all documents of two collections tell the same number."""
    stop = threading.Event()
    with server.http() as http:
        http.put("/entities/a", [{"id": str(n), "b": str(n), "n": 0} for n in range(20)])
        http.put("/entities/b", [{"id": str(n), "n": 0} for n in range(20)])

    def write():
        with server.http() as http:
            for number in range(1, scaled(150)):
                http.put("/entities/b", [{"id": str(n), "n": number} for n in range(20)])
            stop.set()

    def read():
        with server.http() as http:
            last = 0
            while not stop.is_set():
                answer = http.query("/entities/a", {"select": ["@b.n", "@b.@[a:b].@b.n"]})
                numbers = {row["@b.n"] for row in answer.json} | {n for row in answer.json for n in row["@b.@[a:b].@b.n"]}
                assert len(numbers) == 1, numbers
                assert answer.revision == 2 + numbers.pop() and answer.revision >= last
                last = answer.revision

    together(write, read, read)


def test_a_read_that_asks_for_a_revision_waits_until_it_is_there(server):
    with server.http() as writer, server.http() as reader:
        writer.put("/entities/vm/1", {"n": 1})
        reader.send(b"GET /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nDoctor-Min-Revision: 2\r\n\r\n")
        time.sleep(0.1)
        writer.put("/entities/vm/1", {"n": 2})
        answer = reader.read()
        assert (answer.status, answer.revision, answer.json["n"]) == (200, 2, 2)


def test_two_stores_never_share_an_etag():
    tags = set()
    for _ in range(2):
        with Server() as server, server.http() as http:
            tags.add(http.put("/entities/vm/1", {})["ETag"])
    assert len(tags) == 2


def test_a_cursor_tells_nothing_and_is_never_the_same_twice(server):
    with server.http() as http:
        http.put("/entities/vm", [{"id": f"id-of-{n}", "name": f"secret-name-{n}"} for n in range(5)])
        cursors = {http.post("/query/vm", {"orderBy": "name", "limit": 2})["Doctor-Next"] for _ in range(20)}
    assert len(cursors) == 20
    for cursor in cursors:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert b"secret" not in data and b"id-of" not in data and len(cursor) <= 2048


def test_every_changed_byte_of_a_cursor_is_noticed(server):
    with server.http() as http:
        http.put("/entities/vm", [{"id": str(n)} for n in range(5)])
        cursor = http.post("/query/vm", {"limit": 2})["Doctor-Next"]
        for at in range(len(cursor)):
            other = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
            assert http.post("/query/vm", {"limit": 2, "after": other}).status == 400, at
        assert http.post("/query/vm", {"limit": 2, "after": cursor}).status == 200


def test_an_expired_session_is_removed_by_a_commit_within_a_minute(secured):
    with secured.http() as http:
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1.5))
        before = http.put("/sessions/0123456789abcdef", {"expires": soon}).revision
        until = time.monotonic() + 62
        while http.get("/entities").revision == before and time.monotonic() < until:
            time.sleep(0.1)
        assert http.get("/entities").revision == before + 1


def test_a_page_goes_on_while_documents_are_moved_created_and_removed(server):
    """What stays where it is comes exactly once, whatever happens around it."""
    chance = random.Random(7)
    with server.http() as http:
        http.put("/entities/vm", [{"id": str(n), "n": n % 10, "stays": n % 3 == 0} for n in range(90)])
        query = {"orderBy": ["n"], "limit": 7, "select": ["id", "stays"]}
        seen, answer = [], http.post("/query/vm", query)
        while True:
            seen += [row["id"] for row in answer.json if row.get("stays")]
            if not answer["Doctor-Next"]:
                break
            for _ in range(5):
                id = chance.randrange(200)
                if id % 3:
                    http.put(f"/entities/vm/{id}", {"n": chance.randrange(10)})
                    if chance.random() < 0.5:
                        http.delete(f"/entities/vm/{chance.choice([id])}")
            answer = http.post("/query/vm", {**query, "after": answer["Doctor-Next"]})
    expected = sorted((n for n in range(90) if n % 3 == 0), key=lambda n: (n % 10, n))
    assert seen == [str(n) for n in expected]


def test_an_export_is_one_snapshot_as_json_lines_for_the_connector_alone(secured):
    documents = [{"id": str(n), "pad": "x" * 500} for n in range(4000)]
    with secured.http(timeout=60) as http, secured.http(secret=False) as nobody:
        http.put("/entities/vm", documents)
        http.put("/entities/disk/1", {"n": 1.5})
        http.put("/sessions/0123456789abcdef", {"permissions": "*"})
        assert nobody.get("/export").status == 401
        assert nobody.get("/export", headers={"SESSION": "0123456789abcdef"}).status == 401
        answer = http.get("/export")
        assert answer.status == 200
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert len(lines) == 4001 and "0123456789abcdef" not in answer.body.decode()


def test_only_so_many_exports_run_at_a_time():
    with Server(config="limits.exports = 1\nlimits.export_deadline = \"2s\"\n") as server, server.http(timeout=60) as http:
        for part in range(8):
            http.put(f"/entities/part{part}", [{"id": str(n), "pad": "x" * 1000} for n in range(4000)])
        slow = server.http(timeout=60)
        slow.send(b"GET /export HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        answer = http.get("/export")
        assert answer.status == 429 and answer["Retry-After"], answer
        until = time.monotonic() + 20
        while http.request("GET", "/export").status == 429:
            assert time.monotonic() < until, "the export that nobody reads was never given up"
            time.sleep(0.3)
        slow.close()
