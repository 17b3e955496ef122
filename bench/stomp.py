"""Doctor, RabbitMQ and ActiveMQ under bench/stomp_load, one process each: the peer of a row is the better of the two."""

from processes import ActiveMq, Doctor, RabbitMq
from report import figures_of, judged, median, program, row


def stomp_fan_out(options):
    """One publisher, 100 subscribers, messages of 1 KiB."""
    servers = {"Doctor": Doctor(options.binary), "RabbitMQ": RabbitMq(), "ActiveMQ": ActiveMq()}
    try:
        for name, server in servers.items():  # virtual machines compile what is used
            load(options, server, seconds=options.seconds, window=4)
        what = "STOMP 1 → 100, 1 KiB, window 4: deliveries"
        rounds = measured(options, servers, window=4)
        compare(f"{what}, a second", rounds, "per_second", "≥ 3")
        compare(f"{what}, a CPU second of the broker", rounds, "per_cpu_second")
        counted(what, rounds)
        rounds = measured(options, servers, rate=50)
        what = "STOMP 1 → 100, 1 KiB, 50 messages a second"
        compare(f"{what}, p50 µs", rounds, "p50_us", "≤ 1", best=min)
        compare(f"{what}, p99 µs", rounds, "p99_us", "≤ 1", best=min)
    finally:
        for server in servers.values():
            server.remove()


def load(options, server, **numbers):
    settings = [f"{key}={value}" for key, value in {"subscribers": 100, **numbers}.items()]
    return figures_of(program(options, "stomp_load", server.stomp_port, server.broker_pid(), "stream", *settings))


def measured(options, servers, **numbers):
    """By server, the figures of each round; they take turns within a round."""
    rounds = {name: [] for name in servers}
    for _ in range(min(options.rounds, 3)):
        for name, server in servers.items():
            rounds[name].append(load(options, server, seconds=options.seconds, **numbers))
    return rounds


def compare(what, rounds, figure, aim="", best=max):
    medians = {name: median([r[figure] for r in of]) for name, of in rounds.items()}
    ours = medians.pop("Doctor")
    peer = best(medians, key=medians.get)
    shown = ", ".join(f"{name} {value:,.0f}" for name, value in sorted(medians.items(), key=lambda m: m[0] != peer))
    ratio = ours / medians[peer]
    row(what, f"{ours:,.0f}", shown, f"{ratio:.2f}", judged(aim, ratio))


def counted(what, rounds):
    def shown(name):
        lost, twice, arrived = (sum(r[figure] for r in rounds[name]) for figure in ("lost", "twice", "arrived"))
        return f"{lost:,.0f} / {twice:,.0f} of {arrived + lost:,.0f}"

    row(f"{what}, lost / twice", shown("Doctor"), ", ".join(f"{n} {shown(n)}" for n in rounds if n != "Doctor"))


RULE = """[[events.rule]]
events = "*|virt|VM_status|*"
collection = "vm"
id = "{unique_id}"
take = "params.{unique_id}"
create = true
"""


def event_to_document(options):
    """From an event on the wire to the MQTT message about the document that it changed."""
    doctor = Doctor(options.binary, settings=RULE)
    times, raw = [], []
    for _ in range(options.rounds):
        raw.append(float(program(options, "raw_fdatasync", doctor.directory, options.seconds)))
        printed = program(options, "event_latency", doctor.stomp_port, doctor.mqtt_port, 2_000)
        times.append([float(n) for n in printed.split()])
    p50, p99 = (median(column) for column in zip(*times))
    two_flushes = 2e6 / median(raw)
    row("from an event to the MQTT message about its document, p50 / p99 µs, against two flushes of the disk",
        f"{p50:.0f} / {p99:.0f}", f"{two_flushes:.0f}", f"+{p50 - two_flushes:.0f} µs")
    doctor.remove()


WORKLOADS = (stomp_fan_out, event_to_document)
