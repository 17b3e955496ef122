"""What sessions hear of documents over STOMP, held against the model while documents and permissions change."""

import os
import random
import threading

from doctor import scaled
from doctor.stomp_wire import EVENTS, Stomp
from model.compare import SESSIONS, Comparison
from model.permissions import may_read

ROUNDS = int(os.environ.get("DOCTOR_ROUNDS", scaled(60)))
SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))


def part(text):
    return text.replace("|", "%7C")


def told(change):
    fields = sorted(change.fields) if change.kind == "updated" else None
    return f"|{part(change.collection)}|{change.kind}|{part(change.id)}", change.id, fields


def hear(client):
    event, params = client.event()
    return (event, params["id"], sorted(params["fields"]) if "fields" in params else None), params["revision"]


def test_every_session_hears_exactly_what_the_model_says(secured):
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    comparison = Comparison(secured, chance)
    comparison.rewrite()
    listeners = {}
    for reader in (None, *SESSIONS):
        login, passcode = ("connector", secured.secret) if reader is None else ("session", reader)
        for number in range(2):
            listeners[reader, number] = Stomp(secured.stomp, login=login, passcode=passcode, version=chance.choice(["1.1", "1.2"]))
            listeners[reader, number].subscribe(chance.choice([EVENTS, "jms.topic.vdsm_responses", "jms"]))
    newest = 0
    for _ in range(ROUNDS):
        expected = {key: [] for key in listeners}
        for _ in range(chance.randint(1, 8)):
            changes = comparison.change()
            for key in listeners:
                view = comparison.view(key[0])
                expected[key] += [told(one) for one in changes if may_read(view.permissions, one.collection, one.id)]
        for key, client in listeners.items():
            heard = [hear(client) for _ in expected[key]]
            assert [event for event, _ in heard] == expected[key], f"{key} with {comparison.permissions.get(key[0])}"
            revisions = [revision for _, revision in heard]
            assert revisions == sorted(revisions) and (not revisions or revisions[0] > newest or key[0] is not None)
            newest = max([newest, *revisions]) if key == (None, 1) else newest
        comparison.allow(chance.choice(SESSIONS))
    for client in listeners.values():
        client.silent(0.1)
        client.close()


def test_nothing_that_is_forbidden_is_heard_once_an_edit_of_the_session_was_answered(secured):
    """Judged at the revision of the change: one more permission is never too early, one less never too late."""
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    session, ids = "0123456789abcdef", ["1", "2", "3", "4"]
    allowed, written = [], {}  # (revision, ids) in order; revision of a change: its document
    with secured.http() as http:
        allowed.append((http.put(f"/sessions/{session}", {"permissions": {"vm": ids}}).revision, ids))
        client = Stomp(secured.stomp, login="session", passcode=session)
        client.subscribe(EVENTS)

        def edit():
            with secured.http() as other:
                for _ in range(scaled(100)):
                    some = chance.sample(ids, chance.randint(1, 4))
                    allowed.append((other.put(f"/sessions/{session}", {"permissions": {"vm": some}}).revision, some))

        editor = threading.Thread(target=edit)
        editor.start()
        number = 0
        while editor.is_alive():
            number += 1
            id = ids[number % 4]
            answer = http.put(f"/entities/vm/{id}", {"n": number})
            if answer.json["created"] or answer.json["updated"]:
                written[answer.revision] = id
        editor.join()
        last = http.put(f"/sessions/{session}", {"permissions": {"vm": ids}}).revision
        allowed.append((last, ids))
        end = http.put("/entities/vm/1", {"n": -1}).revision
        heard = {}
        while end not in heard:
            (_, id, _), revision = hear(client)
            heard[revision] = id
        client.close()
    allowed.sort()

    def permitted(revision):
        return [some for at, some in allowed if at <= revision][-1]

    for revision, id in heard.items():
        assert id in permitted(revision), f"revision {revision} of {id} was forbidden"
        assert revision == end or written[revision] == id
    for revision, id in written.items():
        later = [some for at, some in allowed if at > revision]
        if id in permitted(revision) and all(id in some for some in later):
            assert revision in heard, f"revision {revision} of {id} is missing"
