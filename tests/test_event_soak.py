"""Events under bad conditions: publishers and subscribers of the client library, and a proxy that cuts and stalls them.

DOCTOR_SOAK_SECONDS makes it last longer; DOCTOR_SEED repeats a run's choices.
"""

import os
import pathlib
import random
import subprocess

from doctor import Server, scaled

SEED = int(os.environ.get("DOCTOR_SEED", random.randrange(2**32)))


def soak(server, **settings):
    program = pathlib.Path(os.environ.get("DOCTOR_BIN", "build/release/doctor")).with_name("event_soak")
    seconds = int(os.environ.get("DOCTOR_SOAK_SECONDS", 10))
    settings = {"seconds": seconds, "rate": max(200, scaled(1000)), "seed": SEED, **settings}
    done = subprocess.run([program, str(server.stomp), *(f"{name}={value}" for name, value in settings.items())],
                          capture_output=True, text=True, timeout=seconds + 300)
    print(f"DOCTOR_SEED={SEED}", done.stdout, done.stderr)
    assert done.returncode == 0


def test_every_subscriber_hears_what_it_asked_for_or_is_told_what_it_lost(server):
    soak(server)


def test_those_for_whom_the_server_has_no_room_are_told_how_much_they_lost():
    with Server(config="limits.stomp_outbox_frames = 20\n") as server:
        # More than the system's own buffers take. By chance all stalled connections may be cut before a queue is full:
        # not so with this seed.
        soak(server, rate=200, size=20_000, stall=5000, seed=7)
        assert server.metrics()['doctor_stomp_dropped_total{cause="queue_full"}'] > 0
