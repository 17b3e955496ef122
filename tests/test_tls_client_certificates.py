"""Certificates of clients: who is asked for one, who is refused, and what they are good for."""

import ssl

import pytest

from doctor import Http, Server
from doctor.certificates import Authority, Files, context
from doctor.mqtt import Mqtt
from doctor.tls import Bytes, handshakes, https


@pytest.mark.parametrize("demand, nobody, good, foreign", [
    ("none", True, True, True), ("optional", True, True, False), ("required", False, True, False)])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates_are_none_optional_or_required(authority, server_files, trust, tmp_path, demand, nobody, good, foreign, version):
    own = authority.issue("client")
    stranger = Authority(tmp_path, "stranger").issue("client")
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"{demand}\"\n"
    with Server(tls=server_files, config=config) as server:
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


def test_a_refused_client_is_told_by_an_alert_why(authority, server_files, trust):
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"required\"\n"
    with Server(tls=server_files, config=config) as server, Bytes(server.api_tls, trust) as client:
        client.handshake()
        client.until(lambda: client.tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        with pytest.raises(ssl.SSLError, match="(?i)certificate.required"):
            client.read_all()


def test_a_ca_makes_client_certificates_optional_and_each_listener_may_have_its_own_rules(authority, server_files, trust, tmp_path):
    other = Authority(tmp_path, "other")
    of_mqtt = other.issue("mqtt")
    config = f"""[tls]
ca = "{authority.ca}"
[tls.mqtt]
cert = "{of_mqtt.cert}"
key = "{of_mqtt.key}"
verify_client = "required"
"""
    with Server(tls=server_files, config=config) as server:
        with https(server, trust) as http:
            assert http.get("/entities").status == 200
        own = authority.issue("client")
        with Mqtt(server.mqtt_tls, tls=context(Files(other.ca, own.cert, own.key))) as client:
            client.ping()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Mqtt(server.mqtt_tls, tls=context(Files(other.ca))).ping()


def test_a_certificate_does_not_replace_the_secret(authority, server_files):
    own = authority.issue("client")
    config = f"[tls]\nca = \"{authority.ca}\"\nverify_client = \"required\"\n"
    with Server(tls=server_files, secret="open sesame", config=config) as server, https(server, own) as http:
        assert http.get("/entities").status == 401
        assert http.get("/entities", headers={"SECRET": "open sesame"}).status == 200
        assert Mqtt(server.mqtt_tls, tls=context(own)).code != 0
        assert Mqtt(server.mqtt_tls, "connector", "open sesame", tls=context(own)).code == 0
