"""Killed at any instant, the broker loses no message at QoS 1 and 2, and gives none twice at QoS 2.

Clients that hold to the standard publish, read and go on with their sessions while the server is
killed (SIGKILL) at random moments and started again. DOCTOR_KILLS sets how often.
"""

import os
import random
import threading
import time
from collections import Counter

from doctor import Server, scaled
from doctor.kept import set_aside
from mqtt_conformance import wire
from mqtt_conformance.client import Client, Closed, Stream
from mqtt_conformance.wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, V311

KILLS = int(os.environ.get("DOCTOR_KILLS", scaled(15)))
SEED = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
WINDOW = 20
AHEAD = 2000  # messages of a publisher that the slowest subscriber has not heard: its queue is not the matter here


class Kept(threading.Thread):
    """A client that keeps its session and comes back whenever the connection ends, until told to end."""

    def __init__(self, server, name, version):
        super().__init__(daemon=True)
        self.server, self.name, self.version = server, name, version
        self.began, self.ending, self.wrong = threading.Event(), threading.Event(), None
        self.client = None

    def run(self):
        try:
            while not self.done():
                try:
                    self.come_back()
                    while not self.done():
                        self.work()
                except (OSError, Closed):
                    time.sleep(0.002)
                except wire.NotConformant as cut:
                    if "within a packet" not in str(cut):  # as a kill may cut it
                        raise
        except Exception as wrong:  # told by the test, in whose thread it is
            self.wrong = wrong

    def come_back(self):
        first = not self.began.is_set()
        self.client = Client(Stream(("127.0.0.1", self.server.mqtt)), self.version)
        more = {"receive_maximum": WINDOW} if self.version == V5 else {}
        answer = self.client.connect(self.name, clean=first, keep=True, acks=False, **more)
        assert answer.reason == 0, answer
        assert first or answer.session_present, f"{self.name} has lost its session"
        self.again()
        self.began.set()

    def packets(self):
        """What comes within some milliseconds."""
        packet = self.client.receive(0.01)
        while packet:
            yield packet
            packet = self.client.receive(0)

    def end(self):
        self.ending.set()
        self.join(60)
        assert not self.is_alive(), f"{self.name} has not come to its end: {vars(self)}"
        assert not self.wrong, f"{self.name}: {self.wrong!r}"


class Publisher(Kept):
    """Publishes 0, 1, 2, ... at one QoS, some at a time; whatever is not acknowledged it sends again."""

    def __init__(self, server, name, version, qos, subscribers):
        super().__init__(server, name, version)
        self.subscribers = subscribers
        self.qos, self.next, self.under_way, self.repeated = qos, 0, {}, set()
        self.identifier = 0

    def done(self):
        return self.ending.is_set() and not self.under_way

    def again(self):
        for identifier, (number, released) in self.under_way.items():
            if released:
                self.client.send(wire.acknowledge(PUBREL, identifier))
            else:
                self.repeated.add(number)
                self.send(number, identifier, dup=True)

    def send(self, number, identifier, dup=False):
        self.client.send(wire.publish(self.version, f"t/{self.name}", str(number), self.qos, dup=dup, identifier=identifier))

    def work(self):
        heard = min(one.newest[f"t/{self.name}"] for one in self.subscribers)
        while len(self.under_way) < WINDOW and self.next < heard + AHEAD and not self.ending.is_set():
            self.identifier = self.identifier % 65535 + 1
            if self.identifier in self.under_way:
                break
            self.under_way[self.identifier] = (self.next, False)
            self.next += 1
            self.send(self.next - 1, self.identifier)
        for packet in self.packets():
            assert packet.kind in (PUBACK, PUBREC, PUBCOMP), packet
            if packet.kind == PUBREC:
                assert packet.identifier in self.under_way and not packet.reason, packet
                self.under_way[packet.identifier] = (self.under_way[packet.identifier][0], True)
                self.client.send(wire.acknowledge(PUBREL, packet.identifier))
            else:
                assert self.under_way.pop(packet.identifier, None), f"{packet} acknowledges nothing"


class Subscriber(Kept):
    """Notes (topic, payload or revision, DUP) of what it hears, at QoS 2 each exchange once."""

    def __init__(self, server, name, version, qos, chance):
        super().__init__(server, name, version)
        self.qos, self.chance, self.heard, self.open = qos, chance, [], set()
        self.newest = Counter()  # by topic, of the publishers

    def done(self):
        return self.ending.is_set()

    def again(self):
        if not self.began.is_set():
            self.client.subscribe("t/#", "vm/+", qos=self.qos)

    def work(self):
        for packet in self.packets():
            if packet.kind == PUBREL:
                self.open.discard(packet.identifier)
                self.client.send(wire.acknowledge(PUBCOMP, packet.identifier))
                continue
            assert packet.kind == PUBLISH and packet.qos, packet
            if packet.identifier not in self.open:
                self.note(packet)
            if self.qos == 2 and packet.qos == 2:
                self.open.add(packet.identifier)
            self.client.acknowledge(packet)
            if self.chance.random() < 0.01:
                self.client.drop()
                raise Closed("by ourselves")

    def note(self, packet):
        revision = dict(packet.user).get("revision")
        what = packet.payload.decode() if packet.topic.startswith("t/") else f"{packet.payload.decode()} at {revision}"
        self.heard.append((packet.topic, what, packet.dup))
        if packet.topic.startswith("t/"):
            self.newest[packet.topic] = int(what)

    def of(self, topic):
        return [(what, dup) for found, what, dup in self.heard if found == topic]


