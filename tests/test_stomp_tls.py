"""STOMP over TLS, with and without certificates of clients."""

import signal
import ssl
import time

import pytest

from doctor import Server
from doctor import certificates
from doctor.stomp_wire import EVENTS, Stomp

SECRET = "open sesame"


def secured(files, ca=None, config="", listener="stomp", **more):
    table = f'[tls.{listener}]\nca = "{ca}"\nverify_client = "optional"\n' if ca else ""
    return Server(secret=SECRET, tls=files, config=config + table, **more)


def connect(server, tls, **more):
    return Stomp(server.stomp_tls, tls=tls, **more)


def refused(server, tls, **credentials):
    with connect(server, tls, connect=False) as client:
        client.send("CONNECT", {"accept-version": "1.2", "host": "x", **credentials})
        return client.error() == "Bad CONNECT"


def reload(server, config):
    mark = len(server.log)
    server.config_path.write_text(config)
    server.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 10
    while "was read again" not in server.log[mark:]:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_it_is_the_same_over_tls(authority, server_files):
    trusting = certificates.context(certificates.Files(authority.ca))
    with secured(server_files) as server, connect(server, trusting, login="connector", passcode=SECRET) as client, server.http() as http:
        client.subscribe(EVENTS)
        http.put("/entities/vm/1", {"a": 1})
        assert client.event()[0] == "|vm|created|1"
        big = b"x" * 3_000_000
        client.confirmed("UNSUBSCRIBE", {"id": "1"})
        client.subscribe("a", id="2").publish("a", big, content_length=len(big))
        assert client.message().body == big
        assert refused(server, trusting) and refused(server, trusting, login="connector", passcode="x")
        client.send("NONSENSE")
        assert client.error() == "Unknown command"


def test_a_certificate_that_is_listed_makes_the_connector(authority, server_files):
    engine, other = (certificates.context(authority.issue(name)) for name in ("engine.example", "other.example"))
    nobody = certificates.context(certificates.Files(authority.ca))
    tables = f'[tls.stomp]\nca = "{authority.ca}"\n'
    config = '[stomp]\nconnectors = ["engine.example"]\n' + tables
    with Server(secret=SECRET, tls=server_files, config=config) as server:
        with connect(server, engine) as client:
            client.subscribe("a").publish("a", b"x").message()
        assert refused(server, other) and refused(server, nobody)
        assert refused(server, engine, login="connector", passcode="wrong"), "wrong words are wrong whatever is shown"
        with connect(server, other, login="connector", passcode=SECRET), connect(server, nobody, login="connector", passcode=SECRET):
            pass
        reload(server, '[stomp]\nconnectors = ["other.example"]\n' + tables)
        connect(server, other).close()
        assert refused(server, engine)


def test_alternative_names_count_too(authority, server_files):
    anyone = certificates.context(authority.issue("anyone"))  # with localhost and 127.0.0.1 beside its common name
    tables = f'[tls.stomp]\nca = "{authority.ca}"\n'
    for name in ("localhost", "127.0.0.1", "anyone"):
        with Server(secret=SECRET, tls=server_files, config=f'[stomp]\nconnectors = ["nobody", "{name}"]\ncheck_peer_name = true\n' + tables) as server:
            connect(server, anyone).close()
    with Server(secret=SECRET, tls=server_files, config='[stomp]\nconnectors = ["localhos"]\n' + tables) as server:
        assert refused(server, anyone)


def test_names_of_certificates_that_nobody_is_asked_for_are_told_in_the_log(authority, server_files):
    connectors = '[stomp]\nconnectors = ["engine.example"]\n'
    for tables, told in ("", True), (f'[tls.stomp]\nca = "{authority.ca}"\n', False):
        with Server(secret=SECRET, tls=server_files, config=connectors + tables) as server:
            assert ("stomp.connectors names certificates that no client is asked for" in server.log) == told


def test_a_certificate_of_another_authority_is_refused_in_the_handshake(authority, server_files, tmp_path):
    stranger = certificates.Authority(tmp_path, "stranger").issue("engine.example")
    showing = certificates.context(certificates.Files(authority.ca, stranger.cert, stranger.key))
    config = f'[stomp]\nconnectors = ["engine.example"]\n[tls.stomp]\nca = "{authority.ca}"\n'
    with Server(secret=SECRET, tls=server_files, config=config) as server:
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            connect(server, showing)
        assert server.metrics()['doctor_tls_handshakes_total{listener="stomp",outcome="failed"}'] == 1


def test_certificates_may_be_required(authority, server_files):
    config = f'[tls.stomp]\nca = "{authority.ca}"\nverify_client = "required"\n'
    with Server(secret=SECRET, tls=server_files, config=config) as server:
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            connect(server, certificates.context(certificates.Files(authority.ca)), login="connector", passcode=SECRET)
        connect(server, certificates.context(authority.issue("someone")), login="connector", passcode=SECRET).close()


def test_a_failed_handshake_hears_no_stomp(authority, server_files):
    with secured(server_files) as server, Stomp(server.stomp_tls, connect=False) as client:
        client.raw(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0" * 20)
        assert client.frame(5) is None and client.ended and b"ERROR" not in client.buffer


def test_tls_on_the_plain_port_is_told_in_the_log(authority, server_files):
    with secured(server_files) as server:
        with pytest.raises((ssl.SSLError, ConnectionError, OSError)):
            Stomp(server.stomp, tls=certificates.context(certificates.Files(authority.ca)))
        assert "begins TLS" in server.log


def test_a_client_that_offers_another_protocol_is_refused(authority, server_files):
    offering = certificates.context(certificates.Files(authority.ca))
    offering.set_alpn_protocols(["http/1.1"])
    with secured(server_files) as server:
        with pytest.raises(ssl.SSLError):
            connect(server, offering)
        offering.set_alpn_protocols(["http/1.1", "stomp"])
        connect(server, offering, login="connector", passcode=SECRET).close()
