#!/usr/bin/python3
"""make bench: Doctor and its peers side by side in one run, and a table of ratios.

  bench/run.py [--quick] [--only NAME ...] [--binary build/release/doctor] [--programs build/bench/bench]

Peers take turns with Doctor within each round; the table gives medians. --quick makes rounds short:
good for seeing that all of it runs, not for quoting.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
import urllib.parse

import mqtt
import stomp
from data import compact, inventory, vm
from processes import Doctor, Nginx, Server, free_port
from report import figures_of, judged, median, program, row, table

def wrk(server, target, seconds, connections=32, script=None):
    """Requests per CPU second of the server, and requests per second."""
    before = server.cpu_seconds()
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *(["-s", script] if script else []),
         f"http://127.0.0.1:{server.port}{target}"],
        check=True, capture_output=True, text=True,
    ).stdout
    spent = server.cpu_seconds() - before
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    requests = int(next(line for line in out.splitlines() if " requests in " in line).split()[0])
    return requests / spent, requests / seconds


def get_small(options):
    """GET of one document of about 300 bytes: the same one, and one of 10 000."""
    documents = [vm(n, "cl-49") for n in range(10_000)]
    doctor = Doctor(options.binary)
    doctor.request("PUT", "/entities/vm", compact(documents))
    body = compact(documents[7])
    one_of_many = str(pathlib.Path(__file__).with_name("one_of_many.lua"))
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(body)
        file.flush()
        port = free_port()
        bare = Server([options.programs + "/bare_epoll", str(port), file.name], port)
        nginx = Nginx(body)
        servers = {
            "doctor": (doctor, "/entities/vm/vm-7"),
            "any": (doctor, "/", one_of_many),
            "bare": (bare, "/x"),
            "nginx": (nginx, "/x"),
        }
        per_cpu = {name: [] for name in servers}
        for _ in range(options.rounds):
            for name, (server, target, *script) in servers.items():
                per_cpu[name].append(wrk(server, target, options.seconds, 32, *script)[0])
    rates = {name: median(values) for name, values in per_cpu.items()}
    row(f"GET one document of {len(body)} bytes again, requests per CPU second, against bare epoll",
        f"{rates['doctor']:,.0f}", f"{rates['bare']:,.0f}", f"{rates['doctor'] / rates['bare']:.2f}", "≥ 0.85")
    row("GET one of 10 000 documents at random, the same against bare epoll",
        f"{rates['any']:,.0f}", f"{rates['bare']:,.0f}", f"{rates['any'] / rates['bare']:.2f}")
    row("one document again, against nginx `return`",
        f"{rates['doctor']:,.0f}", f"{rates['nginx']:,.0f}", f"{rates['doctor'] / rates['nginx']:.2f}", "≥ 1")
    for server in (doctor, bare, nginx):
        server.stop()


def get_large(options):
    """GET of a collection of about 1 MB, whole documents."""
    doctor = Doctor(options.binary)
    documents = [vm(n, "cl-1") for n in range(3_300)]
    doctor.request("PUT", "/entities/vm", compact(documents))
    body = doctor.request("GET", "/entities/vm")
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(body)
        file.flush()
        port = free_port()
        bare = Server([options.programs + "/bare_epoll", str(port), file.name], port)
        doctor_rates, bare_rates = [], []
        for _ in range(options.rounds):
            doctor_rates.append(wrk(doctor, "/entities/vm", options.seconds, 8)[0])
            bare_rates.append(wrk(bare, "/x", options.seconds, 8)[0])
    ratio = median(doctor_rates) / median(bare_rates)
    row(f"GET a collection of {len(body) / 1e6:.1f} MB, answers per CPU second, against bare epoll",
        f"{median(doctor_rates):,.0f}", f"{median(bare_rates):,.0f}", f"{ratio:.2f}", "≥ 0.9")
    doctor.stop()
    bare.stop()


def in_process(options, workload):
    return figures_of(program(options, "in_process", workload))


def joined(options):
    """20 000 rows with two forward references, in the engine and against PostgreSQL over a socket."""
    figures = in_process(options, "joined")
    row("20 000 VMs with two forward references, in the engine, ns a row",
        f"{figures['joined_ns_per_row']:.0f}", aim="≤ 350 (later 200)")
    row("two plain fields / whole documents, ns a row",
        f"{figures['two_fields_ns_per_row']:.0f} / {figures['whole_ns_per_row']:.0f}")
    from postgresql import PostgreSQL

    collections = inventory()
    doctor = Doctor(options.binary)
    for collection, documents in collections:
        doctor.request("PUT", f"/entities/{collection}", compact(documents))
    postgresql = PostgreSQL()
    postgresql.load(collections)
    query = {"select": ["id", "name", "@cluster.name", "@cluster.@data_center.name"]}
    ours, theirs = [], []
    for n in range(5 * options.rounds + 1):
        query["limit"] = 1_000_000 + n  # another text: the answer that was kept for the last one is not used
        target = "/entities/vm?q=" + urllib.parse.quote(json.dumps(query))
        started = time.perf_counter()
        body = doctor.request("GET", target)
        ours.append(time.perf_counter() - started)
        seconds, text = postgresql.joined()
        theirs.append(seconds)
    if json.loads(body) != json.loads(text):
        raise SystemExit("Doctor and PostgreSQL answer differently")
    row("the same over HTTP against PostgreSQL 15 (jsonb, json_agg, prepared), ms",
        f"{median(ours) * 1e3:.1f}", f"{median(theirs) * 1e3:.1f}",
        f"{median(theirs) / median(ours):.1f} times", "≥ 10 times")
    postgresql.stop()
    doctor.remove()


def queries(options):
    """The seed's nested example; a filter and an order over 100 000 documents."""
    figures = in_process(options, "seeds_example")
    row("data centers with clusters with VMs with disk names (10 × 10 × 20 × 2), ms",
        f"{figures['seeds_example_ms']:.2f}")
    figures = in_process(options, "filter_and_order")
    row("filter by equality and range over 100 000, ms", f"{figures['filter_100k_ms']:.1f}")
    row("filter by a glob over 100 000, ms", f"{figures['glob_100k_ms']:.1f}")
    row("first 50 of 100 000 by two keys, ms", f"{figures['order_first_50_of_100k_ms']:.1f}")
    row("all of 100 000 by two keys, ms", f"{figures['order_all_100k_ms']:.1f}")


