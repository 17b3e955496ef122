"""The file in which MQTT's state is kept may be damaged, foreign, or on a full disk: the server serves all the same."""

import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from doctor import Server, scaled
from doctor.kept import connected, set_aside
from mqtt_conformance import wire
from mqtt_conformance.wire import PUBACK

SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))


def fill(server):
    """A kept session with a queue, and retained messages."""
    away = connected(server, "away")
    away.subscribe("t", qos=1)
    away.disconnect()
    publisher = connected(server)
    for number in range(50):
        publisher.publish(f"r/{number}", str(number), qos=1, retain=True)
        publisher.publish("t", "x" * 200 * number, qos=1)
    publisher.disconnect()


def retained(server):
    reader = connected(server)
    reader.subscribe("r/#", qos=1)
    found = {m.topic: m.payload.decode() for m in reader.messages()}
    reader.disconnect()
    return found


WHOLE = {f"r/{number}": str(number) for number in range(50)}


@pytest.fixture
def stopped(server):
    """A server that has stopped, with the path of its state."""
    fill(server)
    assert server.stop() == 0
    return server, server.data / "mqtt.mdb"


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def wipe(path):
    path.write_bytes(b"")


def put_text(path):
    path.write_text("Dear server, this is not what you have written. " * 200)


def make_directory(path):
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("something of somebody's")


def put_store(path):
    shutil.copy(path.with_name("store.mdb"), path)


def put_state_of_another(path):
    with Server() as other:
        fill(other)
        other.stop()
        shutil.copy(other.data / "mqtt.mdb", path)


def damage_value(path):
    """One octet within the value of a record."""
    data = bytearray(path.read_bytes())
    data[data.rindex(b"x" * 200) + 100] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [
    cut, wipe, put_text, make_directory, put_store, put_state_of_another, damage_value], ids=lambda one: one.__name__)
def test_a_state_that_cannot_be_used_is_set_aside_loudly_and_the_server_serves(stopped, damage):
    server, path = stopped
    damage(path)
    was = None if path.is_dir() else path.read_bytes()
    mark = len(server.log)
    server.start()
    (aside,) = set_aside(server)
    assert (aside / "inside").exists() if was is None else aside.read_bytes() == was
    said = [line for line in server.log[mark:].splitlines() if "set aside" in line]
    assert len(said) == 1 and " error " in said[0] and str(aside) in said[0] and str(path) in said[0], server.log[mark:]
    assert retained(server) == {}
    connected(server, "away", resume=False).disconnect()
    # It begins anew, and what it keeps from now on is kept.
    fill(server)
    server.kill()
    server.check()
    server.start()
    assert set_aside(server) == [aside]
    assert retained(server) == WHOLE
    assert len(connected(server, "away", resume=True).messages()) == 50


def test_a_state_that_may_not_be_read_stops_the_start_and_stays_where_it_is(stopped):
    server, path = stopped
    path.chmod(0)
    # The superuser may read it all the same, unless this is taken from him.
    server.wrap = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    mark = len(server.log)
    server.launch()
    assert server.process.wait(30) == 1
    said = server.log[mark:]
    assert str(path) in said and "Permission denied" in said, said
    path.chmod(0o600)
    server.start()
    assert set_aside(server) == [] and retained(server) == WHOLE


def test_the_check_tells_of_a_damaged_state(stopped):
    server, path = stopped
    server.check()
    damage_value(path)
    with pytest.raises(AssertionError, match=re.escape(str(path))):
        server.check()


def test_random_wrong_octets_are_found_or_do_no_harm(stopped):
    print(f"DOCTOR_SEED={SEED}")
    chance, (server, path) = random.Random(SEED), stopped
    whole, found = path.read_bytes(), 0
    for _ in range(scaled(30)):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 10, 100])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        server.start()
        aside = set_aside(server)
        assert retained(server) == ({} if aside else WHOLE)
        connected(server, "away", resume=not aside, acks=False).drop()
        server.kill()
        found += len(aside)
        for one in aside:
            assert one.read_bytes() == data
            one.unlink()
    print(f"{found} found")


