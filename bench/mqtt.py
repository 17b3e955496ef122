"""Doctor and Mosquitto side by side under bench/mqtt_load, one process against one process."""

import json
import subprocess
import time

from data import compact, vm
from processes import Doctor, Mosquitto
from report import command_of, figures_of, judged, median, program, row

# Neither broker drops what the other would keep.
UNBOUNDED = """[limits]
connections = 15_000
mqtt_queue_messages = 10_000_000
mqtt_queue_bytes = "2 GiB"
mqtt_inflight = 1000
mqtt_retained_messages = 1_000_000
mqtt_retained_bytes = "1 GiB"
"""
# Small enough that those who never read meet them.
BOUNDED = """[limits]
mqtt_queue_messages = 500
"""


def rounds_of(options):
    return min(options.rounds, 3)


class Brokers:
    """Both of them, freshly started; they take turns within each round.

    bounded: with queues that subscribers who never read do fill. persistent: Mosquitto may keep sessions on disk, as
    Doctor does anyway.
    """

    def __init__(self, options, bounded=False, persistent=False):
        self.options = options
        queues = "max_queued_messages 500\n" if bounded else "max_queued_messages 0\nmax_inflight_messages 1000\n"
        self.servers = {
            "doctor": Doctor(options.binary, settings=BOUNDED if bounded else UNBOUNDED),
            "mosquitto": Mosquitto(queues, persistent),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.remove()

    def load(self, name, mode, **numbers):
        server = self.servers[name]
        settings = [f"{key}={value}" for key, value in numbers.items()]
        figures = figures_of(program(self.options, "mqtt_load", server.mqtt_port, server.process.pid, mode, *settings))
        if figures.get("per_cpu_second"):
            figures["cpu_us"] = 1e6 / figures["per_cpu_second"]
        return figures

    def measure(self, mode, rounds=None, **numbers):
        comparison = Comparison()
        for _ in range(rounds or rounds_of(self.options)):
            comparison.add({name: self.load(name, mode, **numbers) for name in self.servers})
        return comparison

    def stream(self, **numbers):
        return self.measure("stream", **{"seconds": self.options.seconds, **numbers})


class Comparison:
    """The figures of both, a dictionary for each round."""

    def __init__(self):
        self.doctor, self.mosquitto = [], []

    def add(self, figures):
        self.doctor.append(figures["doctor"])
        self.mosquitto.append(figures["mosquitto"])

    def row(self, what, figure, aim="", digits=0, best=max, aim_is_of_ratio=True):
        """Medians, with the best in brackets where there are several."""

        def shown(rounds):
            values = [r[figure] for r in rounds]
            text = f"{median(values):,.{digits}f}"
            return text if len(values) == 1 else f"{text} ({best(values):,.{digits}f})"

        ours, theirs = (median([r[figure] for r in rounds]) for rounds in (self.doctor, self.mosquitto))
        ratio = ours / theirs if theirs else 0
        aim = judged(aim, ratio if aim_is_of_ratio else ours)
        row(what, shown(self.doctor), shown(self.mosquitto), f"{ratio:.2f}" if theirs else "", aim)

    def rates(self, what, aim=""):
        self.row(f"{what}, a second", "per_second", aim)
        self.row(f"{what}, a CPU second of the broker", "per_cpu_second", aim)
        for name, rounds in (("Doctor", self.doctor), ("Mosquitto", self.mosquitto)):
            own, broker = (median([r[figure] for r in rounds]) for figure in ("load_share", "broker_share"))
            if own > broker:
                print(f"  note: the load took more CPU time than {name}: {own:.2f} against {broker:.2f}", flush=True)

    def latencies(self, what, p50="", p99=""):
        self.row(f"{what}, p50 µs", "p50_us", p50, best=min)
        self.row(f"{what}, p99 µs", "p99_us", p99, best=min)

    def counted(self, what):
        """Every delivery that should have been was counted: how many were lost, how many came twice."""

        def shown(rounds):
            lost, twice, arrived = (sum(r[figure] for r in rounds) for figure in ("lost", "twice", "arrived"))
            return f"{lost:,.0f} / {twice:,.0f} of {arrived + lost:,.0f}"

        row(f"{what}, lost / twice", shown(self.doctor), shown(self.mosquitto))


def mqtt_fan_out(options):
    """One publisher, 1000 subscribers, 64 bytes, QoS 0."""
    with Brokers(options) as brokers:
        what = "MQTT 1 → 1000, window 4: deliveries"
        comparison = brokers.stream(subscribers=1000, window=4)
        comparison.rates(what, "≥ 4")
        comparison.counted(what)
        brokers.stream(subscribers=1000, rate=50).latencies("MQTT 1 → 1000, 50 messages a second", p99="≤ 1")


def mqtt_one_to_one(options):
    """One publisher, one subscriber, 64 bytes, QoS 0."""
    with Brokers(options) as brokers:
        what = "MQTT 1 → 1, as fast as it goes: messages"
        comparison = brokers.stream()
        comparison.rates(what, "≥ 5")
        comparison.counted(what)
        brokers.stream(window=500).rates("MQTT 1 → 1, window 500: messages", "≥ 4")
        brokers.stream(window=1).latencies("MQTT ping-pong", p50="≤ 1")
        brokers.stream(rate=20_000).latencies("MQTT 1 → 1, 20 000 messages a second", p99="≤ 1")


def acknowledged(options, persistent, aim):
    with Brokers(options, persistent=persistent) as brokers:
        for qos in (1, 2):
            sessions = ", sessions that outlive their connections" if persistent else ""
            what = f"MQTT QoS {qos}, window 200{sessions}: messages"
            comparison = brokers.stream(qos=qos, window=200, persistent=int(persistent))
            comparison.rates(what, aim)
            comparison.counted(what)


def mqtt_acknowledged(options):
    """QoS 1 and 2, window 200, sessions that end with their connections; every message is counted."""
    acknowledged(options, persistent=False, aim="≥ 3")


def mqtt_persistent(options):
    """QoS 1 and 2, window 200, persistent sessions: what Doctor keeps survives a SIGKILL, what Mosquitto keeps does not."""
    doctor = Doctor(options.binary)
    flushes = [float(program(options, "raw_fdatasync", doctor.directory, options.seconds)) for _ in range(rounds_of(options))]
    row("what the disk of the next rows flushes in a second (raw fdatasync)", f"{median(flushes):,.0f}")
    doctor.remove()
    acknowledged(options, persistent=True, aim="")


def mqtt_many_to_many(options):
    """100 publishers on 100 topics: to a subscriber of each, and to one that hears them all."""
    with Brokers(options) as brokers:
        what = "MQTT 100 → 100 on 100 topics, window 10 each: messages"
        comparison = brokers.stream(topics=100, subscribers=100, window=10)
        comparison.rates(what, "≥ 3")
        comparison.counted(what)
        brokers.stream(topics=100, gather=1, window=1).rates("MQTT 100 → 1, window 1 each: messages")


def mqtt_idle(options):
    """Clients that connect and keep silent: how fast they get in, and what one costs."""
    clients = 2_000 if options.rounds == 1 else 10_000
    # Mosquitto's backlog of 100 makes it take a minute and a half for 500 at a time: once will do.
    for knocking, rounds in ((50, rounds_of(options)), (500, 1)):
        comparison = Comparison()
        for _ in range(rounds):
            with Brokers(options) as brokers:  # fresh: memory that was used before hides what a client takes
                comparison.add({name: brokers.load(name, "idle", clients=clients, knocking=knocking) for name in brokers.servers})
        comparison.row(f"MQTT {clients:,} clients connect, {knocking} at a time, seconds", "seconds", digits=2, best=min)
        if knocking == 50:
            comparison.row("MQTT memory of an idle client, KiB", "kib_per_client", "≤ 4 KiB", digits=1, best=min, aim_is_of_ratio=False)


def mqtt_subscriptions(options):
    """A message that one subscription matches, alone and among 100 000 others, half of them with wildcards."""
    with Brokers(options) as brokers:
        for others in (0, 100_000):
            comparison = brokers.stream(window=500, others=others)
            comparison.row(f"MQTT one of {1 + others:,} subscriptions matches: messages, a second", "per_second")
            comparison.row(f"MQTT one of {1 + others:,} subscriptions matches: CPU µs of the broker for a message", "cpu_us", digits=2, best=min)


def mqtt_retained(options):
    """100 000 retained messages, then a subscription by wildcard that brings them all."""
    messages = 10_000 if options.rounds == 1 else 100_000
    comparison = Comparison()
    for _ in range(rounds_of(options)):
        with Brokers(options) as brokers:
            comparison.add({name: brokers.load(name, "retained", messages=messages) for name in brokers.servers})
    what = f"MQTT {messages:,} retained messages, then a wildcard"
    comparison.row(f"{what}, ms", "ms", best=min)
    comparison.row(f"{what}: CPU µs of the broker for a message", "cpu_us", digits=2, best=min)
    comparison.counted(what)
    comparison.row("MQTT memory of a retained message of 64 bytes, KiB", "kib_per_message", digits=2, best=min)


def mqtt_stalled(options):
    """10 of 100 subscribers never read; queues are bounded at 500 messages."""
    for stalled in (0, 10):
        what = f"MQTT 100 subscribers, {stalled} never read, 500 × 4 KiB a second: the others"
        with Brokers(options, bounded=True) as brokers:
            comparison = brokers.stream(subscribers=100, stalled=stalled, rate=500, size=4096, seconds=4)
            if stalled:
                row("MQTT messages dropped for subscribers that never read", f"{dropped(brokers.servers['doctor']):,.0f}")
        comparison.latencies(what)
        comparison.counted(what)


def dropped(doctor):
    metrics = doctor.request("GET", "/metrics").decode().splitlines()
    return sum(float(line.split()[1]) for line in metrics if "dropped" in line and 'queue_full' in line)


def mqtt_commit(options):
    """A commit of 10 000 created documents, heard by 100 sessions with different permissions."""
    documents = 10_000
    permissions = (
        [{"vm": "*"}] * 50
        + [{"vm": [f"vm-{m}" for m in range(n, documents, 10)]} for n in range(10)] * 3
        + [{"cluster": "*"}] * 20
    )
    expected = 50 * documents + 30 * documents // 10
    body = compact([vm(n, "cl-1") for n in range(documents)])
    rounds = []
    for _ in range(rounds_of(options)):
        doctor = Doctor(options.binary, settings=UNBOUNDED)
        sessions = [{"id": f"bench-{n}", "permissions": allowed} for n, allowed in enumerate(permissions)]
        doctor.request("PUT", "/sessions", json.dumps(sessions))
        command = command_of(options, "mqtt_load", doctor.mqtt_port, doctor.process.pid, "hear",
                             f"subscribers={len(sessions)}", f"expected={expected}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hearing:
            assert hearing.stdout.readline() == "ready\n"
            asked = time.monotonic_ns()
            doctor.request("PUT", "/entities/vm", body)
            answered = time.monotonic_ns()
            figures = figures_of(hearing.stdout.read())
        if figures["arrived"] != expected:
            raise SystemExit(f"{figures['arrived']:.0f} of {expected} announcements arrived")
        first, last = figures["first_at_ns"], figures["last_at_ns"]
        rounds.append({"asked_answered": answered - asked, "answered_first": first - answered, "answered_last": last - answered,
                       "first_last": last - first})
        doctor.remove()
    for figure, words in (("asked_answered", "from the request to its answer"), ("answered_first", "from the answer to the first heard"),
                          ("answered_last", "from the answer to the last heard"), ("first_last", "from the first to the last heard")):
        times = [r[figure] / 1e6 for r in rounds]
        row(f"a commit of {documents:,} documents to 100 sessions ({expected:,} messages), {words}, ms",
            f"{median(times):.0f} ({min(times):.0f})")


WORKLOADS = (mqtt_fan_out, mqtt_one_to_one, mqtt_acknowledged, mqtt_persistent, mqtt_many_to_many, mqtt_idle,
             mqtt_subscriptions, mqtt_retained, mqtt_stalled, mqtt_commit)
