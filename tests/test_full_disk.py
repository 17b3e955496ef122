"""A full disk refuses writes and nothing else. The disk is a small file system made for the test."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from doctor import Server

MIB = 1 << 20


@pytest.fixture
def small_disk():
    """A folder on a file system of 40 MiB, mounted by a process in a mount namespace of its own.

    The server is started inside that namespace; /proc/PID/root shows it to the test.
    """
    folder = Path(tempfile.mkdtemp(prefix="doctor-disk-"))
    as_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    enter = ["unshare", *as_user, "--mount", "--propagation", "private", "sh", "-c",
             f'mount -t tmpfs -o size=40m none {folder} && exec "$@"', "sh"]
    tried = subprocess.run([*enter, "true"], capture_output=True, text=True)
    assert tried.returncode == 0, f"no small file system can be made here, neither as root nor in a user namespace: {tried.stderr}"
    yield enter, folder
    folder.rmdir()


def test_writes_are_refused_with_507_reads_and_deletes_go_on_and_room_makes_writes_work_again(small_disk):
    enter, folder = small_disk
    with Server(data=folder / "data", wrap=enter, config="[store]\nreserve = \"4 MiB\"\n") as server, server.http() as http:
        big = {"pad": "x" * MIB}
        assert http.put("/entities/kept/1", {"a": 1}).status == 201
        number, answer = 0, None
        while number < 60:
            answer = http.put(f"/entities/vm/{number}", big)
            if answer.status != 201:
                break
            number += 1
        assert answer.status == 507 and 5 < number < 45, answer
        assert "doctor" in answer["Content-Type"] or answer.json["detail"]
        revision = http.get("/entities").revision
        for _ in range(3):
            assert http.put("/entities/vm/more", big).status == 507
            assert http.post("/entities/vm", [{"id": "m1", **big}, {"id": "m2", **big}]).status == 507
            assert http.get("/entities/kept/1").json == {"id": "1", "a": 1}
            assert len(http.query("/entities/vm", {"select": "id"}).json) == number
        assert http.get("/entities").revision == revision
        assert http.get("/readyz").status == 200
        for one in range(number // 2):
            assert http.delete(f"/entities/vm/{one}").status == 204, "a delete was refused"
        assert http.put("/entities/vm/again", big).status == 201
        assert http.patch("/entities/kept/1", {"a": 2}).status == 200
        server.kill()
        # The namespace went with the process; what it held is gone too: a store that survives is the kill test's matter.


def test_deletes_work_on_a_disk_filled_by_others(small_disk):
    enter, folder = small_disk
    with Server(data=folder / "data", wrap=enter) as server, server.http() as http:
        http.put("/entities/vm", [{"id": str(n), "pad": "x" * 10_000} for n in range(500)])
        inside = Path(f"/proc/{server.pid}/root{folder}")
        filler = inside / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65536):
                    pass
            except OSError:
                pass
        refused = 0
        for n in range(300):
            refused += http.put(f"/entities/more/{n}", {"pad": "x" * 100_000}).status == 507
        assert refused > 0
        assert http.get("/entities/vm/1").status == 200
        for n in range(100):
            assert http.delete(f"/entities/vm/{n}").status == 204
        filler.unlink()
        assert http.put("/entities/more/x", {"pad": "x" * 100_000}).status == 201
