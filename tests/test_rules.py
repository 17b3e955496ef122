"""Events that clients send over STOMP become documents, of which others hear over MQTT."""

import json
import re
import threading
import time

import pytest

from doctor import Server, wait_for
from doctor.mqtt import Mqtt
from doctor.stomp import Stomp, notification

RULES = """
[[events.rule]]
events = "*|virt|VM_status|*"
collection = "vm"
take = "params.{unique_id}"
fields = ["status", "exitMessage", "displayIp", "n"]

[[events.rule]]
events = "*|virt|VM_migration_status|*"
collection = "vm"
take = "params.{unique_id}"
fields = ["progress"]
rename = { progress = "migration_progress" }

[[events.rule]]
events = "*|jobs|status|*"
collection = "job"
id = "params.id"
leave_out = ["id", "notify_time"]
create = true

[[events.rule]]
events = "*|net|host_conn|*"
collection = "host"
id = "{receiver}"
create = true
"""
EVENTS = "jms.queue.events"


@pytest.fixture
def server():
    with Server(config=RULES) as made:
        yield made


def status(client, vm, **fields):
    client.event(f"|virt|VM_status|{vm}", {vm: fields, "notify_time": 2148725720})


def test_an_event_over_stomp_is_heard_over_mqtt_with_what_it_changed(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        http.post("/entities/vm", {"id": "u1", "name": "vm1", "status": "Down"})
        front_end.subscribe("#")
        status(agent, "u1", status="Up", displayIp="10.0.0.1", hash="7")
        assert front_end.heard(1) == [("vm/u1", "status,displayIp")]
        assert http.get("/entities/vm/u1").json == {
            "id": "u1", "name": "vm1", "status": "Up", "displayIp": "10.0.0.1"}
        agent.event("|virt|VM_migration_status|u1", {"u1": {"progress": 40, "postcopy": False}})
        assert front_end.heard(1) == [("vm/u1", "migration_progress")]
        assert http.get("/entities/vm/u1").json["migration_progress"] == 40
        status(agent, "u1", status=None)
        assert front_end.heard(1) == [("vm/u1", "status")]
        assert "status" not in http.get("/entities/vm/u1").json


def test_what_is_equal_already_is_not_announced_and_makes_no_revision(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        http.post("/entities/vm", {"id": "u1", "status": "Up"})
        front_end.subscribe("#")
        status(agent, "u1", status="Up")
        status(agent, "u1", status="Up", hash="8")
        status(agent, "u1", status="Down")
        assert front_end.heard(1) == [("vm/u1", "status")]
        assert http.get("/entities/vm/u1")["Doctor-Revision"] == "2"


def test_a_missing_document_is_created_only_where_the_rule_says_so(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        front_end.subscribe("#")
        status(agent, "u1", status="Up")
        agent.event("|jobs|status|j1", {"id": "j1", "status": "running", "progress": 3, "notify_time": 1})
        assert front_end.heard(1) == [("job/j1", "+")]
        assert http.get("/entities").json == [{"name": "job", "count": 1}]
        assert http.get("/entities/job/j1").json == {"id": "j1", "status": "running", "progress": 3}


def test_events_that_come_together_make_one_commit(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        http.put("/entities/vm", [{"id": f"u{n}"} for n in range(50)])
        front_end.subscribe("#")
        batch = [notification(f"|virt|VM_status|u{n}", {f"u{n}": {"status": "Up"}}) for n in range(50)]
        batch.append(notification("|jobs|status|j1", {"id": "j1"}))
        agent.tell("[" + ",".join(batch) + "]")
        assert front_end.heard(51) == [("job/j1", "+")] + [(f"vm/u{n}", "status") for n in range(50)]
        assert http.get("/entities/vm")["Doctor-Revision"] == "2"


def test_every_event_destination_and_a_transaction_will_do(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        http.post("/entities/vm", {"id": "u1"})
        front_end.subscribe("#")
        agent.event("|virt|VM_status|u1", {"u1": {"n": 1}}, "jms.topic.vdsm_responses")
        assert front_end.heard(1) == [("vm/u1", "n")]
        agent.send("BEGIN", {"transaction": "t"})
        for n in (2, 3):
            body = notification("|virt|VM_status|u1", {"u1": {"n": n}})
            agent.send("SEND", {"destination": EVENTS, "transaction": "t"}, body)
        assert front_end.hear(0.2) is None
        agent.send("COMMIT", {"transaction": "t"})
        assert front_end.heard(1) == [("vm/u1", "n")]
        assert http.get("/entities/vm/u1").json["n"] == 3
        agent.event("|virt|VM_status|u1", {"u1": {"n": 4}}, "some.where.else")
        assert front_end.hear(0.2) is None


def test_a_session_hears_only_what_it_may_read():
    with Server(secret="s3cret", config=RULES) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}, {"id": "u2"}])
        http.post("/sessions", {"id": "0123456789abcdef", "permissions": {"vm": ["u2"]}})
        with Mqtt(server.mqtt, user="session", password="0123456789abcdef") as front_end, \
                Stomp(server.stomp, login="connector", passcode="s3cret") as agent:
            front_end.subscribe("#")
            for n in (1, 2):
                for vm in ("u1", "u2"):
                    status(agent, vm, n=n)
                assert front_end.heard(1) == [("vm/u2", "n")]
            assert front_end.hear(0.2) is None


def test_a_session_changes_nothing_by_an_event():
    with Server(secret="s3cret", config=RULES) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}])
        http.post("/sessions", {"id": "0123456789abcdef", "permissions": "*"})
        with Stomp(server.stomp, login="session", passcode="0123456789abcdef") as reader:
            reader.send("SEND", {"destination": EVENTS}, notification("|virt|VM_status|u1", {"u1": {"n": 1}}))
            assert reader.frame().command == "ERROR"
        time.sleep(0.2)
        assert http.get("/entities/vm/u1").json == {"id": "u1"}


