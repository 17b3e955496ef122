"""`doctor events` and `doctor rpc`, against a running server."""

import json
import signal
import subprocess
import time

import pytest

from doctor import Server, certificates
from doctor.server import BINARY, environment, free_port, run


def stomp_environment(server, **env):
    return environment(DOCTOR_STOMP_URL=f"stomp://127.0.0.1:{server.stomp}", **env)


def heed_interrupts():
    """What a shell runs in the background ignores them, and so do the tests then."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Events:
    """`doctor events` as it runs, subscribed."""

    def __init__(self, server, *arguments, **env):
        before = server.metrics()["doctor_stomp_subscriptions"]
        self.process = subprocess.Popen([BINARY, "events", *arguments], env=stomp_environment(server, **env), text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=heed_interrupts)
        until = time.monotonic() + 20
        while server.metrics()["doctor_stomp_subscriptions"] < before + 2:  # answers and events
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < until, "it does not subscribe"
            time.sleep(0.01)

    def line(self):
        return self.process.stdout.readline()

    def end(self):
        """The exit status and what is left of both outputs."""
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_events_are_printed_as_they_come(server):
    with Events(server, "*|vm|*|*") as events:
        server.http().post("/entities/host", {"id": "h"})
        server.http().post("/entities/vm", {"id": "1", "status": "up"})
        identity, params = events.line().split(" ", 1)
        assert identity == "127.0.0.1|vm|created|1"
        assert json.loads(params)["id"] == "1"
        server.http().patch("/entities/vm/1", {"status": "down"})
        identity, params = events.line().split(" ", 1)
        assert identity == "127.0.0.1|vm|updated|1" and json.loads(params)["fields"] == ["status"]


def test_json_is_an_object_a_line_and_request_an_end(server):
    with Events(server, "--json", "--request", "2", "*|vm|created|*", "*|*|created|1") as events:
        for i in range(1, 4):
            server.http().post("/entities/vm", {"id": str(i)})
        status, out, err = events.end()
    assert (status, err) == (0, "")
    printed = [json.loads(line) for line in out.splitlines()]
    assert [event["unique_id"] for event in printed] == ["1", "2"]  # 1 matches both ids, and comes once
    assert {key: printed[0][key] for key in ("receiver", "component", "operation")} == {
        "receiver": "127.0.0.1", "component": "vm", "operation": "created"}
    assert printed[0]["params"]["revision"] == 1


def test_an_id_may_have_a_comma(server):
    with Events(server, "--request", "1", "*|vm|created|a,b") as events:
        server.http().post("/entities/vm", [{"id": "a"}, {"id": "a,b"}])
        assert events.end()[1].startswith("127.0.0.1|vm|created|a,b ")


def test_credentials_are_those_of_the_other_sub_commands(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    with Server(secret="s3cret") as server:
        refused = run("events", "*|vm|*|*", env=stomp_environment(server))
        assert refused.returncode == 1 and "Bad CONNECT" in refused.stderr
        assert run("rpc", "Host.ping", env=stomp_environment(server, SECRET="wrong")).returncode == 1
        server.http().put("/sessions/me", {"permissions": {"vm": ["1"]}})
        with Events(server, "--secret-file", str(tmp_path / "secret"), "*|vm|*|*") as connector, \
                Events(server, "--session", "me", "*|vm|*|*") as session:
            server.http().post("/entities/vm", [{"id": "2"}, {"id": "1"}])
            assert connector.line().startswith("127.0.0.1|vm|created|2 ")
            assert session.line().startswith("127.0.0.1|vm|created|1 ")


def test_tls_with_the_name_of_the_server_checked_and_a_certificate_for_a_login(tmp_path):
    authority = certificates.Authority(tmp_path)
    connector = authority.issue("connector")
    config = f'[stomp]\nconnectors = ["connector"]\n[tls.stomp]\nca = "{authority.ca}"\nverify_client = "optional"\n'
    with Server(secret="s3cret", tls=authority.issue("server"), config=config) as server:
        def call(host, *arguments, **env):
            return run("rpc", "--server", f"stomps://{host}:{server.stomp_tls}", "--cacert", str(authority.ca), *arguments,
                       "Host.ping", env=environment(**env))
        for host in ("localhost", "127.0.0.1"):
            assert call(host, SECRET="s3cret").stdout == "true\n"
        assert call("localhost", "--cert", str(connector.cert), "--key", str(connector.key)).stdout == "true\n"
        assert call("localhost").returncode == 1
    with Server(tls=authority.issue("elsewhere", names="DNS:elsewhere")) as server:
        done = call("localhost")
        assert done.returncode == 3 and "hostname mismatch" in done.stderr
        untrusted = run("rpc", "--server", f"stomps://localhost:{server.stomp_tls}", "Host.ping", env=environment())
        assert untrusted.returncode == 3 and "certificate" in untrusted.stderr


def test_a_lost_connection_is_told_and_made_again():
    with Server() as server:
        with Events(server, "*|vm|*|*") as events:
            server.kill()
            assert "trying again" in events.process.stderr.readline()
            server.start(same_ports=True)
            assert "connected again" in events.process.stderr.readline()
            until = time.monotonic() + 20
            while server.metrics()["doctor_stomp_subscriptions"] < 2 and time.monotonic() < until:
                time.sleep(0.01)
            server.http().post("/entities/vm", {"id": "1"})
            assert events.line().startswith("127.0.0.1|vm|created|1 ")


def test_nobody_there_is_exit_status_3():
    env = environment(DOCTOR_STOMP_URL=f"stomp://127.0.0.1:{free_port()}")
    for arguments in (["events", "*|vm|*|*"], ["rpc", "Host.ping"]):
        done = run(*arguments, env=env)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert done.stderr.startswith(f"doctor {arguments[0]}: 127.0.0.1 port ")


@pytest.mark.parametrize("arguments", [
    ["events"], ["events", "*|*|*|*"], ["events", "a|b"], ["events", "--request", "0", "*|a|*|*"],
    ["events", "--server", "http://localhost", "*|a|*|*"], ["events", "--server", "stomp://h:x", "*|a|*|*"],
    ["events", "--server", "stomps://localhost", "--cacert", "/nowhere", "*|a|*|*"],
    ["rpc"], ["rpc", "m", "{"], ["rpc", "m", "1"], ["rpc", "m", "@/nowhere"], ["rpc", "m", "--timeout", "0"],
    ["rpc", "m", "--secret-file", "/nowhere"]])
def test_a_mistake_on_the_command_line_is_exit_status_2(arguments):
    done = run(*arguments, env=environment())
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr


def test_whoever_does_not_read_on_ends_it(server):
    with Events(server, "*|vm|*|*") as events:
        events.process.stdout.close()
        for i in range(2):
            server.http().post("/entities/vm", {"id": str(i)})
        assert events.process.wait(20) == 1
    with Events(server, "*|vm|*|*") as events:
        events.process.send_signal(signal.SIGINT)
        assert events.process.wait(20) == -signal.SIGINT


def test_a_method_is_called_and_its_result_printed(server, tmp_path):
    env = stomp_environment(server)
    assert run("rpc", "Host.ping", env=env).stdout == "true\n"
    assert json.loads(run("rpc", "echo", '{"text": "a b"}', env=env).stdout) == "a b"
    (tmp_path / "params").write_text('{"collection": "vm", "document": {"id": "1"}}')
    assert run("rpc", "Entity.create", f"@{tmp_path}/params", env=env).returncode == 0
    done = run("rpc", "Entity.get", "-", input='{"collection": "vm", "id": "1"}', env=env)
    assert json.loads(done.stdout)["document"] == {"id": "1"}


def test_documents_may_be_as_deep_as_they_are_stored(server):
    env = stomp_environment(server)
    deep = {"collection": "vm", "document": {"id": "1", "a": json.loads("[" * 63 + "]" * 63)}}
    assert run("rpc", "Entity.create", "-", input=json.dumps(deep), env=env).returncode == 0
    done = run("rpc", "Entity.list", '{"collection": "vm"}', "--timeout", "20", env=env)
    assert json.loads(done.stdout)["documents"] == [deep["document"]], done.stderr


def test_an_error_is_told_with_its_code_and_exits_1(server):
    done = run("rpc", "No.such", env=stomp_environment(server))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("doctor rpc: -32601 ")
