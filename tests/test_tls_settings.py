"""Where the settings of TLS come from, which certificates can be used, and what is said of those that cannot."""

import re
import time

import pytest

from doctor import Http, Server
from doctor.certificates import Authority, Files, context, openssl
from doctor.server import free_port, refused_start
from doctor.tls import https


def test_settings_come_by_flag_environment_and_file(server_files, trust):
    port = free_port()
    given = {"cert": str(server_files.cert), "key": str(server_files.key)}
    by_env = {"API_TLS_PORT": str(port), "TLS_CERT": given["cert"], "TLS_KEY": given["key"]}
    by_flag = ["--api-tls-port", str(port), "--tls-cert", given["cert"], "--tls-key", given["key"]]
    by_file = "api_tls_port = %d\n[tls]\ncert = \"%s\"\nkey = \"%s\"\n" % (port, given["cert"], given["key"])
    wrong = {"TLS_CERT": "/nonexistent", "TLS_KEY": "/nonexistent"}
    for options in ({"env": by_env}, {"args": by_flag}, {"config": by_file}, {"args": by_flag, "env": wrong},
                    {"env": by_env, "config": by_file.replace(given["cert"], "/nonexistent")}):
        with Server(**options), Http(port, tls=context(trust)) as http:
            assert http.get("/readyz").status == 200


def test_a_key_may_be_in_the_file_of_its_certificate(server_files, trust, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(server_files.key.read_text() + server_files.cert.read_text())
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


def test_metrics_may_be_had_over_tls(server_files, trust):
    port = free_port()
    config = f"[metrics]\ntls_port = {port}\n[tls]\ncert = \"{server_files.cert}\"\nkey = \"{server_files.key}\"\n"
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
def test_what_is_wrong_with_a_certificate_is_told_at_the_start_with_its_file(authority, server_files, tmp_path, args, status, said):
    names = {"cert": server_files.cert, "key": server_files.key, "none": tmp_path / "none.pem", "empty": tmp_path / "empty.pem",
             "junk": tmp_path / "junk.pem", "locked": tmp_path / "locked.key", "folder": tmp_path, "port": free_port(),
             "other": authority.issue("other").key, "rsa": authority.issue("rsa", key="rsa").key}
    names["empty"].touch()
    names["junk"].write_text("-----BEGIN CERTIFICATE-----\nnot base64 at all\n-----END CERTIFICATE-----\n")
    openssl("pkey", "-in", server_files.key, "-aes256", "-passout", "pass:secret", "-out", names["locked"])
    ended, log = refused_start(args=[arg.format(**names) for arg in args])
    assert said.format(**names) in log and ended == status, log
    assert len([line for line in log.splitlines() if line.startswith("doctor serve:")]) == 1


def test_a_certificate_that_has_expired_or_will_soon_is_warned_of(authority):
    for days, said in ((1, "expires soon"), (0, "has expired")):
        with Server(tls=authority.issue(f"days-{days}", days=days)) as server:
            assert said in server.log
    with Server(tls=authority.issue("fresh")) as server:
        assert "expire" not in server.log


def test_secrets_in_clear_text_are_warned_of_only_where_there_is_no_tls(server_files):
    everywhere = "[tls]\nlisten = \"0.0.0.0\"\n"
    with Server(tls=server_files, secret="open sesame", config=everywhere) as server:
        assert "clear text" not in server.log
    with Server(tls=server_files, secret="open sesame", args=["--listen", "0.0.0.0"]) as server:
        assert "clear text" in server.log
    status, log = refused_start(tls=server_files, config=everywhere)
    assert status == 2 and "allow_unsecured_remote" in log
