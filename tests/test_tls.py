"""TLS: HTTPS, MQTT and WebSocket over it, client certificates, new certificates while running, hostile handshakes."""

import contextlib
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path

import pytest

from doctor import Http, Server, scaled
from doctor.certificates import Authority, Files, context, openssl
from doctor.clients import Paho, mosquitto_sub, mqtt_js
from doctor.mqtt import Gone, Mqtt, connect_packet
from doctor.server import environment, free_port, run

from test_operations import refused_start


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def files(authority):
    return authority.issue("server")


@pytest.fixture(scope="module")
def trust(authority):
    return Files(authority.ca)


@pytest.fixture
def tls(files):
    """An unsecured server with TLS beside its plain ports."""
    with Server(tls=files) as running:
        yield running


def https(server, trust, **more):
    return Http(server.api_tls, tls=context(trust), **more)


def handshakes(server, listener):
    found = server.metrics()
    return {one: int(found[f'doctor_tls_handshakes_total{{listener="{listener}",outcome="{one}"}}'])
            for one in ("done", "failed", "timed_out")}


def wait_for(what, timeout=10):
    until = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


def curl(*arguments):
    return subprocess.run(["curl", "-sS", *map(str, arguments)], capture_output=True, text=True, timeout=20)


class Bytes:
    """A TLS client whose octets on the wire a test moves by itself."""

    def __init__(self, port, files, receive_buffer=None, **more):
        self.socket = socket.socket()
        self.socket.settimeout(10)
        if receive_buffer:  # before it connects, or the server may already send more
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(files).wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1", **more)

    def deliver(self, piece=1 << 14):
        """Sends what is to be sent, `piece` octets at a time."""
        data = self.outgoing.read()
        for at in range(0, len(data), piece):
            self.socket.sendall(data[at : at + piece])
        return len(data)

    def until(self, action, piece=1 << 14, read=1 << 14):
        """Repeats an action that may want to read, reading `read` octets at a time."""
        while True:
            try:
                done = action()
                self.deliver(piece)
                return done
            except ssl.SSLWantReadError:
                self.deliver(piece)
                data = self.socket.recv(read)
                self.incoming.write(data) if data else self.incoming.write_eof()

    def handshake(self, **pieces):
        self.until(self.tls.do_handshake, **pieces)
        return self

    def read_all(self):
        """All until close_notify; raises SSLEOFError without one."""
        found = b""
        while data := self.until(lambda: self.tls.read(1 << 14)):
            found += data
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


# -- clients ----------------------------------------------------------------------------------


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


def test_the_clients_of_doctor_speak_https(tls, files, trust, authority):
    url = f"https://localhost:{tls.api_tls}"
    made = run("put", "vm", "1", '{"n": 1}', "--server", url, "--cacert", trust.ca)
    assert made.returncode == 0, made.stderr
    by_environment = run("get", "vm", "1", env=environment(DOCTOR_URL=url, DOCTOR_CACERT=str(trust.ca)))
    assert json.loads(by_environment.stdout) == {"id": "1", "n": 1}
    stranger = run("get", "vm", "1", "--server", url)
    assert stranger.returncode == 3 and "certificate" in stranger.stderr
    demanding = "[tls]\nca = \"%s\"\nverify_client = \"required\"\n" % authority.ca
    with Server(tls=files, config=demanding) as server:
        url, own = f"https://localhost:{server.api_tls}", authority.issue("somebody")
        assert run("get", "--server", url, "--cacert", trust.ca).returncode == 3
        shown = run("get", "--server", url, "--cacert", trust.ca, "--cert", own.cert, "--key", own.key)
        assert shown.returncode == 0, shown.stderr


# -- client certificates ----------------------------------------------------------------------


@pytest.mark.parametrize("demand, nobody, good, foreign", [
    ("none", True, True, True), ("optional", True, True, False), ("required", False, True, False)])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates_are_none_optional_or_required(authority, files, trust, tmp_path, demand, nobody, good, foreign, version):
    own = authority.issue("client")
    stranger = Authority(tmp_path, "stranger").issue("client")
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"{demand}\"\n"
    with Server(tls=files, config=config) as server:
        for shown, admitted in ((trust, nobody), (own, good), (Files(authority.ca, stranger.cert, stranger.key), foreign)):
            made = context(shown, version)
            if admitted:
                for _ in range(2):
                    with Http(server.api_tls, tls=made) as http:
                        assert http.get("/entities").status == 200
                with Mqtt(server.mqtt_tls, tls=made) as client:
                    client.ping()
                continue
            with pytest.raises((ssl.SSLError, ConnectionError)), Http(server.api_tls, tls=made) as http:
                http.get("/entities")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                Mqtt(server.mqtt_tls, tls=made).ping()
        refused = (not nobody) + (not foreign)
        assert handshakes(server, "api") == {"done": 2 * (3 - refused), "failed": refused, "timed_out": 0}
        assert ("a TLS handshake failed" in server.log) == bool(refused)
        assert not refused or "peer=127.0.0.1" in server.log


