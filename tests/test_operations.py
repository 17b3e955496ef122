"""Starting, stopping, configuring and watching the server."""

import hashlib
import contextlib
import json
import re
import signal
import socket
import subprocess
import time

import pytest

from doctor import Http, Server
from doctor.mqtt import Mqtt
from doctor.server import BINARY, environment, free_port, refused_start, run


# -- configuration ----------------------------------------------------------------------------


@pytest.mark.parametrize("config, said", [
    ("api_prot = 1\n", "api_prot"),
    ("\n\nlimits.nesting = \"deep\"\n", "nesting"),
    ("[limits]\nnesting = -1\n", "nesting"),
    ("[limits]\nnesting = 1.5\n", "nesting"),
    ("[limits]\nheader_timeout = \"soon\"\n", "header_timeout"),
    ("[limits]\nrequest_body = \"12 apples\"\n", "request_body"),
    ("[limits]\nunknown_limit = 1\n", "unknown_limit"),
    ("[unknown]\n", "unknown"),
    ("cors_origins = \"https://a.example\"\n", "cors_origins"),
    ("cors_origins = [\"a.example\"]\n", "cors_origins"),
    ("allowed_hosts = 1\n", "allowed_hosts"),
    ("clustered = 2\n", "clustered"),
    ("[log]\nlevel = \"loud\"\n", "level"),
    ("[log]\nformat = \"xml\"\n", "format"),
    ("listen = \n", "expected"),
    ("listen = 5\n", "listen"),
])
def test_a_mistake_in_the_configuration_stops_the_start_with_file_line_and_what_was_expected(config, said):
    status, log = refused_start(config=config)
    line = 1 + next(n for n, text in enumerate(config.splitlines()) if text and not text.startswith("[l"))
    assert status == 2 and "doctor.toml" in log and said in log, log
    assert re.search(rf"doctor\.toml:{line}\b|line {line}\b", log), log
    assert "\n\n" not in log.strip()


def test_a_configuration_file_that_is_not_there_stops_the_start():
    status, log = refused_start(args=["--config", "/nonexistent/doctor.toml"])
    assert status == 2 and "/nonexistent/doctor.toml" in log


@pytest.mark.parametrize("args", [["--api-port", "65536"], ["--api-port", "x"], ["--listen", "nowhere.invalid"], ["--no-such-flag"], ["--secret", "x"]])
def test_a_mistake_on_the_command_line_is_told(args):
    status, log = refused_start(args=args)
    assert status == 2 and args[0].lstrip("-") in log, log


@pytest.mark.parametrize("env", [{"API_PORT": "x"}, {"MQTT_PORT": "-1"}, {"CLUSTERED": "maybe"}])
def test_a_mistake_in_the_environment_is_told(env):
    server = Server(env=env)
    server.command = lambda: [str(BINARY), "serve", "--data-dir", str(server.data), "--listen", "127.0.0.1"]
    try:
        server.launch()
        assert server.process.wait(20) == 2
        assert next(iter(env)) in server.log
    finally:
        server.kill()
        server.remove()


def test_an_empty_secret_stops_the_start():
    status, log = refused_start(secret="")
    assert status == 2 and "SECRET" in log


def test_a_short_id_of_a_session_is_warned_of_once_and_logged_by_its_fingerprint():
    with Server(secret="open sesame") as server, server.http() as http:
        http.put("/sessions/long-enough-to-guess", "{}")
        assert "guessed" not in server.log
        http.put("/sessions/short-id", "{}")
        http.post("/sessions", [{"id": "short-too"}])
        assert server.log.count("guessed") == 1
        assert f"session={hashlib.sha256(b'short-id').hexdigest()[:8]}" in server.log and "short-id" not in server.log


def test_a_secret_file_is_read_and_an_empty_or_missing_one_stops_the_start(tmp_path):
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    with Server(args=["--secret-file", str(path)]) as server, Http(server.api) as http:
        assert http.get("/entities").status == 401
        assert http.get("/entities", headers={"SECRET": "from a file"}).status == 200
    path.write_text("\n")
    assert refused_start(args=["--secret-file", str(path)])[0] == 2
    assert refused_start(args=["--secret-file", str(tmp_path / "none")])[0] == 2


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path):
    by_file, by_env, by_flag = free_port(), free_port(), free_port()
    server = Server(config=f"api_port = {by_file}\nmqtt_port = 0\nstomp_port = 0\n", env={"API_PORT": str(by_env)})
    plain = [str(BINARY), "serve", "--config", str(server.config_path), "--data-dir", str(server.data)]
    for env, args, port in (({}, [], by_file), ({"API_PORT": str(by_env)}, [], by_env),
                            ({"API_PORT": str(by_env)}, ["--api-port", str(by_flag)], by_flag)):
        server.env = env
        server.command = lambda args=args: plain + args
        server.launch()
        server.api = port
        try:
            assert server.wait_ready(), server.log
            assert server.stop() == 0
        finally:
            server.kill()
    server.remove()


