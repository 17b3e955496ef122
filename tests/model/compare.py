"""Holds the server against the model: random writes to both, then random questions to both."""

from functools import partial
from urllib.parse import urlsplit

from doctor.http import percent

from .generate import COLLECTIONS, Generator
from .order import compare, value_at
from .permissions import View, may_read
from .query import answer, found, number, page, select
from .selectors import Bad, selectors
from .store import Store
from .values import parse, same_text, write

SESSIONS = ["session-of-reader-0", "session-of-reader-1", "session-of-reader-2", "session-of-reader-3"]
PAGES = 40
MERGE = "application/merge-patch+json"


class Mismatch(AssertionError):
    pass


class Comparison:
    """One server and one model that have seen the same writes."""

    def __init__(self, server, random):
        self.http = server.http()
        self.readers = {None: self.http, **{name: self.reader(server, name, at) for at, name in enumerate(SESSIONS)}}
        self.random = random
        self.generator = Generator(random)
        self.store = Store()
        self.permissions = {}
        self.revision = 0
        self.kept = []  # (reader, target, ETag, what gives the answer of now, the answer) of earlier answers

    @staticmethod
    def reader(server, name, at):
        """A connection with the credentials of a session, which may come in three ways."""
        http = server.http(session=None if at == 1 else name)
        http.headers.update([{}, {"Authorization": f"Bearer {name}"}, {"SECRET": server.secret}, {"Accept-Encoding": "gzip"}][at])
        return http

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

    def change(self, drops=0.02):
        """One random write of one or a few documents, or now and then the end of a collection. Returns what changed."""
        collection = self.random.choice(COLLECTIONS)
        known = [document["id"] for document in self.store.documents(collection)]
        kind = self.random.random()
        if kind < drops:
            return self.write("DELETE", collection, None, None)
        if known and kind < 0.2:
            return self.write("PATCH", collection, self.random.choice(known), self.generator.patch())
        if known and kind < 0.3:
            return self.write("PATCH", collection, self.random.choice(known), self.generator.merge_patch(), MERGE)
        if known and kind < 0.5:
            return self.write("DELETE", collection, self.random.choice(known), None)
        if kind < 0.7:
            return self.write("POST", collection, None, self.generator.collection(most=5))
        document = self.generator.collection(most=1)
        id = document[0]["id"] if document else "1"
        id = id if isinstance(id, str) else id.text
        return self.write("PUT", collection, id, self.generator.document(id))

    def write(self, method, collection, id, body, kind=None):
        target = f"/entities/{collection}" + ("" if id is None else "/" + percent(id))
        before = len(self.store.documents(collection))
        if method == "PUT" and id is None:
            changes, whole = self.store.put_all(collection, body), len(body)
        elif method == "POST":
            changes, whole = self.store.post(collection, body), len(body)
        elif method == "PUT":
            changes, whole = self.store.put(collection, body), 1
        elif method == "PATCH":
            patch = self.store.merge_patch if kind == MERGE else self.store.patch
            changes, whole = patch(collection, id, body), 1
        else:
            changes, whole = self.store.clear(collection) if id is None else self.store.delete(collection, id), 1
        body_text = None if body is None else self.generator.spelled(body)
        given = self.http.request(method, target, body_text, headers={"Content-Type": kind})
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
        for reader, target, etag, now, then in self.kept:
            given = self.readers[reader].get(target, headers={"If-None-Match": etag})
            if given.status == 304:
                facts = f"GET {target} with If-None-Match {etag} as {self.named(reader)}"
                expect(now() is not None and same_text(now(), then), facts, now(), "304, which stood for " + write(then))
            else:
                expect(given.status == (404 if now() is None else 200), target, "304, or 200 if it is there", given)
        self.kept = []

    def question(self):
        """One random query of one random reader. Raises Mismatch with the smallest query that fails."""
        reader = self.random.choice([None, *SESSIONS, *SESSIONS])
        seen = [name for name, _ in self.view(reader).collections()]
        collection = self.random.choice(seen * 4 + COLLECTIONS)
        query = self.generator.query(collection)
        way = self.random.choice(["q", "q", "raw", "body", "post"])
        try:
            self.ask(reader, collection, query, way)
            if number(query.get("limit")) and self.random.random() < 0.3:
                self.page_among_writes(reader, collection, query, way)
            if self.random.random() < 0.2:
                self.ask_one(reader, collection, query)
        except Mismatch as mismatch:
            raise self.smallest(reader, collection, query, way, mismatch) from None

    def ask(self, reader, collection, query, way):
        http, view = self.readers[reader], self.view(reader)
        target, text = f"/entities/{collection}", self.generator.spelled(query)
        facts = f"{way} {target} {text}\n  as {self.named(reader)}"
        try:
            everything = answer(view, collection, query)
        except Bad as bad:
            given = self.send(http, collection, text, way)
            expect(given.status == 400, facts, f"400: {bad}", given)
            return
        rows, total = page(everything, query), len(everything)
        given = self.send(http, collection, text, way)
        got, pages = [], 0
        while True:
            expect(given.status == 200, facts, 200, given)
            here = parse(given.body)
            count = given["Doctor-Total-Count"]
            expected_count = str(total) if query.get("count") else None
            expect(count == expected_count, facts + " (count)", expected_count, given)
            got += here
            again = self.next_page(http, collection, text, given)
            if pages == 0 and way == "q" and given["ETag"] and not query.get("limit"):
                now = partial(self.now, reader, collection, query)
                self.kept.append((reader, target + "?q=" + percent(text), given["ETag"], now, rows))
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
        target += "?q=" + percent(self.generator.spelled({"select": query["select"]}))
        given = self.readers[reader].get(target)
        facts = f"GET {target} {write(query['select'])} as {self.named(reader)}"
        if not may_read(view.permissions, collection, document["id"]):
            expect(given.status == 404, facts, 404, given)
            return
        expected = select(view, collection, document, chains)
        expect(given.status == 200 and same_text(parse(given.body), expected), facts, write(expected), given)
        self.kept.append((reader, target, given["ETag"], partial(self.now_one, reader, collection, document["id"], chains), expected))

    def now(self, reader, collection, query):
        return page(answer(self.view(reader), collection, query), query)

    def now_one(self, reader, collection, id, chains):
        view = self.view(reader)
        document = view.get(collection, id)
        return None if document is None else select(view, collection, document, chains)

    def page_among_writes(self, reader, collection, query, way):
        """Page by page, with writes in between: each page goes on behind the last document of the one before."""
        http, chains, last = self.readers[reader], selectors(query.get("select", "*")), None
        try:
            answer(self.view(reader), collection, query)
        except Bad:
            return
        orders, limit = query.get("orderBy"), number(query["limit"])
        text = self.generator.spelled(query)
        given = self.send(http, collection, text, way)
        for at in range(8):
            view = self.view(reader)
            rows = found(view, collection, query)
            expect(given["Doctor-Total-Count"] == (str(len(rows)) if query.get("count") else None), "count", len(rows), given)
            if last:
                rows = [row for row in rows if compare_places(self.place(view, collection, row, orders), last, orders) > 0]
            else:
                rows = rows[number(query.get("skip")) :]
            expected = [select(view, collection, row, chains) for row in rows[:limit]]
            facts = f"page {at} among writes, {way} {text} of {collection} as {self.named(reader)}"
            expect(given.status == 200 and same_text(parse(given.body), expected), facts, write(expected), given)
            expect(bool(given["Link"] or given["Doctor-Next"]) == (len(rows) > limit), facts, f"{len(rows)} rows", given)
            if len(rows) <= limit:
                return
            last = self.place(view, collection, rows[limit - 1], orders)
            after = given
            for _ in range(self.random.randint(0, 4)):
                self.change()
            if reader and self.random.random() < 0.2:
                self.allow(reader)
            given = self.next_page(http, collection, text, after)

    def place(self, view, collection, document, orders):
        """Where a document stands: its values in the order, and when it was created."""
        paths = [orders] if isinstance(orders, str) else orders or []
        return [value_at(view, document, path.removeprefix("-")) for path in paths], self.store.numbers[collection, document["id"]]

    def send(self, http, collection, text, way):
        if way == "post":
            return http.post(f"/query/{collection}", text)
        if way == "body":
            return http.request("GET", f"/entities/{collection}", text)
        return http.get(f"/entities/{collection}?q=" + (raw(text) if way == "raw" else percent(text)))

    def next_page(self, http, collection, text, given):
        if given["Doctor-Next"]:
            return self.send(http, collection, text[: text.rindex("}")] + f',"after":"{given["Doctor-Next"]}"}}', "post")
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


def raw(text):
    """A query as somebody types it behind `q=`: only what would mean something else is encoded."""
    return "".join("+" if c == " " else percent(c) if c < " " or c in "+%&#\x7f" else c for c in text)


def compare_places(a, b, orders):
    paths = [orders] if isinstance(orders, str) else orders or []
    for path, mine, its in zip(paths, a[0], b[0]):
        if order := compare(mine, its):
            return -order if path.startswith("-") else order
    return a[1] - b[1]


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
