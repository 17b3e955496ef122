"""Doctor listens to hosts by itself: their events become documents, and after a gap it asks for what it missed."""

import os
import random
import re
import signal
import socket
import ssl
import time

import pytest

from doctor import Server, wait_for
from doctor.mqtt import Mqtt
from doctor.server import free_port
from doctor.stomp import Stomp
from doctor.vdsm import Vdsm

RULES = """
[[events.rule]]
events = "*|virt|VM_status|*"
collection = "vm"
take = "params.{unique_id}"
fields = ["status", "exitMessage"]
rename = { exitMessage = "exit_message" }
refresh = { method = "Host.getAllVmStats", items = "result", id = "vmId" }

[[events.rule]]
events = "*|net|host_conn|*"
collection = "host"
id = "{receiver}"
create = true
refresh = { method = "Host.getCapabilities", params = { full = true }, id = "{receiver}" }
"""
ANSWERS = {
    "Host.getAllVmStats": [{"vmId": "u1", "status": "Up", "cpuUser": "3"}],
    "Host.getCapabilities": {"cores": 4},
}


def upstream(port, more="", name="host1"):
    return f'[[events.upstream]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\n{more}\n'


def status(host, vm, **fields):
    host.event(f"|virt|VM_status|{vm}", {vm: fields, "notify_time": 2148725720})


def test_events_of_a_host_are_heard_over_mqtt():
    with Vdsm() as host, Server(config=RULES + upstream(host.port)) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}, {"id": "u2"}])
        with Mqtt(server.mqtt) as front_end:
            front_end.subscribe("#")
            status(host, "u2", status="Up", hash="1")
            assert front_end.heard(1) == [("vm/u2", "status")]
            host.event("|net|host_conn|no_id", {"notify_time": 7})
            assert front_end.heard(1) == [("host/host1", "+")]
            assert http.get("/entities/host/host1").json == {"id": "host1", "notify_time": 7}
            status(host, "u2", status="Down", exitMessage="gone")
            assert front_end.heard(1) == [("vm/u2", "status,exit_message")]
        wait_for(lambda: server.metrics()["doctor_events_merged_total"] == 3)
        found = server.metrics()
        assert found['doctor_upstream_connected{upstream="host1"}'] == 1
        assert found['doctor_upstream_events_total{upstream="host1"}'] == 3
    assert host.dislikes == []


def test_a_host_is_spoken_to_as_vdsm_can_take_it():
    with Vdsm(answers=ANSWERS) as host, Server(config=RULES + upstream(host.port)):
        host.wait_for_listener()
        wait_for(lambda: len(host.called) == 2)
        assert host.called == [("Host.getAllVmStats", None), ("Host.getCapabilities", {"full": True})]
    frames = [frame.lstrip(b"\n").split(b"\n") for frame in host.seen.split(b"\0") if frame.strip()]
    assert [frame[0] for frame in frames] == [b"CONNECT", b"SUBSCRIBE", b"SUBSCRIBE", b"SEND", b"SEND", b"DISCONNECT"]
    assert b"accept-version:1.2" in frames[0]
    assert b"destination:jms.queue.events" in frames[2] and b"ack:auto" in frames[2]
    assert host.dislikes == []


def test_what_was_missed_is_asked_for_once_the_host_is_there_again():
    with Vdsm(answers=ANSWERS) as host, Server(config=RULES + upstream(host.port)) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}, {"id": "u2", "status": "Up"}])
        host.wait_for_listener()
        wait_for(lambda: http.get("/entities/host/host1").json.get("cores") == 4)
        host.answers["Host.getAllVmStats"] = [{"vmId": "u1", "status": "Down", "exitMessage": "gone"}, {"vmId": "new"}]
        with Mqtt(server.mqtt) as front_end:
            front_end.subscribe("vm/#")
            host.cut()
            assert front_end.heard(1)[0][0] == "vm/u1"
        assert http.get("/entities/vm/u1").json == {"id": "u1", "status": "Down", "exit_message": "gone"}
        # Nothing is removed by a gap, and nothing created that the rule does not create.
        assert http.get("/entities/vm/u2").json == {"id": "u2", "status": "Up"}
        assert http.get("/entities/vm/new").status == 404
        assert host.connections == 2
        assert "an upstream is not connected" in server.log and "an upstream is connected again" in server.log
        status(host, "u1", status="Up")
        wait_for(lambda: http.get("/entities/vm/u1").json["status"] == "Up")