def bulk(options):
    """PUT of an array of 100 000 documents, from its text to its durable commit."""
    figures = in_process(options, "bulk")
    parse = figures["simdjson_parse_ms"]
    for name, aim in (("first_load", ""), ("unchanged", "≤ 5"), ("one_changed", "≤ 5"), ("all_changed", "")):
        row(f"bulk PUT of 100 000 ({figures['body_mib']:.0f} MiB), {name.replace('_', ' ')}, ms, against simdjson parsing it",
            f"{figures[f'bulk_{name}_ms']:.0f}", f"{parse:.0f}", f"{figures[f'bulk_{name}_ratio']:.1f}", aim)


def updates(options):
    """Durable single updates, and the time from a write to its announcement."""
    doctor = Doctor(options.binary)
    doctor.request("PUT", "/entities/vm", compact([vm(n, "cl-1") for n in range(1_000)]))
    rates = {clients: [] for clients in (1, 16, 64)}
    raw = []
    for _ in range(options.rounds):
        raw.append(float(program(options, "raw_fdatasync", doctor.directory, options.seconds)))
        for clients, rate in rates.items():
            rate.append([float(n) for n in program(options, "updates", doctor.port, clients, options.seconds, 1_000).split()])
    for clients, measured in rates.items():
        rate, p50, p99 = (median(column) for column in zip(*measured))
        row(f"durable updates by {clients} client(s), per second (p50/p99 {p50:.0f}/{p99:.0f} µs), against raw fdatasync",
            f"{rate:,.0f}", f"{median(raw):,.0f}", f"{rate / median(raw):.2f}", "≥ 2" if clients == 64 else "")
    times = [[float(n) for n in program(options, "push_latency", doctor.port, doctor.mqtt_port, 2_000).split()]
             for _ in range(options.rounds)]
    p50, p99 = (median(column) for column in zip(*times))
    two_flushes = 2e6 / median(raw)
    row("from a request to its MQTT delivery, p50 / p99 µs, against two flushes of the disk",
        f"{p50:.0f} / {p99:.0f}", f"{two_flushes:.0f}", f"+{p50 - two_flushes:.0f} µs", "+100 µs")
    doctor.remove()


def million(options):
    """Opening a store with 1 000 000 documents."""
    figures = in_process(options, "open")
    row("open a store of 1 000 000 documents and find one, ms", f"{figures['open_million_ms']:.1f}", aim="< 1000")
    row("anonymous memory after that, MiB", f"{figures['anonymous_memory_million_mib']:.1f}")


def micro(options, room, only):
    """Google Benchmark's figures of a room, by name: medians over the rounds."""
    out = subprocess.run(
        [pathlib.Path(options.programs).parent / f"src/doctor/{room}/{room}_bench", f"--benchmark_filter={only}",
         f"--benchmark_repetitions={options.rounds}", "--benchmark_format=json"],
        check=True, capture_output=True, text=True,
    ).stdout
    runs = {}
    for run in json.loads(out)["benchmarks"]:
        if run["run_type"] == "iteration":
            runs.setdefault(run["run_name"], []).append(run)
    return {name: lambda figure, of=of: median(run[figure] for run in of) for name, of in runs.items()}


def events(options):
    """Events in one process: finding who gets one, and through the client library to its subscriber."""
    for name, figure in micro(options, "events", "^match/").items():
        count, cost = int(name.split("/")[1]), figure("cpu_time")
        row(f"whom an event goes to, of {count:,} subscriptions, ns", f"{cost:,.0f}", aim=judged("≤ 1000", cost))
    for name, figure in micro(options, "client", "batch:256/request:1/|from_a_socket").items():
        rate = figure("items_per_second")
        # Of all threads, the peer's too where there is one: what a machine that is busy still tells.
        per_cpu = rate * figure("real_time") / figure("cpu_time")
        shown = f"{rate:,.0f} ({per_cpu:,.0f} per CPU second)"
        if name.startswith("from_a_socket"):
            row("events from a socket to on_next, request(1) each time, per second", shown)
        else:
            row("events through matcher, buffer and demand to on_next on another thread, request(1) each time, per second",
                shown, aim=judged("≥ 2000000", rate))


OWN = (get_small, get_large, joined, queries, bulk, updates, million, events)
WORKLOADS = {f.__name__: f for f in (*OWN, *mqtt.WORKLOADS, *stomp.WORKLOADS)}


def machine():
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}, Debian {open('/etc/debian_version').read().strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--binary", default="build/release/doctor")
    parser.add_argument("--programs", default="build/bench/bench")
    options = parser.parse_args()
    options.rounds, options.seconds = (1, 1) if options.quick else (5, 3)
    print(machine())
    for name in options.only:
        print(f"{name}: {WORKLOADS[name].__doc__.strip()}", flush=True)
        WORKLOADS[name](options)
    report = f"{machine()}\n`{' '.join(['bench/run.py', *sys.argv[1:]])}`\n\n{table()}\n"
    pathlib.Path("build").mkdir(exist_ok=True)
    pathlib.Path("build/bench.md").write_text(report)
    print("\n" + report)


if __name__ == "__main__":
    main()