def test_a_state_that_is_ahead_of_its_store_is_set_aside(server):
    """As when the store, and it alone, was restored from a backup."""
    store = server.data / "store.mdb"
    with server.http() as http:
        http.put("/entities/vm/1", {"a": 1})
        server.stop()
        older = store.read_bytes()
    server.start()
    away = connected(server, "away")
    away.subscribe("vm/+", qos=1)
    away.disconnect()
    with server.http() as http:
        for number in range(10):
            http.put(f"/entities/vm/{number}", {"a": number})
    server.stop()
    store.write_bytes(older)
    server.start()
    assert len(set_aside(server)) == 1, server.log
    connected(server, "away", resume=False)


def test_a_backup_of_the_whole_directory_has_the_state_too(stopped):
    server, path = stopped
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(server.data, Path(folder) / "copy")
        with Server(data=Path(folder) / "copy") as copy:
            assert retained(copy) == WHOLE and not set_aside(copy)
            connected(copy, "away", resume=True).disconnect()


# -- a full disk ------------------------------------------------------------------------------


@pytest.fixture
def small_disk():
    """(words that run a command where there is a disk of 40 MiB, its folder, the folder seen from here).

    The disk outlives the commands: a process that sleeps keeps the namespace in which it is mounted.
    """
    folder = Path(tempfile.mkdtemp(prefix="doctor-disk-"))
    as_root = os.geteuid() == 0
    keeper = subprocess.Popen(
        ["unshare", *([] if as_root else ["--map-root-user"]), "--mount", "--propagation", "private", "sh", "-c",
         f"mount -t tmpfs -o size=40m none {folder} && echo mounted && exec sleep 600"], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout.readline() == "mounted\n", "no small file system can be made here"
    enter = ["nsenter", "--target", str(keeper.pid), "--mount", *([] if as_root else ["--user", "--preserve-credentials"])]
    yield enter, folder, Path(f"/proc/{keeper.pid}/root{folder}")
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    folder.rmdir()


def fill_disk(inside):
    with open(inside / "filler", "wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass


def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_kept_and_all_goes_on_once_there_is_room(small_disk):
    enter, folder, inside = small_disk
    with Server(data=folder / "data", wrap=enter) as server:
        away = connected(server, "away")
        away.subscribe("t", qos=1)
        away.disconnect()
        fill_disk(inside)
        publisher = connected(server)
        listener = connected(server)
        listener.subscribe("#")
        number = 0
        while number < 500:
            publisher.send(wire.publish(publisher.version, "t", "x" * 1000, 1, identifier=number + 1))
            if not (answer := publisher.receive(timeout=0.5)):
                break
            assert answer.kind == PUBACK and answer.identifier == number + 1
            number += 1
        assert number < 500, "the disk was not full"
        # QoS 0 waits for nothing, nor do documents that are read.
        publisher.publish("other", "at once", qos=0)
        found = listener.messages()
        assert found[-1].payload == b"at once" and len(found) >= number
        with server.http() as http:
            assert http.get("/readyz").status == 200
        figures = server.metrics()
        assert figures["doctor_mqtt_state_failures_total"] > 0 and figures["doctor_mqtt_state_waiting"] > 0
        told = [line for line in server.log.splitlines() if "cannot be written" in line]
        assert len(told) == 1 and " error " in told[0] and "full" in told[0], server.log
        assert not publisher.inbox

        (inside / "filler").unlink()
        assert publisher.expect(PUBACK, timeout=5).identifier == number + 1
        assert "is written again" in server.log
        server.kill()
        server.start()
        assert len(connected(server, "away", resume=True).messages()) == number + 1
        # Nor does a full disk keep the server from starting, or what is kept from being heard.
        connected(server).publish("r", "kept", qos=1, retain=True)
        fill_disk(inside)
        server.kill()
        server.start()
        assert not list((inside / "data").glob("*damaged*"))
        reader = connected(server)
        reader.subscribe("r", qos=1)
        assert reader.payloads() == ["kept"]
        (inside / "filler").unlink()