def test_what_cannot_be_applied_is_counted_and_logged_and_stops_nothing(server):
    with server.http() as http, Mqtt(server.mqtt) as front_end, Stomp(server.stomp) as agent:
        http.post("/entities/vm", {"id": "u1"})
        front_end.subscribe("#")
        for _ in range(3):
            status(agent, "none", status="Up")
        agent.event("|virt|VM_status|u1", {"u2": {}})
        agent.event("|virt|VM_status|u1", {"u1": "Up"})
        agent.event("|net|host_conn|no_id", {"notify_time": 1})
        agent.event("|net|other|no_id", {})
        agent.tell("no event at all")
        agent.tell('{"jsonrpc":"2.0","id":1,"result":true}')
        status(agent, "u1", status="Up")
        assert front_end.heard(1) == [("vm/u1", "status")]
        # Counted once the engine has answered, which is after it has announced.
        wait_for(lambda: server.metrics()["doctor_events_merged_total"] == 1)
        found = server.metrics()
    unmerged = {name: found[f'doctor_events_unmerged_total{{cause="{name}"}}'] for name in (
        "not_applicable", "no_document", "invalid", "dropped", "failed")}
    assert unmerged == {"not_applicable": 2, "no_document": 3, "invalid": 1, "dropped": 0, "failed": 0}
    lines = [line for line in server.log.splitlines() if "a rule could not be applied" in line]
    # Once a minute for each rule.
    assert sorted(re.search(r"rule=(\d)", line)[1] for line in lines) == ["1", "4"]
    assert all("cause=" in line and "why=" in line for line in lines)


def test_what_doctor_tells_of_its_documents_is_never_input():
    config = """
[[events.rule]]
events = "*|vm|*|*"
collection = "seen"
create = true
"""
    with Server(config=config) as server, server.http() as http, Stomp(server.stomp) as listener:
        listener.subscribe(EVENTS)
        http.post("/entities/vm", {"id": "u1"})
        told = listener.frame()
        assert json.loads(told.body)["method"] == "|vm|created|u1"
        # Not even if somebody sends it back.
        with Stomp(server.stomp) as other:
            other.tell(told.body)
            other.event("|vm|moved|u1", {"to": "h2"})
        wait_for(lambda: http.get("/entities/seen").json)
        assert http.get("/entities/seen").json == [{"id": "u1", "to": "h2"}]
        assert http.get("/entities")["Doctor-Revision"] == "2"


def test_a_crash_takes_whole_commits_or_nothing_and_what_was_heard_is_there():
    server = Server(config=RULES).start()
    try:
        with server.http() as http:
            http.put("/entities/vm", [{"id": f"u{i}", "n": 0} for i in range(20)])
        heard = 0
        for _ in range(4):
            heard = storm(server, heard)
            server.kill()
            server.check()
            server.start()
            with server.http() as http:
                kept = [vm["n"] for vm in http.get("/entities/vm").json]
            assert min(kept) >= heard and len(set(kept)) == 1
    finally:
        server.kill()
        server.remove()


def storm(server, begin):
    """Events for all VMs at a time, killed in the middle; the last value that was heard of each VM."""
    over = threading.Event()

    def tell(agent, n=begin):
        while not over.is_set():
            n += 1
            batch = [notification(f"|virt|VM_status|u{i}", {f"u{i}": {"n": n}}) for i in range(20)]
            try:
                agent.tell("[" + ",".join(batch) + "]")
            except (OSError, AssertionError):
                return

    with Mqtt(server.mqtt) as front_end, server.http() as http, Stomp(server.stomp) as agent:
        front_end.subscribe("vm/u19")
        telling = threading.Thread(target=tell, args=(agent,))
        telling.start()
        try:
            assert len(front_end.heard(30)) == 30
            last = http.get("/entities/vm/u19").json["n"]
            server.kill()
        finally:
            over.set()
            telling.join()
    return last


def test_sighup_names_rules_that_need_a_restart(server):
    server.config_path.write_text(RULES.replace('"displayIp", ', ""))
    server.process.send_signal(1)
    wait_for(lambda: "the configuration was read again" in server.log)
    assert re.search("needs a restart.*events.rule", server.log)
