"""Holds the server against the model: random writes to both, then random questions to both."""

from urllib.parse import urlsplit

from doctor.http import percent

from .generate import COLLECTIONS, Generator
from .permissions import View, may_read
from .query import answer, found, page, select
from .selectors import Bad, selectors
from .store import Store
from .values import parse, same_text, write

SESSIONS = ["session-of-reader-0", "session-of-reader-1", "session-of-reader-2", "session-of-reader-3"]
PAGES = 40


class Mismatch(AssertionError):
    pass


class Comparison:
    """One server and one model that have seen the same writes."""

    def __init__(self, server, random):
        self.http = server.http()
        self.readers = {name: server.http(session=name) for name in SESSIONS}
        self.readers[None] = self.http
        self.random = random
        self.generator = Generator(random)
        self.store = Store()
        self.permissions = {}
        self.revision = 0
        self.kept = []  # (reader, target, ETag, rows) of earlier answers

    # -- writes -------------------------------------------------------------------------------

    def rewrite(self):
        """New documents everywhere, some in two steps, and new permissions."""
        self.generator.narrow()
        for name in COLLECTIONS:
            self.write("PUT", name, None, self.generator.collection(least=self.random.choice([0, 4, 6, 8])))
        for _ in range(self.random.randint(0, 12)):
            self.change()
        self.permissions = {name: self.generator.permissions() for name in SESSIONS}
        sessions = [{"id": name, "permissions": given} for name, given in self.permissions.items()]
        answer = self.http.put("/sessions", write(sessions))
        assert answer.status in (200, 201), answer
        self.revision = answer.revision

    def allow(self, reader):
        """Other permissions for one session."""
        self.permissions[reader] = self.generator.permissions()
        answer = self.http.put(f"/sessions/{reader}", write({"permissions": self.permissions[reader]}))
        assert answer.status == 200, answer
        self.revision = answer.revision

    def change(self):
        """One random write of one or a few documents. Returns what changed."""
        collection = self.random.choice(COLLECTIONS)
        known = [document["id"] for document in self.store.documents(collection)]
        kind = self.random.random()
        if known and kind < 0.3:
            return self.write("PATCH", collection, self.random.choice(known), self.generator.patch())
        if known and kind < 0.5:
            return self.write("DELETE", collection, self.random.choice(known), None)
        if kind < 0.7:
            return self.write("POST", collection, None, self.generator.collection(most=5))
        document = self.generator.collection(most=1)
        id = document[0]["id"] if document else "1"
        id = id if isinstance(id, str) else id.text
        return self.write("PUT", collection, id, self.generator.document(id))

    def write(self, method, collection, id, body):
        target = f"/entities/{collection}" + ("" if id is None else "/" + percent(id))
        before = len(self.store.documents(collection))
        if method == "PUT" and id is None:
            changes, whole = self.store.put_all(collection, body), len(body)
        elif method == "POST":
            changes, whole = self.store.post(collection, body), len(body)
        elif method == "PUT":
            changes, whole = self.store.put(collection, body), 1
        elif method == "PATCH":
            changes, whole = self.store.patch(collection, id, body), 1
        else:
            changes, whole = self.store.delete(collection, id), 1
        given = self.http.request(method, target, None if body is None else self.generator.spelled(body))
        self.revision += bool(changes)
        facts = f"{method} {target} {'' if body is None else write(body)}"
        if method == "DELETE":
            expect(given.status == 204, facts, 204, given)
            return changes
        created = [change.id for change in changes if change.kind == "created"]
        status = 201 if created and not (method == "PUT" and id is None and before) else 200
        expect(given.status == status, facts, status, given)
        expected = {
            "created": created,
            "updated": {change.id: change.fields for change in changes if change.kind == "updated"},
            "removed": [change.id for change in changes if change.kind == "removed"],
            "unchanged": whole - sum(change.kind != "removed" for change in changes),
        }
        got = given.json
        expect(got.pop("revision") == given.revision == self.revision, facts, f"revision {self.revision}", given)
        expect(got == expected and list(got["updated"]) == list(expected["updated"]), facts, expected, given)
        return changes

    # -- questions ----------------------------------------------------------------------------

    def view(self, reader):
        return View(self.store, "*" if reader is None else self.permissions[reader])

    def check_visibility(self):
        """What every reader sees of collections and of single documents."""
        for reader, http in self.readers.items():
            view = self.view(reader)
            listed = [(one["name"], one["count"]) for one in http.get("/entities").json]
            expect(listed == view.collections(), f"GET /entities as {self.named(reader)}", view.collections(), listed)
            collection = self.random.choice(COLLECTIONS)
            for document in self.store.documents(collection):
                target = f"/entities/{collection}/{percent(document['id'])}"
                given = http.get(target)
                facts = f"GET {target} as {self.named(reader)}"
                if not may_read(view.permissions, collection, document["id"]):
                    expect(given.status == 404, facts, 404, given)
                else:
                    expect(same_text(parse(given.body), document), facts, write(document), given)

    def check_kept(self):
        """An ETag of before the last writes still matches only if the answer would be the same."""
        for reader, target, collection, query, etag, rows in self.kept:
            given = self.readers[reader].get(target, headers={"If-None-Match": etag})
            if given.status == 304:
                now = page(answer(self.view(reader), collection, query), query)
                facts = f"GET {target} with If-None-Match {etag} as {self.named(reader)}"
                expect(same_text(now, rows), facts, write(now), "304, which stood for " + write(rows))
            else:
                expect(given.status == 200, target, "304 or 200", given)
        self.kept = []

    def question(self):
        """One random query of one random reader. Raises Mismatch with the smallest query that fails."""
        reader = self.random.choice([None, *SESSIONS, *SESSIONS])
        seen = [name for name, _ in self.view(reader).collections()]
        collection = self.random.choice(seen * 4 + COLLECTIONS)
        query = self.generator.query(collection)
        way = self.random.choice(["q", "q", "q", "body", "post"])
        try:
            self.ask(reader, collection, query, way)
            if self.random.random() < 0.2:
                self.ask_one(reader, collection, query)
        except Mismatch as mismatch:
            raise self.smallest(reader, collection, query, way, mismatch) from None

    def ask(self, reader, collection, query, way):
        http, view = self.readers[reader], self.view(reader)
        target = f"/entities/{collection}"
        facts = f"{way} {target} {write(query)}\n  as {self.named(reader)}"
        try:
            everything = answer(view, collection, query)
        except Bad as bad:
            given = self.send(http, collection, query, way)
            expect(given.status == 400, facts, f"400: {bad}", given)
            return
        rows, total = page(everything, query), len(everything)
        given = self.send(http, collection, query, way)
        got, pages = [], 0
        while True:
            expect(given.status == 200, facts, 200, given)
            here = parse(given.body)
            count = given["Doctor-Total-Count"]
            expected_count = str(total) if query.get("count") else None
            expect(count == expected_count, facts + " (count)", expected_count, given)
            got += here
            again = self.next_page(http, collection, query, given)
            if pages == 0 and way == "q" and given["ETag"] and not query.get("limit"):
                self.kept.append((reader, target + "?q=" + percent(write(query)), collection, query, given["ETag"], rows))
            if pages == 0 and not again:
                break
            limit = int(str(query["limit"]))
            last = pages * limit + len(here) == len(page(everything, {"skip": query.get("skip")}))
            expect(bool(again) != last, facts + f" (next after page {pages})", f"next: {not last}", given)
            expect(last or len(here) == limit, facts + " (length of a page)", limit, given)
            pages += 1
            if last or pages == PAGES:
                break
            given = again
        if pages:
            rows = page(everything, {"skip": query.get("skip")})[: len(got)] if pages == PAGES else page(everything, {"skip": query.get("skip")})
        expect(same_text(got, rows), facts, *first_difference(rows, got))

    def ask_one(self, reader, collection, query):
        """The same select of one document."""
        rows = self.store.documents(collection)
        if not rows or "select" not in query:
            return
        document, view = self.random.choice(rows), self.view(reader)
        try:
            chains = selectors(query["select"])
            answer(view, collection, {"select": query["select"]})
        except Bad:
            return
        target = f"/entities/{collection}/{percent(document['id'])}"
        given = self.readers[reader].get(target + "?q=" + percent(write({"select": query["select"]})))
        facts = f"GET {target} {write(query['select'])} as {self.named(reader)}"
        if not may_read(view.permissions, collection, document["id"]):
            expect(given.status == 404, facts, 404, given)
            return
        expected = select(view, collection, document, chains)
        expect(given.status == 200 and same_text(parse(given.body), expected), facts, write(expected), given)

    def send(self, http, collection, query, way):
        if way == "post":
            return http.post(f"/query/{collection}", write(query))
        if way == "body":
            return http.request("GET", f"/entities/{collection}", write(query))
        return http.get(f"/entities/{collection}?q=" + percent(write(query)))

    def next_page(self, http, collection, query, given):
        if given["Doctor-Next"]:
            return self.send(http, collection, {**query, "after": given["Doctor-Next"]}, "post")
        if given["Link"]:
            link, _, parameter = given["Link"].partition(">")
            expect('rel="next"' in parameter, "Link", 'rel="next"', given)
            url = urlsplit(link.lstrip("<"))
            return http.get(url.path + "?" + url.query)
        return None

    def named(self, reader):
        return "the connector" if reader is None else f"a session with {write(self.permissions[reader])}"

    # -- a smaller query that fails as well -----------------------------------------------------

    def smallest(self, reader, collection, query, way, mismatch):
        tried = 0
        while tried < 300:
            for smaller in reductions(query):
                tried += 1
                try:
                    self.ask(reader, collection, smaller, way)
                except Mismatch as other:
                    query, mismatch = smaller, other
                    break
                except Exception:  # no legal query any more
                    continue
            else:
                break
        documents = [write(d) for d in found(self.view(reader), collection, {})][:12]
        return Mismatch(f"{mismatch}\ndocuments of {collection} that it may see:\n  " + "\n  ".join(documents))


def reductions(value):
    """Every value that is this one with one part left out."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for smaller in reductions(value[key]):
                yield {**value, key: smaller}
    elif isinstance(value, list):
        for at in range(len(value)):
            yield value[:at] + value[at + 1 :]
            for smaller in reductions(value[at]):
                yield value[:at] + [smaller] + value[at + 1 :]


def first_difference(expected, got):
    for at, (a, b) in enumerate(zip(expected, got)):
        if not same_text(a, b):
            return f"row {at}: {write(a)}", f"row {at}: {write(b)}"
    return f"{len(expected)} rows: {write(expected)[:2000]}", f"{len(got)} rows: {write(got)[:2000]}"


def expect(holds, facts, expected, got):
    if not holds:
        raise Mismatch(f"\n{facts}\nexpected: {expected}\ngot: {got}")


def run(server, random, cases, questions=50):
    """Compares this many random queries, over as many stores as that takes."""
    comparison = Comparison(server, random)
    done = 0
    while done < cases:
        comparison.rewrite()
        comparison.check_kept()
        comparison.check_visibility()
        for _ in range(min(questions, cases - done)):
            comparison.question()
            done += 1
    return comparison
