"""The built server against the naive model: random documents, references, permissions, queries."""

import os
import random
import time

from doctor import scaled
from model.compare import Comparison, run
from model.values import Number

CASES = int(os.environ.get("DOCTOR_CASES", scaled(2000)))
SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))


def test_every_reader_gets_what_the_model_gives_him(secured):
    print(f"DOCTOR_SEED={SEED}")
    run(secured, random.Random(SEED), CASES)


def test_reverse_references_answer_alike_before_while_and_after_an_index_is_built(secured):
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    comparison = Comparison(secured, chance)
    comparison.rewrite()
    disks = [{"id": f"d{n}", "n": Number(n), "vm": comparison.generator.reference()} for n in range(5000)]
    for start in range(0, len(disks), 1000):
        comparison.write("POST", "disk", None, disks[start : start + 1000])
    queries = [
        {"select": ["id", "@[disk](id, n)"]},
        {"select": [{"many_ref": "disk", "where": {"n": {"$lt": Number(99)}}, "orderBy": "-n", "limit": Number(5)}]},
        {"select": "id", "where": {"@[disk].n": Number(77)}},
        {"select": "id", "where": {"@[disk]": {"$exists": False}}},
    ]
    until = time.monotonic() + 4
    while time.monotonic() < until:
        for query in queries:
            comparison.ask(chance.choice([None, *comparison.permissions]), "vm", query, "post")
        for _ in range(3):
            comparison.change(drops=0)
        disk = chance.choice(comparison.store.documents("disk"))
        comparison.write("PATCH", "disk", disk["id"], {"vm": comparison.generator.reference()})
    assert comparison.http.get("/entities").revision == comparison.revision, "an index made a revision"
    assert secured.stop() == 0
    secured.check()
