"""Killed at any instant, the server has lost nothing that it acknowledged and shows nothing half done.

Each round writes over several connections, reads and listens meanwhile, and kills the server with
SIGKILL at a random moment. DOCTOR_KILLS sets the number of rounds (a full run: 200).
"""

import os
import random
import threading
import time

from doctor import Server, scaled
from doctor.mqtt import Gone, Mqtt, revision_of

KILLS = int(os.environ.get("DOCTOR_KILLS", scaled(15)))
SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
BULK = 30


class Writer(threading.Thread):
    """One connection that writes until the server is gone.

    `sent` and `acknowledged` are the numbers of the last step sent and answered; `revision` is the
    newest that an answer told of.
    """

    def __init__(self, server, name, step):
        super().__init__(daemon=True)
        self.server, self.name, self.step = server, name, step
        self.revision = 0
        self.wrong = None

    def run(self):
        http = self.server.http(timeout=10)
        try:
            while True:
                self.step.sent += 1
                answer = self.step.write(http, self.step.sent)
                if answer.status >= 300:
                    self.wrong = f"{self.name}: {answer}"
                    return
                self.step.acknowledged = self.step.sent
                self.revision = max(self.revision, answer.revision)
        except OSError:
            pass
        finally:
            http.close()


class Step:
    """What one writer does again and again, each time with the next number."""

    def __init__(self, collection):
        self.collection = collection
        self.sent = self.acknowledged = 0

    def allowed(self):
        """The numbers that may be found afterwards."""
        return range(self.acknowledged, self.sent + 1)

    def settle(self, number):
        self.sent = self.acknowledged = number


class Single(Step):
    """Patches one document."""

    def write(self, http, number):
        return http.put(f"/entities/{self.collection}/1", {"number": number, "pad": "x" * (number % 700)})

    def verify(self, http):
        rows = http.get(f"/entities/{self.collection}").json
        number = rows[0]["number"] if rows else 0
        assert number in self.allowed(), f"{self.collection}: found {number}, {self.allowed()} allowed"
        self.settle(number)


class Bulk(Step):
    """Replaces a whole collection: every document has the number, or none."""

    def write(self, http, number):
        first = number % 10
        return http.put(f"/entities/{self.collection}", [{"id": str(n), "number": number} for n in range(first, first + BULK)])

    def verify(self, http):
        rows = http.get(f"/entities/{self.collection}").json
        numbers = {row["number"] for row in rows} or {0}
        assert len(numbers) == 1, f"{self.collection}: a commit is half there: {numbers}"
        number = numbers.pop()
        assert number in self.allowed(), f"{self.collection}: found {number}, {self.allowed()} allowed"
        ids = {row["id"] for row in rows}
        assert not number or ids == {str(n) for n in range(number % 10, number % 10 + BULK)}, f"{self.collection}: {ids}"
        self.settle(number)


class CreateAndDelete(Step):
    """Creates document n at step 2n-1 and removes it at step 2n."""

    def write(self, http, number):
        id = (number + 1) // 2
        if number % 2:
            return http.post(f"/entities/{self.collection}", {"id": id})
        return http.delete(f"/entities/{self.collection}/{id}")

    def verify(self, http):
        ids = [int(row["id"]) for row in http.get(f"/entities/{self.collection}").json]
        found = [2 * id - 1 for id in ids] or [number for number in self.allowed() if number % 2 == 0]
        assert len(ids) <= 1 and found and found[0] in self.allowed(), f"{self.collection}: found {ids}, {self.allowed()} allowed"
        self.settle(found[0])


class Sessions(Step):
    """Replaces all sessions."""

    def write(self, http, number):
        return http.put("/sessions", [{"id": f"session-number-{n}", "number": number} for n in range(5)])

    def verify(self, http):
        numbers = [row["number"] for row in http.get("/sessions").json] or [0] * 5
        assert len(numbers) == 5 and len(set(numbers)) == 1, f"sessions: a commit is half there: {numbers}"
        assert numbers[0] in self.allowed(), f"sessions: found {numbers[0]}, {self.allowed()} allowed"
        self.settle(numbers[0])


class Listener(threading.Thread):
    """Remembers the newest revision that a push told of."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.client = Mqtt(server.mqtt, version=5)
        assert self.client.subscribe("#") == [0]
        self.revision = self.heard = 0

    def run(self):
        try:
            while True:
                message = self.client.hear(1)
                if message:
                    assert revision_of(message) >= self.revision, "announced out of order"
                    self.revision = revision_of(message)
                    self.heard += 1
        except (Gone, OSError):
            self.client.close()


class Reader(threading.Thread):
    """Remembers the newest revision that a read told of."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.http = server.http(timeout=10)
        self.revision = 0

    def run(self):
        try:
            while True:
                self.revision = max(self.revision, self.http.get("/entities").revision)
        except OSError:
            self.http.close()


def test_a_server_killed_at_any_instant_has_lost_nothing_and_shows_nothing_half_done():
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    steps = [Single("one"), Single("two"), Bulk("many"), Bulk("more"), CreateAndDelete("fleeting"), Sessions("")]
    acknowledged = heard = 0
    server = Server()
    try:
        server.start()
        for round in range(KILLS):
            listener, reader = Listener(server), Reader(server)
            writers = [Writer(server, f"round {round} {step.collection}", step) for step in steps]
            threads = [listener, reader, *writers]
            for thread in threads:
                thread.start()
            time.sleep(chance.choice([0.003, 0.03, 0.3, 0.3]) * chance.random())
            server.kill()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
            assert not [writer.wrong for writer in writers if writer.wrong], [writer.wrong for writer in writers]
            told = max([listener.revision, reader.revision, *(writer.revision for writer in writers)])
            server.check()
            server.start()
            with server.http() as http:
                revision = http.get("/entities").revision
                assert revision >= told, f"round {round}: revision {told} was told of, {revision} is there"
                for step in steps:
                    step.verify(http)
            acknowledged = sum(step.acknowledged for step in steps)
            heard += listener.heard
        assert server.stop() == 0
        server.check()
    except BaseException:
        print("---- log of the server ----\n" + server.log[-20000:])
        raise
    finally:
        server.kill()
        server.remove()
    print(f"{KILLS} kills, {acknowledged} writes acknowledged, {heard} messages heard")
    assert acknowledged > KILLS and heard > 0, "hardly anything was written"
