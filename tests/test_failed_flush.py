"""A disk that fails to flush: nothing more is written until a restart, everything else goes on, and nothing is lost.

The failure is a real server's: what makes it is preloaded before the C library (doctor/failing_flush.c).
"""

import subprocess
import threading
from pathlib import Path

import pytest

from doctor import Server
from doctor.mqtt import Mqtt


@pytest.fixture
def faulty(tmp_path):
    """A server whose flushes fail while the file that is given with it exists."""
    source, library, switch = Path(__file__).parent / "doctor/failing_flush.c", tmp_path / "failing_flush.so", tmp_path / "fails"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library, source], check=True)
    server = Server(data=tmp_path / "data", env={"LD_PRELOAD": str(library), "FAILING_FLUSH": str(switch)})
    with server:
        yield server, switch


def test_after_a_failed_flush_writes_are_503_reads_go_on_and_a_restart_has_all_that_was_acknowledged(faulty):
    server, switch = faulty
    with server.http() as http:
        for n in range(20):
            assert http.put(f"/entities/vm/{n}", {"n": n}).status == 201
        assert http.post("/sessions", {"id": "a-session-of-the-test"}).status == 201
        before = http.get("/entities/vm")
        listener = Mqtt(server.mqtt, version=5)
        assert listener.subscribe("#") == [0]
        assert http.get("/readyz").status == 200
        assert server.metrics()["doctor_store_takes_writes"] == 1

        # Several at a time: whoever shares the flush shares its failure.
        switch.touch()
        answers = {}

        def write(name):
            with server.http() as mine:
                answers[name] = mine.post("/entities/vm", [{"id": f"lost-{name}-{n}", "n": n} for n in range(50)])

        writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(30)
        assert len(answers) == 8
        for answer in answers.values():
            assert answer.status == 503, answer
            assert "no more writes" in answer.json["detail"] and answer["Retry-After"], answer

        # The disk is well again, but what is on it is not known.
        switch.unlink()
        refused = [
            http.put("/entities/vm/more", {"n": 1}), http.patch("/entities/vm/1", {"n": 100}), http.delete("/entities/vm/1"),
            http.delete("/entities/vm"), http.put("/entities/other", [{"id": "a"}]), http.delete("/sessions/a-session-of-the-test"),
        ]
        assert [answer.status for answer in refused] == [503] * len(refused), refused

        # Reads go on as if nothing had been, and nobody heard of what is not there.
        after = http.get("/entities/vm")
        assert (after.json, after.revision) == (before.json, before.revision)
        assert http.get("/entities/vm/more").status == 404
        assert len(http.get("/sessions").json) == 1
        assert listener.hear(0.3) is None
        listener.close()

        # And it says so.
        assert http.get("/healthz").status == 200
        ready = http.get("/readyz")
        assert ready.status == 503 and "start Doctor again" in ready.body.decode(), ready
        assert server.metrics()["doctor_store_takes_writes"] == 0
        assert "takes no more writes until Doctor is started again" in server.log

    assert server.stop() == 0
    server.check()
    server.start()
    with server.http() as http:
        again = http.get("/entities/vm")
        assert (again.json, again.revision) == (before.json, before.revision)
        assert len(http.get("/sessions").json) == 1
        assert server.metrics()["doctor_store_takes_writes"] == 1
        written = http.put("/entities/vm/more", {"n": 1})
        assert written.status == 201 and written.revision == before.revision + 1
        assert http.delete("/entities/vm/1").status == 204
