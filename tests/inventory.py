#!/usr/bin/python3
"""Makes a virtual data center as a management server would report it: data centers, clusters, hosts, VMs,
disks and NICs. The same size and seed make the same documents, uuids included.

    tests/inventory.py [--vms N] [--seed N] | doctor import -
"""

import argparse
import json
import random
import uuid

GIB = 1 << 30
SYSTEMS = ["rhel_9x64", "debian_12x64", "windows_2022", "other_linux"]


def documents(vms=100, seed=1):
    """Yields (collection, document), what is referred to before what refers to it."""
    chance = random.Random(seed)

    def new_id():
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    hosts = max(2, vms // 20)
    clusters = max(2, hosts // 16)
    data_centers = max(1, clusters // 4)

    data_center_ids = [new_id() for _ in range(data_centers)]
    for number, data_center in enumerate(data_center_ids, 1):
        yield "data_center", {"id": data_center, "name": f"dc{number}", "status": "up",
                              "version": {"major": 4, "minor": 5}, "local": False}

    cluster_ids = [new_id() for _ in range(clusters)]
    for number, cluster in enumerate(cluster_ids, 1):
        yield "cluster", {"id": cluster, "name": f"cluster{number}",
                          "data_center": data_center_ids[(number - 1) % data_centers],
                          "cpu": {"architecture": "x86_64", "type": "Secure Intel Cascadelake Server Family"},
                          "ballooning": number % 2 == 0}

    hosts_of = {cluster: [] for cluster in cluster_ids}
    for number in range(1, hosts + 1):
        cluster = cluster_ids[(number - 1) % clusters]
        host = new_id()
        hosts_of[cluster].append(host)
        yield "host", {"id": host, "name": f"host{number}", "cluster": cluster, "status": "up",
                       "address": f"10.0.{number // 250}.{number % 250 + 1}", "cpus": chance.choice([32, 64, 128]),
                       "memory": chance.choice([256, 512, 1024]) * GIB}

    for number in range(1, vms + 1):
        cluster = chance.choice(cluster_ids)
        up = chance.random() < 0.7
        vm = {"id": new_id(), "name": f"vm{number}", "status": "up" if up else chance.choice(["down", "paused"]),
              "cluster": cluster, "memory": chance.choice([1, 2, 4, 8, 16]) * GIB, "cpus": chance.choice([1, 2, 4, 8]),
              "os": chance.choice(SYSTEMS), "created": 1_600_000_000 + chance.randrange(100_000_000), "disk": []}
        if up:
            vm["host"] = chance.choice(hosts_of[cluster])
        for disk_number in range(1, chance.randint(1, 3) + 1):
            disk = new_id()
            vm["disk"].append(disk)
            yield "disk", {"id": disk, "name": f"vm{number}_disk{disk_number}",
                           "size": chance.choice([10, 20, 50, 100, 500]) * GIB, "format": chance.choice(["raw", "cow"]),
                           "bootable": disk_number == 1}
        yield "vm", vm
        for nic_number in range(chance.randint(1, 2)):
            mac = ":".join(f"{byte:02x}" for byte in (0x56, 0x6F, *chance.randbytes(4)))
            yield "nic", {"id": new_id(), "name": f"nic{nic_number}", "vm": vm["id"], "mac": mac,
                          "linked": chance.random() < 0.95}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vms", type=int, default=100, help="how many; the rest follows (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    by_collection = {}
    for collection, document in documents(arguments.vms, arguments.seed):
        by_collection.setdefault(collection, []).append(document)
    for collection, members in by_collection.items():  # together, so that an import makes few commits
        for document in members:
            print(json.dumps({"collection": collection, "document": document}, separators=(",", ":")))


if __name__ == "__main__":
    main()