def test_a_refused_client_is_told_by_an_alert_why(authority, files, trust):
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"required\"\n"
    with Server(tls=files, config=config) as server, Bytes(server.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        with pytest.raises(ssl.SSLError, match="(?i)certificate.required"):
            client.read_all()


def test_a_ca_makes_client_certificates_optional_and_each_listener_may_have_its_own_rules(authority, files, trust, tmp_path):
    other = Authority(tmp_path, "other")
    of_mqtt = other.issue("mqtt")
    config = f"""[tls]
ca = "{authority.ca}"
[tls.mqtt]
cert = "{of_mqtt.cert}"
key = "{of_mqtt.key}"
verify_client = "required"
"""
    with Server(tls=files, config=config) as server:
        with https(server, trust) as http:
            assert http.get("/entities").status == 200
        own = authority.issue("client")
        with Mqtt(server.mqtt_tls, tls=context(Files(other.ca, own.cert, own.key))) as client:
            client.ping()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Mqtt(server.mqtt_tls, tls=context(Files(other.ca))).ping()


def test_a_certificate_does_not_replace_the_secret(authority, files):
    own = authority.issue("client")
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"required\"\n"
    with Server(tls=files, secret="open sesame", config=config) as server, https(server, own) as http:
        assert http.get("/entities").status == 401
        assert http.get("/entities", headers={"SECRET": "open sesame"}).status == 200
        assert Mqtt(server.mqtt_tls, tls=context(own)).code != 0
        assert Mqtt(server.mqtt_tls, "connector", "open sesame", tls=context(own)).code == 0


# -- settings ---------------------------------------------------------------------------------


def test_settings_come_by_flag_environment_and_file(files, trust):
    port = free_port()
    given = {"cert": str(files.cert), "key": str(files.key)}
    by_env = {"API_TLS_PORT": str(port), "TLS_CERT": given["cert"], "TLS_KEY": given["key"]}
    by_flag = ["--api-tls-port", str(port), "--tls-cert", given["cert"], "--tls-key", given["key"]]
    by_file = "api_tls_port = %d\n[tls]\ncert = \"%s\"\nkey = \"%s\"\n" % (port, given["cert"], given["key"])
    wrong = {"TLS_CERT": "/nonexistent", "TLS_KEY": "/nonexistent"}
    for options in ({"env": by_env}, {"args": by_flag}, {"config": by_file}, {"args": by_flag, "env": wrong},
                    {"env": by_env, "config": by_file.replace(given["cert"], "/nonexistent")}):
        with Server(**options), Http(port, tls=context(trust)) as http:
            assert http.get("/readyz").status == 200


def test_a_key_may_be_in_the_file_of_its_certificate(files, trust, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(files.key.read_text() + files.cert.read_text())
    port = free_port()
    with Server(args=["--api-tls-port", str(port), "--tls-cert", str(both)]), Http(port, tls=context(trust)) as http:
        assert http.get("/readyz").status == 200


def test_a_chain_is_sent_whole(authority, trust, tmp_path):
    """The server's certificate is signed by an authority in between, which clients do not know."""
    between, key = tmp_path / "between.pem", tmp_path / "between.key"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=between", "-addext",
            "basicConstraints=critical,CA:TRUE", "-keyout", key, "-out", tmp_path / "between.csr")
    openssl("x509", "-req", "-in", tmp_path / "between.csr", "-CA", authority.ca, "-CAkey", authority.ca_key,
            "-CAcreateserial", "-copy_extensions", "copy", "-days", 30, "-out", between)
    lower = Authority.__new__(Authority)
    lower.folder, lower.name, lower.ca, lower.ca_key = tmp_path, "between", between, key
    issued = lower.issue("server", key="rsa")
    chain = tmp_path / "chain.pem"
    chain.write_text(issued.cert.read_text() + between.read_text())
    with Server(tls=Files(between, chain, issued.key)) as server, https(server, trust) as http:
        assert http.get("/readyz").status == 200
        assert http.socket.cipher()[2] >= 128


def test_metrics_may_be_had_over_tls(files, trust):
    port = free_port()
    config = f"[metrics]\ntls_port = {port}\n[tls]\ncert = \"{files.cert}\"\nkey = \"{files.key}\"\n"
    with Server(secret="open sesame", config=config), Http(port, tls=context(trust)) as http:
        text = http.get("/metrics").body.decode()
        assert 'doctor_tls_handshakes_total{listener="metrics",outcome="done"} 1' in text
        expires = float(re.search(r'doctor_tls_certificate_expiry_timestamp_seconds\{listener="metrics"\} (\S+)', text)[1])
        assert abs(expires - time.time() - 30 * 86400) < 3600
        assert http.get("/entities").status == 404


@pytest.mark.parametrize("args, status, said", [
    (["--api-tls-port", "3443"], 2, "api_tls_port is 3443, but there is no certificate"),
    (["--mqtt-tls-port", "8883"], 2, "mqtt_tls_port is 8883, but there is no certificate"),
    (["--api-tls-port", "3443", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-verify-client", "required"], 2, "tls.ca"),
    (["--api-tls-port", "3443", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-verify-client", "always"], 2, "required"),
    (["--api-tls-port", "{port}", "--tls-cert", "{none}", "--tls-key", "{key}"], 1, "{none} cannot be read: No such file"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{none}"], 1, "{none} cannot be read: No such file"),
    (["--api-tls-port", "{port}", "--tls-cert", "{empty}", "--tls-key", "{key}"], 1, "{empty} is empty"),
    (["--api-tls-port", "{port}", "--tls-cert", "{folder}", "--tls-key", "{key}"], 1, "{folder} cannot be read"),
    (["--api-tls-port", "{port}", "--tls-cert", "{junk}", "--tls-key", "{key}"], 1, "{junk} cannot be used"),
    (["--api-tls-port", "{port}", "--tls-cert", "{key}", "--tls-key", "{key}"], 1, "{key} cannot be used"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}"], 1, "{cert} holds no private key"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{junk}"], 1, "{junk} holds no private key"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{other}"], 1, "{other} does not belong to the certificate {cert}"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{rsa}"], 1, "{rsa} does not belong to the certificate {cert}"),
    (["--api-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{locked}"], 1, "{locked} is protected by a passphrase"),
    (["--mqtt-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-ca", "{none}"], 1, "{none} cannot be read"),
    (["--mqtt-tls-port", "{port}", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-ca", "{junk}"], 1, "{junk} cannot be used"),
])
def test_what_is_wrong_with_a_certificate_is_told_at_the_start_with_its_file(authority, files, tmp_path, args, status, said):
    names = {"cert": files.cert, "key": files.key, "none": tmp_path / "none.pem", "empty": tmp_path / "empty.pem",
             "junk": tmp_path / "junk.pem", "locked": tmp_path / "locked.key", "folder": tmp_path, "port": free_port(),
             "other": authority.issue("other").key, "rsa": authority.issue("rsa", key="rsa").key}
    names["empty"].touch()
    names["junk"].write_text("-----BEGIN CERTIFICATE-----\nnot base64 at all\n-----END CERTIFICATE-----\n")
    openssl("pkey", "-in", files.key, "-aes256", "-passout", "pass:secret", "-out", names["locked"])
    ended, log = refused_start(args=[arg.format(**names) for arg in args])
    assert said.format(**names) in log and ended == status, log
    assert len([line for line in log.splitlines() if line.startswith("doctor serve:")]) == 1


def test_a_certificate_that_has_expired_or_will_soon_is_warned_of(authority):
    for days, said in ((1, "expires soon"), (0, "has expired")):
        with Server(tls=authority.issue(f"days-{days}", days=days)) as server:
            assert said in server.log
    with Server(tls=authority.issue("fresh")) as server:
        assert "expire" not in server.log


def test_secrets_in_clear_text_are_warned_of_only_where_there_is_no_tls(files):
    everywhere = "[tls]\nlisten = \"0.0.0.0\"\n"
    with Server(tls=files, secret="open sesame", config=everywhere) as server:
        assert "clear text" not in server.log
    with Server(tls=files, secret="open sesame", args=["--listen", "0.0.0.0"]) as server:
        assert "clear text" in server.log
    status, log = refused_start(tls=files, config=everywhere)
    assert status == 2 and "allow_unsecured_remote" in log


# -- new certificates while running -----------------------------------------------------------


def serial_of(server, trust):
    with https(server, trust).connect() as http:
        return http.socket.getpeercert()["serialNumber"]


def reload(server, until):
    mark = len(server.log)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: until in server.log[mark:])
    return server.log[mark:]


def test_sighup_takes_new_certificates_and_drops_nobody(authority, trust, tmp_path):
    used = Files(authority.ca, tmp_path / "cert.pem", tmp_path / "key.pem")

    def install(issued):
        used.cert.write_bytes(issued.cert.read_bytes())
        used.key.write_bytes(issued.key.read_bytes())

    install(authority.issue("first"))
    with Server(tls=used) as server, https(server, trust) as http, Mqtt(server.mqtt_tls, tls=context(trust)) as client:
        client.subscribe("#")
        http.put("/entities/vm/1", {})
        assert client.hear()
        kept, first = http.socket, serial_of(server, trust)

        install(authority.issue("second"))
        assert serial_of(server, trust) == first
        reload(server, "was read again")
        second = serial_of(server, trust)
        assert second != first

        used.key.write_bytes(authority.issue("third").key.read_bytes())
        log = reload(server, "was read again")
        assert "error" in log and str(used.key) in log and "does not belong" in log and "the one before goes on" in log
        assert serial_of(server, trust) == second
        used.cert.unlink()
        assert "No such file" in reload(server, "was read again")
        assert serial_of(server, trust) == second

        http.patch("/entities/vm/1", {"n": 1})
        assert client.hear().payload == "n" and http.socket is kept
        client.ping()


def test_a_handshake_that_is_under_way_at_sighup_ends_as_it_began(authority, trust, tmp_path):
    used = Files(authority.ca, tmp_path / "cert.pem", tmp_path / "cert.pem")
    first, second = authority.issue("begun"), authority.issue("later")
    used.cert.write_bytes(first.cert.read_bytes() + first.key.read_bytes())
    with Server(tls=used) as server, Bytes(server.api_tls, trust) as client:
        before = serial_of(server, trust)
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.do_handshake()
        hello = client.outgoing.read()
        client.socket.sendall(hello[:100])
        time.sleep(0.2)
        used.cert.write_bytes(second.cert.read_bytes() + second.key.read_bytes())
        reload(server, "was read again")
        client.socket.sendall(hello[100:])
        client.handshake()
        assert client.tls.getpeercert()["serialNumber"] == before != serial_of(server, trust)


def test_sighup_takes_a_new_ca_and_other_demands(authority, files, tmp_path):
    other = Authority(tmp_path, "other")
    of_first, of_other = authority.issue("client"), other.issue("client")
    shows_other = Files(authority.ca, of_other.cert, of_other.key)

    def admitted(shown):
        try:
            with https(server, shown) as http:
                return http.get("/entities").status == 200
        except (ssl.SSLError, ConnectionError):
            return False

    config = "[tls]\nca = \"{}\"\nverify_client = \"{}\"\n"
    with Server(tls=files, config=config.format(authority.ca, "required")) as server:
        with https(server, of_first) as kept:
            assert kept.get("/entities").status == 200
            assert admitted(of_first) and not admitted(shows_other)
            server.config_path.write_text(config.format(other.ca, "required"))
            reload(server, "was read again")
            assert admitted(shows_other) and not admitted(of_first)
            server.config_path.write_text(config.format(other.ca, "none"))
            reload(server, "was read again")
            assert admitted(of_first)
            mine = kept.socket
            assert kept.get("/entities").status == 200 and kept.socket is mine


def test_a_resumed_session_does_not_outlive_the_ca_it_came_by(authority, files, tmp_path):
    other = Authority(tmp_path, "other")
    mine = context(authority.issue("client"), ssl.TLSVersion.TLSv1_2)
    config = "[tls]\nca = \"{}\"\nverify_client = \"required\"\n"

    def visit(session=None):
        with socket.create_connection(("127.0.0.1", server.api_tls), 10) as raw:
            with mine.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as client:
                return client.session_reused, client.session

    with Server(tls=files, config=config.format(authority.ca)) as server:
        _, session = visit()
        assert visit(session)[0]
        server.config_path.write_text(config.format(other.ca))
        reload(server, "was read again")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            visit(session)


# -- octets in pieces, ends, and what is no TLS -----------------------------------------------


def test_a_handshake_and_a_request_may_come_octet_by_octet(tls, trust):
    with Bytes(tls.api_tls, trust) as client:
        client.handshake(piece=1, read=1)
        client.until(lambda: client.tls.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), piece=1)
        assert client.read_all().endswith(b"ok\n")
    with Bytes(tls.mqtt_tls, trust) as client:
        client.handshake(piece=1, read=1)
        client.until(lambda: client.tls.write(connect_packet("octets")), piece=1)
        assert client.until(lambda: client.tls.read(100), read=1) == b"\x20\x02\x00\x00"


def test_a_request_may_come_octet_by_octet_in_records_of_its_own_and_many_in_one(tls, trust):
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        for octet in request * 3:
            client.until(lambda: client.tls.write(bytes([octet])))
        client.until(lambda: client.tls.write(request * 199 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        assert client.read_all().count(b"200 OK") == 203


def test_the_end_is_told_by_close_notify(files, trust):
    with Server(tls=files, config="[limits]\nidle_timeout = \"300ms\"\nmqtt_connect_timeout = \"300ms\"\n") as server:
        for request in (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
                        b"nonsense\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b""):
            with Bytes(server.api_tls, trust) as client:
                client.handshake().until(lambda: client.tls.write(request))
                client.read_all()
        for octets in (connect_packet("c") + b"\xe0\x00", b"nonsense", connect_packet("x", 5) + b"\x00", b""):
            with Bytes(server.mqtt_tls, trust) as client:
                client.handshake().until(lambda: client.tls.write(octets))
                client.read_all()
        wait_for(lambda: server.metrics()['doctor_connections{protocol="mqtt"}'] == 0)


def test_a_client_that_has_ended_its_side_gets_its_answer(tls, trust):
    with tls.http() as http:
        http.put("/entities/vm", [{"id": str(n), "pad": "x" * 1000} for n in range(5000)])
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"GET /entities/vm HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
        client.deliver()
        client.socket.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):
            while data := client.until(lambda: client.tls.read(1 << 14)):
                answer += data
        head, body = answer.split(b"\r\n\r\n", 1)
        assert b"200 OK" in head and len(json.loads(body)) == 5000


@pytest.mark.parametrize("octets", [b"\x17\x03\x03\x40\x00abc", b"\x17\x03\x03\x00\x20" + b"x" * 32, b"\x17\x03\x03\xff\xff", b"junk" * 100,
                                    b"\x16\x03\x03\x00\x04\x01\x00\x00\x00", b""])
def test_a_broken_record_ends_its_connection_and_no_other(tls, trust, octets):
    with https(tls, trust) as other, Mqtt(tls.mqtt_tls, tls=context(trust)) as subscriber:
        other.get("/healthz")
        subscriber.subscribe("#")
        for port in (tls.api_tls, tls.mqtt_tls):
            with Bytes(port, trust) as client:
                client.handshake()
                client.socket.sendall(octets)
                client.socket.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while client.socket.recv(1 << 14):
                        pass
        kept = other.socket
        assert other.put("/entities/vm/1", {}).status == 201 and other.socket is kept
        assert subscriber.hear().topic == "vm/1"
        wait_for(lambda: tls.metrics()['doctor_connections{protocol="mqtt"}'] == 1)


def test_a_put_that_is_cut_off_writes_nothing(tls, trust):
    with Bytes(tls.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"PUT /entities/vm/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{\"n\": 1"))
    with tls.http() as http:
        time.sleep(0.2)
        assert http.get("/entities/vm/1").status == 404


def test_plain_http_on_the_port_of_https_is_told_so(tls):
    answer = curl(f"http://localhost:{tls.api_tls}/entities", "-D", "-", "--max-time", "5")
    assert answer.returncode == 0 and "400" in answer.stdout and "https://" in answer.stdout
    assert handshakes(tls, "api")["failed"] == 1
    assert "the client spoke HTTP without TLS" in tls.log and "peer=127.0.0.1" in tls.log
    for _ in range(5):
        curl(f"http://localhost:{tls.api_tls}/")
    assert tls.log.count("a TLS handshake failed") == 1


def test_tls_on_a_plain_port_is_told_in_the_log_once_a_minute(trust):
    for port in ("api", "mqtt"):
        with Server() as server:
            for _ in range(3):
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    Http(getattr(server, port), tls=context(trust)).connect()
            assert server.log.count("a client begins TLS on a port without it") == 1
            with server.http() as http:
                assert http.get("/healthz").status == 200


def test_mqtt_on_the_port_of_mqtt_over_tls_is_refused_with_a_word(tls):
    with pytest.raises((AssertionError, Gone, ConnectionError)):
        Mqtt(tls.mqtt_tls, timeout=3)
    assert handshakes(tls, "mqtt")["failed"] == 1
    assert "for=mqtt" in tls.log


def test_who_only_looks_whether_the_port_is_open_is_counted_and_not_logged(tls):
    for _ in range(3):
        socket.create_connection(("127.0.0.1", tls.api_tls)).close()
    wait_for(lambda: handshakes(tls, "api")["failed"] == 3)
    assert "handshake failed" not in tls.log


# -- many, slow and large ---------------------------------------------------------------------


def hello_of(trust):
    """The octets of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(trust).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_whatever_comes_instead_of_a_handshake_harms_nobody(tls, trust):
    seed = int(os.environ.get("DOCTOR_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"DOCTOR_SEED={seed}")
    chance, hello = random.Random(seed), hello_of(trust)
    with https(tls, trust) as kept:
        for _ in range(scaled(400)):
            sent = bytearray(hello)
            for _ in range(chance.choice([0, 1, 3, 30])):
                sent[chance.randrange(len(sent))] = chance.randrange(256)
            sent = sent[: chance.choice([len(sent), chance.randrange(len(sent))])] + chance.randbytes(chance.choice([0, 0, 5, 5000]))
            with socket.create_connection(("127.0.0.1", chance.choice([tls.api_tls, tls.mqtt_tls])), 10) as client:
                with contextlib.suppress(OSError):
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(1 << 14):
                        pass
        assert kept.get("/healthz").status == 200
    wait_for(lambda: handshakes(tls, "api")["failed"] + handshakes(tls, "mqtt")["failed"] == scaled(400))


def test_slow_handshakes_time_out_and_delay_nobody(files, trust):
    hello = hello_of(trust)
    with Server(tls=files, config="[limits]\ntls_handshake_timeout = \"1s\"\n") as server:
        slow = [socket.create_connection(("127.0.0.1", port)) for port in (server.api_tls, server.mqtt_tls) for _ in range(20)]
        started = time.monotonic()
        for n in range(15):
            for one in slow[: 20]:
                with contextlib.suppress(OSError):
                    one.sendall(hello[n : n + 1])
            before = time.monotonic()
            with https(server, trust) as http, Mqtt(server.mqtt_tls, tls=context(trust)) as client:
                assert http.get("/healthz").status == 200
                client.ping()
            assert time.monotonic() - before < 1
            time.sleep(max(0, started + 0.1 * (n + 1) - time.monotonic()))
        wait_for(lambda: handshakes(server, "api")["timed_out"] == 20 and handshakes(server, "mqtt")["timed_out"] == 20)
        assert "tls_handshake_timeout" in server.log
        for one in slow:
            one.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                while one.recv(1000):
                    pass
            one.close()


def test_handshakes_count_as_connections(files, trust):
    with Server(tls=files, config="[limits]\nconnections = 5\n") as server:
        slow = [socket.create_connection(("127.0.0.1", server.api_tls)) for _ in range(5)]
        time.sleep(0.2)
        with pytest.raises(OSError):
            https(server, trust).get("/healthz")
        for one in slow:
            one.close()

        def served():
            try:
                with https(server, trust) as http:
                    return http.get("/healthz").status == 200
            except OSError:
                return False

        wait_for(served)
        assert "the limit `connections` is reached" in server.log


def test_sigterm_waits_for_no_handshake(files, trust):
    with Server(tls=files) as server:
        half = socket.create_connection(("127.0.0.1", server.api_tls))
        half.sendall(hello_of(trust)[:50])
        idle = https(server, trust).connect()
        client = Mqtt(server.mqtt_tls, version=5, tls=context(trust))
        time.sleep(0.2)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert client.wait_closed() == 0x8B
        assert idle.rest() == b""  # close_notify, or it would raise
        assert server.process.wait(20) == 0 and time.monotonic() - started < 5
        half.close()


def test_a_large_export_and_a_large_body_go_through(tls, trust):
    documents = [{"id": str(n), "pad": os.urandom(500).hex()} for n in range(scaled(30_000))]
    with https(tls, trust, timeout=120) as http, tls.http(timeout=120) as plain:
        assert http.put("/entities/vm", documents).status == 201
        assert http.get("/export").body == plain.get("/export").body
        whole = http.get("/entities/vm")
        assert whole.json == documents and whole.body == plain.get("/entities/vm").body
    read = curl("--cacert", trust.ca, "--limit-rate", "40M", f"https://localhost:{tls.api_tls}/export", "-o", "/dev/null", "-w", "%{size_download}")
    assert read.returncode == 0 and int(read.stdout) > scaled(30_000) * 1000


def test_a_slow_reader_gets_all_and_holds_up_nobody(files, trust):
    with Server(tls=files, env={"CLUSTERED": "0"}) as server:
        documents = [{"id": str(n), "pad": "x" * 1000} for n in range(20_000)]
        with server.http(timeout=60) as http:
            http.put("/entities/vm", documents)
        with Bytes(server.api_tls, trust, receive_buffer=1 << 14) as slow:
            slow.handshake()
            slow.until(lambda: slow.tls.write(b"GET /entities/vm HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            for _ in range(20):
                slow.until(lambda: slow.tls.read(1000), read=2000)
                before = time.monotonic()
                with https(server, trust) as other:
                    assert other.get("/entities/vm/1").status == 200
                assert time.monotonic() - before < 1
            rest = slow.read_all()
        assert rest.endswith(b"}]") and len(rest) > 20_000 * 1000


def test_a_subscriber_that_reads_slowly_is_kept_and_one_that_reads_nothing_is_not(files, trust):
    config = "[limits]\nmqtt_stalled_timeout = \"2s\"\nmqtt_queue_bytes = \"1 MiB\"\n"
    with Server(tls=files, config=config) as server, server.http(timeout=60) as http:
        def subscriber(name):
            client = Bytes(server.mqtt_tls, trust, receive_buffer=1 << 14)
            client.handshake().until(lambda: client.tls.write(connect_packet(name) + b"\x82\x09\x00\x01\x00\x04vm/+\x00"))
            found = b""
            while len(found) < 9:
                found += client.until(lambda: client.tls.read(9 - len(found)))
            return client

        with subscriber("slow") as slow, subscriber("stuck") as stuck:
            ids = [f"{n:05}-{'x' * 200}" for n in range(20_000)]
            http.put("/entities/vm", [{"id": one} for one in ids])
            mqtt = 'doctor_connections{protocol="mqtt"}'
            until, heard = time.monotonic() + 8, b""
            while time.monotonic() < until:
                heard += slow.until(lambda: slow.tls.read(1000), read=3000)
                time.sleep(0.05)
            assert server.metrics()[mqtt] == 1
            at, expected = len(heard), b"".join(b"\x30" + struct.pack("BB", 0x80 | (212 & 127), 212 >> 7) + struct.pack("!H", 209) + f"vm/{one}+".encode() for one in ids)
            while at < len(expected):
                data = slow.until(lambda: slow.tls.read(1 << 14), read=1 << 16)
                assert data, f"closed after {at} of {len(expected)}"
                heard += data
                at = len(heard)
            assert heard == expected
            stuck.socket.settimeout(5)
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                stuck.read_all()


def test_many_clients_cost_little_while_they_are_idle(files, trust):
    count = scaled(500)
    made = context(trust)
    with Server(tls=files) as server:
        warm = [Mqtt(server.mqtt_tls, tls=made) for _ in range(20)]
        before = server.memory("VmRSS")
        clients = [Mqtt(server.mqtt_tls, tls=made) for _ in range(count)]
        for client in clients:
            client.subscribe("vm/+")
        each = (server.memory("VmRSS") - before) / count
        # A sanitizer keeps what handshakes have freed.
        assert "DOCTOR_SANITIZED" in os.environ or each < 40 << 10, f"{each / 1024:.1f} KiB"
        with server.http() as http:
            http.put("/entities/vm/1", {})
        assert all(client.hear().topic == "vm/1" for client in clients)
        assert server.metrics()['doctor_connections{protocol="mqtt"}'] == count + 20
        for client in warm + clients:
            client.close()
        wait_for(lambda: server.metrics()['doctor_connections{protocol="mqtt"}'] == 0)


# -- the manual -------------------------------------------------------------------------------


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