def test_a_port_of_0_turns_a_listener_off():
    server = Server()
    server.command = lambda: [str(BINARY), "serve", "--data-dir", str(server.data), "--api-port", str(server.api),
                              "--mqtt-port", "0", "--stomp-port", "0"]
    with server:
        inodes = {line.split()[3] for line in open("/proc/net/tcp").readlines()[1:] if line.split()[3] == "0A"}
        assert inodes is not None
        with pytest.raises(ConnectionRefusedError):
            Mqtt(server.mqtt)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.stomp))
        with server.http() as http:
            assert http.get("/readyz").status == 200


def test_settings_of_the_first_doctor_are_accepted_with_a_word():
    with Server(env={"MONGO_HOST": "localhost", "MONGO_MAIN_DB": "doctor", "CLUSTERED": "0"}) as server:
        assert "MONGO_HOST" in server.log and "doctor import" in server.log and "--drop _id" in server.log
        assert str(server.data) in server.log
    with Server(env={"CLUSTERED": "1"}) as server:
        assert "MONGO" not in server.log


def test_unsecured_it_says_so_and_does_not_listen_beyond_loopback():
    with Server() as server:
        assert "unsecured" in server.log.lower()
    status, log = refused_start(args=["--listen", "0.0.0.0"])
    assert status == 2 and "allow_unsecured_remote" in log
    with Server(config="allow_unsecured_remote = true\n", args=["--listen", "0.0.0.0"]) as server:
        with server.http() as http:
            assert http.get("/entities").status == 200


def test_unsecured_it_listens_on_loopback_and_secured_everywhere_by_default():
    for secret, address in ((None, "0100007F"), ("open sesame", "00000000")):
        server = Server(secret=secret)
        server.command = lambda: [str(BINARY), "serve", "--config", str(server.config_path), "--data-dir", str(server.data),
                                  "--api-port", str(server.api), "--mqtt-port", str(server.mqtt), "--stomp-port", str(server.stomp)]
        with server:
            listening = [line.split()[1] for name in ("/proc/net/tcp", "/proc/net/tcp6") for line in open(name) if line.split()[3] == "0A"]
            found = [one for one in listening if one.endswith(f":{server.api:04X}")]
            assert found and all(one.startswith((address, "0" * 8)) for one in found)
            assert secret or all(not one.startswith("0" * 8 + ":") for one in found)
            stomp = [one for one in listening if one.endswith(f":{server.stomp:04X}")]
            loopback = ("0100007F:", "00000000000000000000000001000000:")
            assert stomp and all(one.startswith(loopback) for one in stomp), "without TLS it does not leave the machine"
            assert not secret or "clear text" in server.log.lower() or "tls" in server.log.lower()


def test_the_configuration_is_read_again_on_sighup():
    with Server(config="[log]\nlevel = \"error\"\n") as server, server.http() as http:
        http.get("/entities")
        server.config_path.write_text("[log]\nlevel = \"debug\"\nformat = \"json\"\n")
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 10
        while not any(line.startswith("{") for line in server.log.splitlines()) and time.monotonic() < until:
            http.get("/entities")
            time.sleep(0.05)
        lines = [line for line in server.log.splitlines() if line.startswith("{")]
        assert lines and all(json.loads(line) for line in lines)
        server.config_path.write_text("nonsense = 1\n")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert http.get("/entities").status == 200 and "nonsense" in server.log


# -- starting and stopping --------------------------------------------------------------------


def test_a_second_server_on_one_data_directory_is_refused():
    with Server() as first:
        status, log = refused_start(data=first.data)
        assert status != 0 and str(first.data) in log
        with first.http() as http:
            assert http.put("/entities/vm/1", {}).status == 201


def test_check_is_refused_while_a_server_holds_the_directory_and_clean_afterwards():
    server = Server()
    with server.start().http() as http:
        http.put("/entities/vm", [{"id": "1", "cluster": "c"}])
    try:
        held = run("check", "--data-dir", server.data)
        assert held.returncode == 1 and str(server.data) in held.stderr + held.stdout
        assert server.stop() == 0
        server.check()
    finally:
        server.kill()
        server.remove()


