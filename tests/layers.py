#!/usr/bin/python3
"""Dependencies point down. Each folder of src/doctor is a room with a rank; it may include itself and
rooms of lower rank, never a sibling. What comes from elsewhere may be included where ALLOWED says,
and nowhere else.

    tests/layers.py              checks the tree
    tests/layers.py --self-test  shows that each kind of forbidden include is found
"""

import pathlib
import re
import sys
import tempfile

RANK = {"base": 0, "json": 1, "net": 1, "document": 2, "query": 3, "store": 3, "mqtt": 3, "stomp": 3,
        "events": 3, "engine": 4, "hub": 4, "rules": 4, "client": 4, "rest": 5, "rpc": 6, "server": 7}
TOP = 8  # apps, fuzz, bench: they may include every room

# Where a header from elsewhere may be included; the first pattern that matches decides. A file is named
# by its room, `apps`, `fuzz` or `bench`; `test` stands for every *_test.cpp and for headers that nothing but tests,
# benchmarks and fuzz targets include, `bench` for every *_bench.cpp too.
EVERYWHERE = set(RANK) | {"apps", "fuzz", "bench"}
ALLOWED = [
    (r"boost/system/result\.hpp|boost/assert/source_location\.hpp", EVERYWHERE),
    (r"boost/smart_ptr/intrusive_(ptr|ref_counter)\.hpp", {"mqtt"}),
    (r"boost/(asio|beast)\b.*", {"net", "client", "server"}),
    (r"boost/.*", {"net", "client", "server"}),
    (r"lmdb\.h", {"store"}),
    (r"openssl/.*", {"base", "net", "client", "server"}),
    (r"xxhash\.h", {"base"}),
    (r"simdjson\.h", {"json", "bench", "fuzz"}),  # bench, fuzz: what our scanner is held against
    (r"libdeflate\.h", {"rest"}),
    (r"toml\+\+/.*|CLI/.*", {"server", "apps"}),
    (r"curl/.*", {"apps"}),
    (r"gtest/.*|gmock/.*", {"test"}),
    (r"benchmark/.*", {"bench"}),
    # Time is an argument, and so is chance; a pure room has no thread and touches no file.
    (r"thread|fstream|random|filesystem|iostream",
     EVERYWHERE - {"json", "document", "query", "mqtt", "stomp", "events", "hub", "rules"} | {"test"}),
    (r"arpa/inet\.h", {"base", "net", "rest", "client", "server", "apps", "bench"}),  # rest: is a Host an address?
    (r"(sys|netinet)/.*|(unistd|fcntl|signal|netdb|dirent|pthread|poll|sched)\.h",
     {"base", "net", "store", "client", "server", "apps", "bench", "test"}),
    (r"dlfcn\.h", {"test"}),  # failures of a library are injected in front of it
    (r"[a-z]mmintrin\.h|arm_neon\.h", EVERYWHERE),
    (r"[a-z_]+", EVERYWHERE),  # the C++ standard library
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def place_of(path, of_tests=frozenset()):
    """The room or top folder of a source, and whether it is a test or a benchmark."""
    parts = path.parts
    place = parts[2] if parts[:2] == ("src", "doctor") and len(parts) > 3 else parts[0]
    kind = re.search(r"_(test|bench)\.cpp$", path.name)
    return place, {place} | ({kind.group(1)} if kind else set()) | ({"test"} if path in of_tests else set())


def headers_of_tests(root):
    """Headers that are included, and only by tests, benchmarks, fuzz targets or such headers."""
    includers = {}
    for path in sources(root):
        for own, _ in INCLUDE.findall((root / path).read_text()):
            includers.setdefault(pathlib.Path("src") / own, set()).add(path)
    found = set()
    while True:
        more = {header for header, by in includers.items()
                if all(place_of(path, found)[1] & {"test", "bench", "fuzz"} for path in by)}
        if more == found:
            return found
        found = more


def faults_of(root, path, of_tests=frozenset()):
    place, names = place_of(path, of_tests)
    if path.parts[0] == "src" and place not in RANK:
        return [f"{path}: {place} has no rank: give it one in tests/layers.py"]
    rank = RANK.get(place, TOP)
    faults = []
    for own, other in INCLUDE.findall((root / path).read_text()):
        if own:
            match = re.match(r"doctor/(\w+)/", own)
            if not match:
                # Programs may name a file beside this one, or by its place in their folder; rooms name theirs in full.
                if rank < TOP or "/" in own and not (root / path.parts[0] / own).is_file():
                    faults.append(f'{path}: "{own}": name it from doctor/ on')
                continue
            there = match.group(1)
            if there not in RANK:
                faults.append(f'{path}: "{own}": there is no room {there}')
            elif there != place and RANK[there] >= rank:
                kind = "a sibling" if RANK[there] == rank else "a higher rank"
                faults.append(f'{path}: "{own}": {there} is of {kind}; {place} may include only lower ranks')
        else:
            where = next((where for pattern, where in ALLOWED if re.fullmatch(pattern, other)), set())
            if not where & names:
                faults.append(f"{path}: <{other}>: not in {place}" +
                              (f", only in {', '.join(sorted(where))}" if where else ", nor anywhere: see ALLOWED"))
    return faults


def sources(root):
    for top in ("src", "apps", "fuzz", "bench"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".h"):
                yield path.relative_to(root)


SELF_TEST = [  # file, include, whether it is allowed
    ("src/doctor/json/a.cpp", '"doctor/base/text.hpp"', True),
    ("src/doctor/json/a.cpp", '"doctor/json/value.hpp"', True),
    ("src/doctor/json/a.cpp", '"doctor/document/view.hpp"', False),  # upwards
    ("src/doctor/query/a.cpp", '"doctor/store/store.hpp"', False),  # a sibling
    ("src/doctor/json/a.hpp", '"value.hpp"', False),
    ("src/doctor/cluster/a.cpp", "<vector>", False),  # a room without rank
    ("src/doctor/rest/a.cpp", '"doctor/cluster/log.hpp"', False),
    ("src/doctor/server/a.cpp", "<boost/asio/awaitable.hpp>", True),
    ("src/doctor/mqtt/a.cpp", "<boost/asio.hpp>", False),
    ("src/doctor/engine/a.cpp", "<lmdb.h>", False),
    ("src/doctor/store/a.cpp", "<lmdb.h>", True),
    ("src/doctor/base/a.cpp", "<boost/system/result.hpp>", True),
    ("src/doctor/rest/a.cpp", "<boost/beast/http.hpp>", False),
    ("src/doctor/document/a.cpp", "<simdjson.h>", False),
    ("src/doctor/rest/a.cpp", "<openssl/evp.h>", False),
    ("src/doctor/server/a.cpp", "<curl/curl.h>", False),
    ("apps/doctor/a.cpp", "<curl/curl.h>", True),
    ("apps/doctor/a.cpp", '"doctor/server/server.hpp"', True),
    ("src/doctor/mqtt/a.cpp", "<thread>", False),
    ("src/doctor/mqtt/a_test.cpp", "<random>", True),
    ("src/doctor/mqtt/a.cpp", "<gtest/gtest.h>", False),
    ("src/doctor/mqtt/a_test.cpp", "<gtest/gtest.h>", True),
    ("src/doctor/base/a.cpp", "<nlohmann/json.hpp>", False),  # nobody asked for it
]


def self_test():
    failed = 0
    for file, include, allowed in SELF_TEST:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / file).parent.mkdir(parents=True)
            (root / file).write_text(f"#include {include}\n")
            if (faults_of(root, pathlib.Path(file)) == []) != allowed:
                print(f"self-test: {file} with {include} should be {'allowed' if allowed else 'refused'}")
                failed += 1
    return len(SELF_TEST) - failed, failed


def check(root):
    passed = failed = 0
    of_tests = headers_of_tests(root)
    for path in sources(root):
        faults = faults_of(root, path, of_tests)
        print("\n".join(faults), end="\n" if faults else "")
        passed, failed = passed + (not faults), failed + bool(faults)
    return passed, failed


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--self-test"]):
        sys.exit(__doc__)
    what = "layers self-test" if sys.argv[1:] else "layers"
    passed, failed = self_test() if sys.argv[1:] else check(pathlib.Path(__file__).resolve().parent.parent)
    print(f"{what}: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