def test_a_host_that_is_not_there_yet_is_waited_for():
    port = free_port()
    with Server(config=RULES + upstream(port)) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}])
        wait_for(lambda: "an upstream is not connected" in server.log)
        with Vdsm(port, ANSWERS) as host:
            wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Up")
            assert host.dislikes == []
            # Asked once, although both the start and the end of the gap would have asked.
            assert sorted(method for method, _ in host.called) == ["Host.getAllVmStats", "Host.getCapabilities"]


def test_an_error_of_the_host_ends_nothing_and_one_of_a_call_is_told():
    with Vdsm() as host, Server(config=RULES + upstream(host.port)) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}])
        host.wait_for_listener().error()
        status(host, "u1", status="Up")
        wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Up")
        assert host.connections == 1
        wait_for(lambda: server.metrics()['doctor_upstream_refreshes_failed_total{upstream="host1"}'] == 2)
        assert re.search("an upstream is in trouble.*upstream=host1", server.log)


@pytest.mark.parametrize("republish", [True, False])
def test_events_of_a_host_are_told_on_our_destinations_only_if_that_is_wanted(republish):
    config = RULES + upstream(0, f"republish = {str(republish).lower()}")
    with Vdsm() as host, Server(config=config.replace("port = 0", f"port = {host.port}")) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}])
        with Stomp(server.stomp) as listener:
            listener.subscribe("jms.queue.events", **{"event-filter": "*|virt|*|*"})
            for n in range(3):
                status(host, "u1", n=n)
            status(host, "u1", status="Up")
            if republish:
                told = [listener.frame().json for _ in range(4)]
                assert [one["method"] for one in told] == ["|virt|VM_status|u1"] * 4
                assert told[0]["params"] == {"u1": {"n": 0}, "notify_time": 2148725720}
            wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Up")
            assert listener.silent()
        # Each was merged once: what Doctor tells itself is no input.
        wait_for(lambda: server.metrics()["doctor_events_merged_total"] >= 4)
        assert server.metrics()["doctor_events_merged_total"] == 4


def test_an_answer_that_is_too_large_is_told_once_and_asked_for_ever_later():
    answers = {**ANSWERS, "Host.getCapabilities": {"text": "x" * 10_000}}
    with Vdsm(answers=answers) as host, Server(config=RULES + upstream(host.port) + "[limits]\nstomp_body = 5_000\n") as server:
        failed = 'doctor_upstream_refreshes_failed_total{upstream="host1"}'
        connections = 'doctor_upstream_connections_total{upstream="host1"}'
        wait_for(lambda: server.metrics()[failed] >= 2)
        began, before = time.monotonic(), server.metrics()[connections]
        wait_for(lambda: server.metrics()[connections] > before)
        wait_for(lambda: server.metrics()[connections] > before + 1)
        assert time.monotonic() - began > 1.5, "1 s, then 2 s, or a fifth less"
        assert server.log.count("more in one message than stomp_body") == 1
        assert "is not connected" not in server.log and "connected again" not in server.log


def test_events_that_name_another_receiver_are_counted():
    with Vdsm() as host, Server(config=RULES + upstream(host.port)) as server, server.http() as http:
        http.put("/entities/vm", [{"id": "u1"}])
        host.wait_for_listener()
        ignored = 'doctor_upstream_ignored_total{upstream="host1",cause="%s"}'
        host.event("other|virt|VM_status|u1", {"u1": {"status": "Down"}})
        host.message("jms.queue.events", "1", '{"jsonrpc":"2.0","id":"nobody","result":1}')
        status(host, "u1", status="Paused")
        wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Paused")
        metrics = server.metrics()
        assert metrics[ignored % "receiver"] == 1 and metrics[ignored % "unmatched"] == 1


def test_a_host_of_3_6_tells_events_among_the_answers_to_others():
    host = Vdsm()
    host.event_destination = "jms.topic.vdsm_responses"
    with host:
        config = RULES + upstream(host.port, 'event_destination = "jms.topic.vdsm_responses"')
        with Server(config=config) as server, server.http() as http:
            http.put("/entities/vm", [{"id": "u1"}])
            host.wait_for_listener().message(host.event_destination, host.subscription,
                                             '{"jsonrpc":"2.0","id":"of-the-engine","result":[]}')
            status(host, "u1", status="Up")
            wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Up")


