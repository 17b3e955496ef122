"""Doctor and Mosquitto side by side under bench/mqtt_load.cpp, one process against one process."""

import json
import subprocess
import time

from data import compact, vm
from processes import Doctor, Mosquitto
from report import command_of, figures_of, median, program, row

# Neither broker drops what the other would keep.
UNBOUNDED = """[limits]
connections = 15_000
mqtt_queue_messages = 10_000_000
mqtt_queue_bytes = "2 GiB"
mqtt_inflight = 1000
"""
# Small enough that those who never read meet them.
BOUNDED = """[limits]
mqtt_queue_messages = 500
"""
NOT_YET = "not served yet"


class Brokers:
    """Both of them, freshly started; they take turns within each round."""

    def __init__(self, options, bounded=False):
        self.options = options
        self.servers = {
            "doctor": Doctor(options.binary, settings=BOUNDED if bounded else UNBOUNDED),
            "mosquitto": Mosquitto("max_queued_messages 500\n" if bounded else "max_queued_messages 0\nmax_inflight_messages 1000\n"),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.remove()

    def load(self, name, mode, **numbers):
        server = self.servers[name]
        settings = [f"{key}={value}" for key, value in numbers.items()]
        return figures_of(program(self.options, "mqtt_load", server.mqtt_port, server.process.pid, mode, *settings))

    def doctor_serves(self, figure, least):
        return self.load("doctor", "probe")[figure] >= least

    def measure(self, mode, rounds=None, **numbers):
        measured = {"doctor": [], "mosquitto": []}
        for _ in range(rounds or min(self.options.rounds, 3)):
            for name, results in measured.items():
                results.append(self.load(name, mode, **numbers))
        return Comparison(measured["doctor"], measured["mosquitto"])

    def stream(self, **numbers):
        comparison = self.measure("stream", **{"seconds": self.options.seconds, **numbers})
        comparison.check_whole()
        return comparison


class Comparison:
    def __init__(self, doctor, mosquitto):
        self.doctor, self.mosquitto = doctor, mosquitto

    def row(self, what, figure, aim="", digits=0, best=max):
        """Medians, with the best in brackets where there are several."""

        def shown(rounds):
            values = [r[figure] for r in rounds]
            text = f"{median(values):,.{digits}f}"
            return text if len(values) == 1 else f"{text} ({best(values):,.{digits}f})"

        ours, theirs = (median([r[figure] for r in rounds]) for rounds in (self.doctor, self.mosquitto))
        ratio = f"{ours / theirs:.2f}" if theirs else ""
        row(what, shown(self.doctor), shown(self.mosquitto), ratio, aim)

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

    def check_whole(self):
        """None lost, none twice."""
        for name, rounds in (("Doctor", self.doctor), ("Mosquitto", self.mosquitto)):
            lost, twice = (sum(r[figure] for r in rounds) for figure in ("lost", "twice"))
            if lost or twice:
                row(f"messages lost / delivered twice by {name}", f"{lost:,.0f} / {twice:,.0f}")


def mqtt_fan_out(options):
    """One publisher, 1000 subscribers, 64 bytes, QoS 0."""
    with Brokers(options) as brokers:
        brokers.stream(subscribers=1000, window=4).rates("MQTT 1 → 1000, window 4: deliveries", "≥ 4")
        brokers.stream(subscribers=1000, rate=50).latencies("MQTT 1 → 1000, 50 messages a second", p99="≤ 1")


def mqtt_one_to_one(options):
    """One publisher, one subscriber, 64 bytes, QoS 0."""
    with Brokers(options) as brokers:
        brokers.stream().rates("MQTT 1 → 1, as fast as it goes: messages", "≥ 5")
        brokers.stream(window=500).rates("MQTT 1 → 1, window 500: messages", "≥ 4")
        brokers.stream(window=1).latencies("MQTT ping-pong", p50="≤ 1")
        brokers.stream(rate=20_000).latencies("MQTT 1 → 1, 20 000 messages a second", p99="≤ 1")


def mqtt_acknowledged(options):
    """QoS 1 and 2, window 200, every message checked to come once."""
    with Brokers(options) as brokers:
        for qos in (1, 2):
            what = f"MQTT QoS {qos}, window 200: messages"
            if brokers.doctor_serves("maximum_qos", qos):
                brokers.stream(qos=qos, window=200).rates(what, "≥ 3")
            else:
                row(what, NOT_YET, aim="≥ 3")


def mqtt_many_to_many(options):
    """100 publishers on 100 topics: to a subscriber of each, and to one that hears them all."""
    with Brokers(options) as brokers:
        comparison = brokers.stream(topics=100, subscribers=100, window=10)
        comparison.rates("MQTT 100 → 100 on 100 topics, window 10 each: messages", "≥ 3")
        brokers.stream(topics=100, gather=1, window=1).rates("MQTT 100 → 1, window 1 each: messages")


def mqtt_idle(options):
    """Clients that connect and keep silent: how fast they get in, and what one costs."""
    clients = 2_000 if options.rounds == 1 else 10_000
    for knocking in (50, 500):
        with Brokers(options) as brokers:  # fresh: memory that was used before hides what a client takes
            comparison = brokers.measure("idle", rounds=1, clients=clients, knocking=knocking)
        comparison.row(f"MQTT {clients:,} clients connect, {knocking} at a time, seconds", "seconds", digits=2)
    comparison.row("MQTT memory of an idle client, KiB", "kib_per_client", "≤ 4 KiB", digits=1)


def mqtt_subscriptions(options):
    """A message among 100 000 subscriptions, half of them with wildcards, of which one matches."""
    with Brokers(options) as brokers:
        brokers.stream(window=500, others=100_000).rates("MQTT one of 100 000 subscriptions matches: messages")


def mqtt_retained(options):
    """100 000 retained messages, then a subscription by wildcard that brings them all."""
    with Brokers(options) as brokers:
        if not brokers.doctor_serves("retain_available", 1):
            return row("MQTT 100 000 retained messages, then `#`, ms", NOT_YET)
        comparison = brokers.measure("retained", rounds=1, messages=100_000)
    comparison.row("MQTT 100 000 retained messages, then `#`, ms", "ms")
    comparison.row("MQTT memory of a retained message of 64 bytes, KiB", "kib_per_message", digits=2)


def mqtt_stalled(options):
    """10 of 100 subscribers never read; queues are bounded at 500 messages."""
    for stalled in (0, 10):
        with Brokers(options, bounded=True) as brokers:
            comparison = brokers.stream(subscribers=100, stalled=stalled, rate=500, size=4096, seconds=4)
            if stalled:
                row("MQTT messages dropped for subscribers that never read", f"{dropped(brokers.servers['doctor']):,.0f}")
        comparison.latencies(f"MQTT 100 subscribers, {stalled} never read, 500 × 4 KiB a second: the others")


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
    for _ in range(min(options.rounds, 3)):
        doctor = Doctor(options.binary, settings=UNBOUNDED)
        sessions = [{"id": f"bench-{n}", "permissions": allowed} for n, allowed in enumerate(permissions)]
        doctor.request("PUT", "/sessions", json.dumps(sessions))
        command = command_of(options, "mqtt_load", doctor.mqtt_port, doctor.process.pid, "hear",
                             f"subscribers={len(sessions)}", f"expected={expected}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hearing:
            assert hearing.stdout.readline() == "ready\n"
            began = time.monotonic_ns()
            doctor.request("PUT", "/entities/vm", body)
            figures = figures_of(hearing.stdout.read())
        if figures["arrived"] != expected:
            raise SystemExit(f"{figures['arrived']:.0f} of {expected} announcements arrived")
        rounds.append((figures["from_first_to_last_ms"], (figures["last_at_ns"] - began) / 1e6))
        doctor.remove()
    heard, all_of_it = (median(column) for column in zip(*rounds))
    row(f"a commit of {documents:,} documents to 100 sessions ({expected:,} messages), from the first to the last heard, ms",
        f"{heard:.0f}")
    row("the same from the request to the last heard, ms", f"{all_of_it:.0f}")


WORKLOADS = (mqtt_fan_out, mqtt_one_to_one, mqtt_acknowledged, mqtt_many_to_many, mqtt_idle, mqtt_subscriptions,
             mqtt_retained, mqtt_stalled, mqtt_commit)
