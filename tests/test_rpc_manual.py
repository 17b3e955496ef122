"""What docs/rpc.md says of calls is so."""

import json
import re
import subprocess
from pathlib import Path

from doctor import Server
from doctor.rpc import SECRET, connector

MANUAL = (Path(__file__).resolve().parent.parent / "docs/rpc.md").read_text()


def test_the_conversation_in_the_manual_is_so():
    lines = "".join(re.findall(r"```rpc\n(.*?)```", MANUAL, re.DOTALL)).splitlines()
    store = "5f0c2a1e"  # the manual's; a store's own is in its entity-tags
    with Server(secret=SECRET) as server, connector(server).listen() as client:
        for asked, answered in zip(lines[::2], lines[1::2], strict=True):
            method, _, params = asked.removeprefix("--> ").partition(" ")
            answer = client.call(method, **json.loads((params or "{}").replace("5f0c2a1e", store)))
            if answered.startswith("<-- error "):
                assert answer["error"]["code"] == int(answered.removeprefix("<-- error ")), asked
                continue
            expected, result = json.loads(answered.removeprefix("<-- ")), answer["result"]
            if isinstance(expected, dict):
                assert expected.keys() == result.keys(), asked
                store = result["etag"][1:9] if "etag" in result else store
                for random_one in ("next", "version"):
                    if random_one in result:
                        result[random_one] = "..."
            assert result == json.loads(json.dumps(expected).replace("5f0c2a1e", store)), asked
        listed = client.result("rpc.methods")["methods"]
    called = {line.split()[1] for line in lines[::2]}
    assert called == {method["name"] for method in listed}


def test_the_manual_lists_every_method_with_its_parameters(rpc_server):
    with connector(rpc_server).listen() as client:
        listed = client.result("rpc.methods")["methods"]
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) ?\| (.*?) \|$", MANUAL.split("## Methods")[1], re.MULTILINE)
    told = {name: [(parameter, optional == "") for optional, parameter in re.findall(r"(\[?)`(\w+)`", parameters)]
            for name, parameters, _ in rows}
    assert told == {method["name"]: [(one["name"], one["required"]) for one in method["params"]] for method in listed}
    assert {name: result.strip("`") for name, _, result in rows} == {one["name"]: one["result"] for one in listed}


def test_the_program_in_the_manual_prints_its_answer(rpc_server):
    program = re.search(r"```python\n(.*?)```", MANUAL, re.DOTALL)[1]
    program = program.replace("61613", str(rpc_server.stomp)).replace("open sesame", SECRET)
    process = subprocess.Popen(["/usr/bin/python3", "-u", "-c", program + "import time; time.sleep(60)\n"],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())["result"]["documents"][0]["name"] == "one"
    finally:
        process.kill()
        process.wait()