def host_with_tls(authority, name, names="IP:127.0.0.1"):
    """A host's context: it shows a certificate for the name and wants one of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue(name, names=names)
    context.load_cert_chain(issued.cert, issued.key)
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def tls_settings(authority, check=True):
    ours = authority.issue("doctor")
    return (f'tls = {{ ca = "{authority.ca}", cert = "{ours.cert}", key = "{ours.key}", '
            f"check_peer_name = {str(check).lower()} }}")


def test_a_host_is_listened_to_over_tls_with_a_certificate_of_ours(authority):
    with Vdsm(answers=ANSWERS, tls=host_with_tls(authority, "host")) as host:
        config = RULES + upstream(host.port, tls_settings(authority))
        with Server(config=config) as server, server.http() as http:
            http.put("/entities/vm", [{"id": "u1"}])
            status(host, "u1", status="Paused")
            wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Paused")
        assert host.dislikes == []


def test_a_host_with_another_name_is_listened_to_only_if_names_are_not_checked(authority):
    with Vdsm(tls=host_with_tls(authority, "elsewhere", "DNS:elsewhere.example")) as host:
        with Server(config=upstream(host.port, tls_settings(authority))) as server:
            wait_for(lambda: "an upstream is not connected" in server.log)
            assert host.subscription is None
        with Server(config=upstream(host.port, tls_settings(authority, check=False))):
            host.wait_for_listener()


def test_certificates_that_cannot_be_read_stop_the_start():
    server = Server(config=upstream(1, 'tls = { ca = "/nowhere/ca.pem" }')).launch()
    try:
        assert server.process.wait(20) != 0
        assert "/nowhere/ca.pem" in server.log and "host1" in server.log
    finally:
        server.kill()
        server.remove()


def test_the_upstream_may_be_a_doctor(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with Server(secret="s3cret") as far:
        config = RULES.replace('collection = "host"', 'collection = "seen"') + upstream(
            far.stomp, f'peer = "doctor"\nsecret_file = "{secret}"')
        catch_all = '[[events.rule]]\nevents = "*|vm|*|*"\ncollection = "told"\ncreate = true\n'
        with Server(config=config + catch_all) as near, near.http() as http:
            http.put("/entities/vm", [{"id": "u1"}])
            wait_for(lambda: near.metrics()['doctor_upstream_connected{upstream="host1"}'] == 1)
            with far.http() as there, Stomp(far.stomp, login="connector", passcode="s3cret") as agent:
                there.post("/entities/vm", {"id": "u1"})  # told as an event, and no input
                wait_for(lambda: near.metrics()['doctor_upstream_events_total{upstream="host1"}'] >= 1)
                agent.event("|virt|VM_status|u1", {"u1": {"status": "Up"}})
            wait_for(lambda: http.get("/entities/vm/u1").json.get("status") == "Up")
            assert http.get("/entities/told").json == []


@pytest.mark.parametrize("host, tls, told", [("127.0.0.1", False, False), ("far.invalid", False, True), ("far.invalid", True, False)])
def test_a_secret_that_goes_over_the_network_without_tls_is_warned_of(tmp_path, host, tls, told):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    more = f'peer = "doctor"\nsecret_file = "{secret}"\n' + ("tls = {}\n" if tls else "")
    with Server(config=upstream(1, more).replace('"127.0.0.1"', f'"{host}"')) as server:
        assert ("goes over the network without TLS" in server.log) == told
        assert "s3cret" not in server.log


def test_a_crash_of_doctor_is_a_gap_too():
    with Vdsm(answers=ANSWERS) as host:
        server = Server(config=RULES + upstream(host.port)).start()
        try:
            with server.http() as http:
                http.put("/entities/vm", [{"id": "u1"}])
            status(host, "u1", status="Paused")
            with server.http() as http:
                wait_for(lambda: http.get("/entities/vm/u1").json.get("status") in ("Paused", "Up"))
            server.kill()
            server.check()
            host.answers["Host.getAllVmStats"] = [{"vmId": "u1", "status": "Down"}]
            server.start()
            with server.http() as http:
                wait_for(lambda: http.get("/entities/vm/u1").json["status"] == "Down")
        finally:
            server.kill()
            server.remove()


def test_the_server_ends_whatever_its_hosts_are_doing():
    seed = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"DOCTOR_SEED={seed}")
    chance = random.Random(seed)
    with Vdsm(answers=ANSWERS) as answers, Vdsm() as refuses, socket.create_server(("127.0.0.1", 0)) as hangs:
        hosts = {"answers": answers.port, "refuses": refuses.port, "hangs": hangs.getsockname()[1], "is-gone": free_port()}
        config = RULES + "".join(upstream(port, "republish = true", name) for name, port in hosts.items())
        for _ in range(10):
            with Server(config=config) as server:
                answers.wait_for_listener()
                for number in range(chance.randrange(100)):
                    status(answers, f"u{number}", status="Up")
                if chance.randrange(2):
                    answers.cut()  # it is connected again after 0.5 s, more or less
                    time.sleep(chance.uniform(0, 0.7))
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(20) == 0, server.log
            wait_for(lambda: answers.connection is None)
