"""The documents that the benchmarks run on; the same for Doctor and for its peers."""

import json


def inventory(vms=20_000, clusters=100, data_centers=10):
    """data_center <- cluster <- vm, as (collection, documents) pairs."""
    return [
        ("data_center", [{"id": f"dc-{n}", "name": f"Data center {n}"} for n in range(data_centers)]),
        (
            "cluster",
            [
                {"id": f"cl-{n}", "name": f"Cluster {n}", "data_center": f"dc-{n % data_centers}"}
                for n in range(clusters)
            ],
        ),
        ("vm", [vm(n, f"cl-{n * 7 % clusters}") for n in range(vms)]),
    ]


def vm(number, cluster):
    """About 300 bytes, as an inventory's virtual machines are."""
    return {
        "id": f"vm-{number}",
        "name": f"Virtual machine {number}",
        "status": ["up", "down", "paused", "unknown"][number % 4],
        "cluster": cluster,
        "memory": 1024 * (1 + number * 31 % 64),
        "cpus": 1 + number % 16,
        "description": "A virtual machine of the benchmark's inventory",
        "address": {"city": "Brno", "rack": number % 40, "ip": f"10.0.{number // 250 % 250}.{number % 250}"},
        "tags": ["bench", f"group-{number % 10}"],
    }


def seeds_example(data_centers=10, clusters=10, vms=20, disks=2):
    """The nested example: data_center <- cluster <- vm <- disk, in collections of their own names."""
    documents = {"data_center": [], "cluster": [], "vm": [], "disk": []}
    for d in range(data_centers):
        documents["data_center"].append({"id": f"d{d}", "name": f"DC {d}", "version": "3.5"})
        for c in range(clusters):
            cluster = f"d{d}c{c}"
            documents["cluster"].append(
                {"id": cluster, "name": f"Cluster {c}", "version": "3.6", "data_center": f"d{d}"}
            )
            for v in range(vms):
                machine = f"{cluster}v{v}"
                documents["vm"].append(
                    {"id": machine, "name": f"vm{v}", "status": "up", "cluster": cluster}
                )
                for k in range(disks):
                    documents["disk"].append(
                        {"id": f"{machine}k{k}", "name": f"Disk {k}", "size": 1024, "vm": machine}
                    )
    return list(documents.items())


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
