"""New certificates, authorities and demands at SIGHUP, which drops nobody."""

import signal
import socket
import ssl
import time

import pytest

from doctor import Server, wait_for
from doctor.certificates import Authority, Files, context
from doctor.mqtt import Mqtt
from doctor.tls import Bytes, https


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


def test_sighup_takes_a_new_ca_and_other_demands(authority, server_files, tmp_path):
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
    with Server(tls=server_files, config=config.format(authority.ca, "required")) as server:
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


def test_a_resumed_session_does_not_outlive_the_ca_it_came_by(authority, server_files, tmp_path):
    other = Authority(tmp_path, "other")
    mine = context(authority.issue("client"), ssl.TLSVersion.TLSv1_2)
    config = "[tls]\nca = \"{}\"\nverify_client = \"required\"\n"

    def visit(session=None):
        with socket.create_connection(("127.0.0.1", server.api_tls), 10) as raw:
            with mine.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as client:
                return client.session_reused, client.session

    with Server(tls=server_files, config=config.format(authority.ca)) as server:
        _, session = visit()
        assert visit(session)[0]
        server.config_path.write_text(config.format(other.ca))
        reload(server, "was read again")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            visit(session)
