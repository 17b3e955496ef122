"""What sessions hear, held against the model while documents and permissions change."""

import os
import random
import threading
from urllib.parse import unquote

from doctor import scaled
from doctor.mqtt import Mqtt, revision_of
from doctor.http import percent
from model.compare import SESSIONS, Comparison
from model.permissions import may_read

ROUNDS = int(os.environ.get("DOCTOR_ROUNDS", scaled(60)))
SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))


def topic(change):
    return f"{change.collection}/" + "".join(percent(c) if c in "%/+#" else c for c in change.id)


def payload(change):
    if change.kind != "updated":
        return "+" if change.kind == "created" else "-"
    text = ",".join(name.replace("%", "%25").replace(",", "%2C") for name in change.fields)
    return percent(text) if text in "+-" else text


def test_every_session_hears_exactly_what_the_model_says(secured):
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    comparison = Comparison(secured, chance)
    comparison.rewrite()
    listeners = {}
    for reader in (None, *SESSIONS):
        for version in (4, 5):
            who = ("connector", secured.secret) if reader is None else ("session", reader)
            listeners[reader, version] = Mqtt(secured.mqtt, *who, version=version)
            listeners[reader, version].subscribe("#", qos=chance.choice([0, 1]))
    for _ in range(ROUNDS):
        expected = {key: [] for key in listeners}
        for _ in range(chance.randint(1, 8)):
            changes = comparison.change()
            for reader, version in listeners:
                view = comparison.view(reader)
                heard = [one for one in changes if may_read(view.permissions, one.collection, one.id)]
                expected[reader, version] += [(topic(one), payload(one)) for one in heard]
        for key, client in listeners.items():
            assert client.heard(len(expected[key])) == expected[key], f"{key} with {comparison.permissions.get(key[0])}"
        comparison.allow(chance.choice(SESSIONS))
    for key, client in listeners.items():
        assert client.hear(0.1) is None, key
        client.close()


def test_what_is_heard_while_permissions_change_was_allowed_at_its_own_revision_and_nothing_else_is_missing(secured):
    """A message may be missing only if it was forbidden at its revision or at a later one."""
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    session, ids = "0123456789abcdef", ["1", "2", "3", "4"]
    allowed = []  # (revision, ids) in order
    changes = []  # (revision, id)
    with secured.http() as http:
        first = http.put(f"/sessions/{session}", {"permissions": {"vm": ids}})
        allowed.append((first.revision, ids))
        client = Mqtt(secured.mqtt, "session", session, version=5)
        client.subscribe("vm/+")

        def edit():
            with secured.http() as other:
                for _ in range(scaled(100)):
                    some = chance.sample(ids, chance.randint(1, 4))
                    answer = other.put(f"/sessions/{session}", {"permissions": {"vm": some}})
                    allowed.append((answer.revision, some))

        editor = threading.Thread(target=edit)
        editor.start()
        number = 0
        while editor.is_alive():
            number += 1
            id = random.choice(ids)
            changes.append((http.put(f"/entities/vm/{id}", {"n": number}).revision, id))
        editor.join()
        http.put(f"/sessions/{session}", {"permissions": {"end": "*", "vm": allowed[-1][1]}})
        client.subscribe("end/+")
        http.put("/entities/end/1", {})
    heard = []
    while (message := client.hear()) and message.topic != "end/1":
        heard.append((revision_of(message), message.topic[3:]))
    client.close()
    assert heard == sorted(heard)
    for revision, id in heard:
        at_that_time = [some for since, some in allowed if since <= revision][-1]
        assert id in at_that_time, f"heard of {id} at {revision}, when {at_that_time} was allowed"
    for revision, id in set(changes) - set(heard):
        then = [some for since, some in allowed if since <= revision][-1:] + [some for since, some in allowed if since > revision]
        assert any(id not in some for some in then), f"{id} at {revision} was always allowed but not heard of"
    assert set(heard) <= set(changes) and heard


class FrontEnd:
    """Keeps a copy of all that its session may read: it reads again what it is told about, and everything when its
    permissions change, which nobody tells it but itself."""

    def __init__(self, server, reader, version):
        self.http, self.documents = server.http(session=reader), {}
        self.client = Mqtt(server.mqtt, "session", reader, version=version)
        self.client.subscribe("#", qos=1)
        self.begin()

    def begin(self):
        self.documents = self.everything()

    def everything(self):
        return {(one["name"], document["id"]): document
                for one in self.http.get("/entities").json
                for document in self.http.get(f"/entities/{one['name']}").json}

    def follow(self):
        while message := self.client.hear(0.05):
            collection, _, id = message.topic.partition("/")
            given = self.http.get(f"/entities/{collection}/{percent(unquote(id))}")
            assert given.status in (200, 404), given
            self.documents.pop((collection, unquote(id)), None)
            if given.status == 200:
                self.documents[collection, unquote(id)] = given.json

    def close(self):
        self.client.close()


def test_a_front_end_that_reads_again_what_it_is_told_of_has_what_a_full_read_gives(secured):
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    comparison = Comparison(secured, chance)
    comparison.rewrite()
    front_ends = [(reader, FrontEnd(secured, reader, version)) for reader in SESSIONS for version in (4, 5)]
    for _ in range(scaled(20)):
        for _ in range(chance.randint(1, 10)):
            comparison.change()
        if chance.random() < 0.5:
            edited = chance.choice(SESSIONS)
            comparison.allow(edited)
            for reader, front_end in front_ends:
                if reader == edited:
                    front_end.begin()
            for _ in range(chance.randint(0, 3)):
                comparison.change()
        for reader, front_end in front_ends:
            front_end.follow()
            assert front_end.documents == front_end.everything(), f"{reader} with {comparison.permissions[reader]}"
    for _, front_end in front_ends:
        front_end.close()