def test_a_port_in_use_is_told_by_name():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for flag in ("--api-port", "--mqtt-port"):
            status, log = refused_start(args=[flag, str(port)])
            assert status != 0 and str(port) in log and "in use" in log


def test_sigterm_finishes_what_is_under_way_and_ends_with_0():
    with Server() as server:
        with server.http() as http, Mqtt(server.mqtt) as client:
            client.subscribe("#")
            half = Http(server.api).connect()
            half.send(b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{")
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            half.send(b"}")
            assert half.read().status == 201
            assert server.process.wait(20) == 0
            with pytest.raises(ConnectionRefusedError):
                http.connect()
        server.start()
        with server.http() as http:
            assert http.get("/entities/vm/1").status == 200
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0


def test_sigterm_does_not_wait_for_ever():
    with Server(config="[limits]\nshutdown_grace = \"1s\"\n") as server:
        half = Http(server.api).connect()
        half.send(b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{")
        time.sleep(0.1)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 6
        half.close()


def test_a_store_that_is_none_is_refused_by_name(tmp_path):
    data = tmp_path / "data"
    with Server(data=data) as server, server.http() as http:
        http.put("/entities/vm", [{"id": str(n), "pad": "x" * 2000} for n in range(50)])
    files = [path for path in data.rglob("*") if path.is_file() and b"x" * 2000 in path.read_bytes()]
    assert files
    for path in files:
        good = path.read_bytes()
        path.write_bytes(b"not a store at all" * 1000)
        status, log = refused_start(data=data)
        assert status == 1 and str(data) in log, log
        assert run("check", "--data-dir", data).returncode == 1
        path.write_bytes(good[:4096])
        assert run("check", "--data-dir", data).returncode == 1
        path.write_bytes(good)
    with Server(data=data) as server, server.http() as http:
        assert len(http.get("/entities/vm").json) == 50


def test_a_hundred_thousand_documents_are_opened_at_once(tmp_path):
    data = tmp_path / "data"
    with Server(data=data) as server, server.http(timeout=60) as http:
        for part in range(4):
            http.put(f"/entities/part{part}", [{"id": str(n), "n": n, "ref": str(n % 100)} for n in range(25_000)])
    started = time.monotonic()
    with Server(data=data) as server, server.http() as http:
        assert time.monotonic() - started < 1.5
        assert sum(one["count"] for one in http.get("/entities").json) == 100_000


# -- watching ---------------------------------------------------------------------------------


def test_health_and_readiness_are_public_and_say_nothing_else(secured):
    with Http(secured.api) as http:
        for path in ("/healthz", "/readyz"):
            answer = http.get(path)
            assert answer.status == 200 and len(answer.body) < 100 and not answer["Doctor-Revision"]


def test_the_root_tells_name_version_and_links(server):
    with server.http() as http:
        answer = http.get("/").json
        assert answer["name"].lower() == "doctor" and answer["version"] and "/entities" in json.dumps(answer)


def test_metrics_count_what_happened_without_naming_anybody(secured):
    session = "a-very-secret-session-id"
    with secured.http() as http, secured.http(session=session) as reader:
        http.post("/sessions", {"id": session, "permissions": {"collection-seen": "*"}})
        http.put("/entities/collection-seen", [{"id": "id-seen"}, {"id": "2"}])
        reader.get("/entities/collection-seen")
        reader.get("/entities/collection-seen/none")
        with Mqtt(secured.mqtt, "session", session, client_id="client-seen") as client:
            client.subscribe("collection-seen/+")
            http.patch("/entities/collection-seen/2", {"a": 1})
            client.hear()
        answer = http.get("/metrics")
    text = answer.body.decode()
    assert answer["Content-Type"].startswith("text/plain")
    for seen in (session, "collection-seen", "id-seen", "client-seen", "open sesame"):
        assert seen not in text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    for part in ("request", "_bucket", "commit", "change", "connection", "message", "queue", "drop", "store", "build_info"):
        assert any(part in name for name in names), f"nothing about {part} in {sorted(names)}"
    assert re.search(r'route="/entities/\{[a-z]+\}"', text) and re.search(r'(status|code)="404"', text)
    described = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    assert all(any(name == one or name in (one + "_bucket", one + "_sum", one + "_count") for one in described) for name in names)
    assert len(re.findall(r"^# HELP ", text, re.M)) == len(described)


def test_metrics_may_have_a_listener_of_their_own():
    port = free_port()
    with Server(secret="open sesame", config=f"[metrics]\nlisten = \"127.0.0.1\"\nport = {port}\n") as server:
        with Http(port) as http:
            assert http.get("/metrics").status == 200
            assert http.get("/healthz").status == 200
            assert http.get("/entities").status == 404
        with Http(server.api) as http:
            assert http.get("/metrics").status in (401, 404)


def test_logs_hold_a_request_id_and_never_a_secret():
    session = "a-very-secret-session-id"
    with Server(secret="open sesame", config="[log]\nlevel = \"debug\"\nformat = \"json\"\n") as server:
        with server.http() as http, server.http(session=session) as reader, Http(server.api, headers={"SECRET": "mistyped sesame"}) as wrong:
            http.put(f"/sessions/{session}", {"permissions": "*"})
            reader.get("/entities/vm/1")
            reader.get("/entities", headers={"Authorization": f"Bearer {session}", "SESSION": None})
            wrong.get("/entities")
            http.get(f"/sessions/{session}")
            http.delete(f"/sessions/{session}")
            reader.get("/entities")
        with Mqtt(server.mqtt, "session", session) as client:
            assert client.code != 0
        log = server.log
        lines = [json.loads(line) for line in log.splitlines()]
        assert any("request" in key for line in lines for key in line)
        for secret in ("open sesame", "mistyped sesame", session):
            assert secret not in log
        assert "/sessions/{id}" in log


def test_a_short_session_id_is_warned_of_once(secured):
    with secured.http() as http:
        for _ in range(3):
            http.put("/sessions/short", {"permissions": {}})
            http.delete("/sessions/short")
        http.put("/sessions/0123456789abcdef", {})
    assert len([line for line in secured.log.splitlines() if "16" in line and "session" in line.lower()]) == 1


def test_failed_logins_over_http_are_delayed_and_good_ones_are_not(secured):
    with Http(secured.api, headers={"SECRET": "wrong"}) as wrong, Http(secured.api) as nobody, secured.http() as right:
        started = time.monotonic()
        assert wrong.get("/entities").status == 401
        assert time.monotonic() - started < 0.5
        for _ in range(3):
            wrong.get("/entities")
        assert 0.2 < time.monotonic() - started < 15
        started = time.monotonic()
        assert right.get("/entities").status == 200 and nobody.get("/entities").status == 401
        assert time.monotonic() - started < 0.5


def test_failed_logins_are_logged_once_a_minute_with_the_address_and_never_the_secret(secured):
    with Http(secured.api, headers={"SECRET": "a bad guess"}) as wrong, Http(secured.api, headers={"SESSION": "another-guess"}) as lost:
        for one in (wrong, lost):
            assert one.get("/entities").status == 401
    for user in ("connector", "session"):
        with Mqtt(secured.mqtt, user, "the third guess", version=5, timeout=20) as client:
            assert client.code == 0x86
    lines = [line for line in secured.log.splitlines() if "login" in line]
    assert len(lines) == 1 and "127.0.0.1" in lines[0] and "guess" not in secured.log
    counted = secured.metrics()
    assert counted['doctor_failed_logins_total{protocol="http"}'] == 2
    assert counted['doctor_failed_logins_total{protocol="mqtt"}'] == 2
    assert counted['doctor_mqtt_connects_refused_total{cause="credentials"}'] == 2


def test_help_is_there_and_names_every_sub_command():
    found = run("--help")
    assert found.returncode == 0
    for name in ("serve", "check", "get", "put", "post", "patch", "delete", "query", "import", "export", "sessions"):
        assert re.search(rf"\b{name}\b", found.stdout), name
        assert run(name, "--help").returncode == 0
    assert run("no-such-command").returncode == 2
    assert run("--version").stdout.strip()
    assert subprocess.run([BINARY], env=environment(), capture_output=True, timeout=10).returncode != 0


def ready(port, timeout=10):
    """Whether /readyz says 200 in time: before, nobody listens, or the answer is 503."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError), Http(port) as http:
            if http.get("/readyz").status == 200:
                return True
        time.sleep(0.02)
    return False


def test_without_other_words_it_reads_doctor_toml_in_the_working_directory_and_keeps_its_data_there(tmp_path):
    port = free_port()
    (tmp_path / "doctor.toml").write_text(f"api_port = {port}\nmqtt_port = 0\nstomp_port = 0\n")
    for env, data in (({}, tmp_path / "data"), ({"DOCTOR_DATA_DIR": str(tmp_path / "elsewhere")}, tmp_path / "elsewhere")):
        server = subprocess.Popen([BINARY, "serve"], cwd=tmp_path, env=environment(**env), stderr=subprocess.DEVNULL)
        try:
            assert ready(port), "not ready within 10 s"
            assert data.is_dir() and any(data.iterdir())
        finally:
            server.terminate()
            assert server.wait(10) == 0
