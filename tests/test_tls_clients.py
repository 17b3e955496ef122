"""HTTPS, and MQTT and WebSocket over TLS, as clients of others and our own speak them."""

import json
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from doctor import Http, Server
from doctor.certificates import Files, context
from doctor.clients import Paho, mosquitto_sub, mqtt_js
from doctor.server import environment, run
from doctor.tls import curl, https


def test_curl_reads_and_writes_over_https_and_refuses_a_certificate_that_nobody_vouches_for(tls, trust):
    url = f"https://localhost:{tls.api_tls}/entities/vm/1"
    assert curl("--cacert", trust.ca, "-X", "PUT", "--json", '{"n": 1}', url).returncode == 0
    assert json.loads(curl("--cacert", trust.ca, url).stdout) == {"id": "1", "n": 1}
    assert curl(url).returncode == 60


def test_the_plain_ports_serve_the_same_beside(tls, trust):
    with https(tls, trust) as secure, tls.http() as plain:
        secure.put("/entities/vm/1", {"n": 1})
        assert plain.get("/entities/vm/1").json == secure.get("/entities/vm/1").json
        assert plain.get("/entities/vm/1").body == secure.get("/entities/vm/1").body


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(tls, trust, version):
    with Http(tls.api_tls, tls=context(trust, version)) as http:
        assert http.get("/readyz").status == 200
        name, spoken, bits = http.socket.cipher()
        assert bits >= 128 and ("GCM" in name or "CHACHA20" in name)
        assert http.socket.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]


def test_older_versions_and_weak_ciphers_are_not(tls, trust):
    old = context(trust)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    weak = context(trust, ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES128-SHA:AES256-GCM-SHA384:ECDHE+AES+SHA1:@SECLEVEL=0")
    for one in (old, weak):
        with pytest.raises(ssl.SSLError):
            Http(tls.api_tls, tls=one).connect()


def test_alpn_names_what_is_spoken_and_refuses_who_offers_only_others(tls, trust):
    for port, own, other in ((tls.api_tls, "http/1.1", "mqtt"), (tls.mqtt_tls, "mqtt", "http/1.1")):
        both = context(trust)
        both.set_alpn_protocols(["h2", own])
        with Http(port, tls=both).connect() as client:
            assert client.socket.selected_alpn_protocol() == own
        foreign = context(trust)
        foreign.set_alpn_protocols(["h2", other])
        with pytest.raises(ssl.SSLError, match="(?i)application.protocol"):
            Http(port, tls=foreign).connect()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(tls, trust, version):
    made = context(trust, version)

    def visit(session):
        with socket.create_connection(("127.0.0.1", tls.api_tls), 10) as raw:
            with made.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b"200" in client.recv(1000)
                return client.session_reused, client.session

    first, session = visit(None)
    assert not first and visit(session)[0]


def test_a_client_cannot_renegotiate(tls, trust):
    talk = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{tls.api_tls}", "-tls1_2", "-CAfile", str(trust.ca)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    talk.stdin.write("R\n")  # s_client's word for it
    talk.stdin.flush()
    said = talk.communicate(timeout=20)[0]
    assert "RENEGOTIATING" in said and "no renegotiation" in said.lower(), said
    with https(tls, trust) as http:
        assert http.get("/healthz").status == 200


@pytest.mark.parametrize("make", [
    lambda server, tls: Paho(server, "#", 4, tls=tls),
    lambda server, tls: Paho(server, "#", 5, tls=tls),
    lambda server, tls: Paho(server, "#", 5, "websockets", tls=tls),
    lambda server, tls: mosquitto_sub(server, "#", 4, tls=tls),
    lambda server, tls: mosquitto_sub(server, "#", 5, tls=tls),
    lambda server, tls: mqtt_js(server, "#", 5, tls=tls),
    lambda server, tls: mqtt_js(server, "#", 4, "tcp", tls=tls),
], ids=["paho-4", "paho-5", "paho-5-wss", "mosquitto_sub-4", "mosquitto_sub-5", "mqtt.js-5-wss", "mqtt.js-4-tls"])
def test_mqtt_clients_hear_over_tls(tls, trust, make):
    subscriber = make(tls, trust)
    try:
        with https(tls, trust) as http:
            http.put("/entities/vm", [{"id": str(n)} for n in range(500)])
            http.patch("/entities/vm/7", {"status": "up"})
        assert [subscriber.next() for _ in range(501)] == [f"vm/{n} +" for n in range(500)] + ["vm/7 status"]
    finally:
        subscriber.close()


def test_operators_see_who_came_over_tls(tls, trust):
    plain, secure, browser = Paho(tls, "#", 5), Paho(tls, "#", 5, tls=trust), Paho(tls, "#", 5, "websockets", tls=trust)
    with tls.http() as http:
        found = [client["connection"] for client in http.get("/mqtt/clients").json]
    assert sorted((one["transport"], one["tls"]) for one in found) == [("tcp", False), ("tcp", True), ("websocket", True)]
    for client in (plain, secure, browser):
        client.close()


def test_the_clients_of_doctor_speak_https(tls, server_files, trust, authority):
    url = f"https://localhost:{tls.api_tls}"
    made = run("put", "vm", "1", '{"n": 1}', "--server", url, "--cacert", trust.ca)
    assert made.returncode == 0, made.stderr
    by_environment = run("get", "vm", "1", env=environment(DOCTOR_URL=url, DOCTOR_CACERT=str(trust.ca)))
    assert json.loads(by_environment.stdout) == {"id": "1", "n": 1}
    stranger = run("get", "vm", "1", "--server", url)
    assert stranger.returncode == 3 and "certificate" in stranger.stderr
    demanding = "[tls]\nca = \"%s\"\nverify_client = \"required\"\n" % authority.ca
    with Server(tls=server_files, config=demanding) as server:
        url, own = f"https://localhost:{server.api_tls}", authority.issue("somebody")
        assert run("get", "--server", url, "--cacert", trust.ca).returncode == 3
        shown = run("get", "--server", url, "--cacert", trust.ca, "--cert", own.cert, "--key", own.key)
        assert shown.returncode == 0, shown.stderr


def test_the_commands_of_the_manual_make_certificates_that_work(tmp_path):
    page = (Path(__file__).resolve().parent.parent / "docs/operations.md").read_text()
    section = page.split("## TLS\n")[1].split("\n## ")[0].replace("\\\n", "")
    commands = [line.strip() for line in section.splitlines() if line.startswith("    openssl ")]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    made = Files(*(tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")))
    with Server(tls=made) as server:
        subscriber = mosquitto_sub(server, "#", 5, tls=Files(made.ca))
        try:
            assert curl("--cacert", made.ca, "--json", '{"id": "1"}', f"https://localhost:{server.api_tls}/entities/vm").returncode == 0
            assert subscriber.next() == "vm/1 +"
        finally:
            subscriber.close()