class Writer(threading.Thread):
    """Puts one document after another, and notes what was answered."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ending, self.number, self.acknowledged = server, threading.Event(), 0, 0

    def run(self):
        http = None
        while not self.ending.is_set():
            try:
                http = http or self.server.http(timeout=5)
                self.number += 1
                assert http.put(f"/entities/vm/{self.number}", {"a": 1}).status == 201
                self.acknowledged += 1
            except OSError:
                http = None
                time.sleep(0.002)


def until(true, patience=30):
    by = time.monotonic() + patience
    while not true() and time.monotonic() < by:
        time.sleep(0.02)


def test_a_broker_killed_at_any_instant_loses_nothing_and_gives_nothing_twice_at_qos_2():
    print(f"DOCTOR_SEED={SEED}")
    chance = random.Random(SEED)
    server = Server()
    try:
        server.start()
        subscribers = [Subscriber(server, f"hears {version} at {qos}", version, qos, random.Random(chance.random()))
                       for version in (V311, V5) for qos in (1, 2)]
        publishers = [Publisher(server, f"says {version} at {qos}", version, qos, subscribers)
                      for version in (V311, V5) for qos in (1, 2)]
        writer = Writer(server)
        for one in subscribers:
            one.start()
        assert all(one.began.wait(20) for one in subscribers), [one.wrong for one in subscribers]
        for one in [*publishers, writer]:
            one.start()
        assert all(one.began.wait(20) for one in publishers), [one.wrong for one in publishers]
        for _ in range(KILLS):
            time.sleep(chance.choice([0.01, 0.1, 0.4]) * chance.random())
            server.kill()
            server.start()
            assert not set_aside(server)
        writer.ending.set()
        writer.join(20)
        for publisher in publishers:
            publisher.end()
        with server.http() as http:
            documents = [document["id"] for document in http.query("/entities/vm", {"select": "id"}).json]
        expected = {f"t/{publisher.name}": [str(number) for number in range(publisher.next)] for publisher in publishers}

        def whole(subscriber):
            found = Counter(topic for topic, _ in {(topic, what) for topic, what, _ in subscriber.heard})
            return all(found[topic] >= len(all_of) for topic, all_of in expected.items()) and all(
                found[f"vm/{one}"] for one in documents)

        for subscriber in subscribers:
            until(lambda: whole(subscriber) or subscriber.wrong)
        time.sleep(0.3)  # for what may come once too often
        for subscriber in subscribers:
            subscriber.end()
        for subscriber in subscribers:
            for publisher in publishers:
                found = subscriber.of(f"t/{publisher.name}")
                what = f"{subscriber.name} of {publisher.name}"
                assert list(dict.fromkeys(number for number, _ in found)) == expected[f"t/{publisher.name}"], what
                for number, times in Counter(number for number, _ in found).items():
                    if times == 1:
                        continue
                    qos = min(publisher.qos, subscriber.qos)
                    assert qos == 1, f"{what}: {number} came {times} times"
                    new = [dup for one, dup in found if one == number].count(False)
                    assert new <= 1 or (publisher.qos == 1 and int(number) in publisher.repeated), (
                        f"{what}: {number} came again without DUP")
            for one in documents:
                found = subscriber.of(f"vm/{one}")
                assert found, f"{subscriber.name} has not heard of vm/{one}"
                assert len(found) == 1 or (subscriber.qos == 1 and [dup for _, dup in found].count(False) <= 1), (
                    f"{subscriber.name} heard of vm/{one}: {found}")
            order = list(dict.fromkeys(topic for topic, _, _ in subscriber.heard if topic.startswith("vm/")))
            assert order == [f"vm/{one}" for one in documents], f"{subscriber.name} heard of documents out of order"
        assert server.stop() == 0
        server.check()
        print(f"{KILLS} kills, {sum(len(one.heard) for one in subscribers)} messages heard, "
              f"{sum(dup for one in subscribers for _, _, dup in one.heard)} of them again")
        assert len(documents) > KILLS and all(publisher.next > KILLS for publisher in publishers), "hardly anything happened"
    except BaseException:
        print("---- log of the server ----\n" + server.log[-20000:])
        raise
    finally:
        server.kill()
        server.remove()
