"""Starts, stops and kills the built server. DOCTOR_BIN names another binary."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .http import Http

BINARY = Path(os.environ.get("DOCTOR_BIN", Path(__file__).parents[2] / "build/release/doctor")).resolve()
SETTINGS = ("SECRET", "API_PORT", "MQTT_PORT", "STOMP_PORT", "STOMP_TLS_PORT", "CLUSTERED", "MONGO_HOST", "MONGO_MAIN_DB", "API_TLS_PORT",
            "MQTT_TLS_PORT", "TLS_CERT", "TLS_KEY", "TLS_CA", "TLS_VERIFY_CLIENT")


def claim_port():
    """A port that nobody listens on, below those that the kernel gives to outgoing connections.

    Returns it with the claim to it, an abstract socket of its name: while that is kept, no other
    test run on the machine takes the port between this probe and the server's own bind.
    """
    while True:
        port, claim = random.SystemRandom().randrange(10000, 32000), socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0doctor-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        return port, claim


def free_port():
    """A port for those who may lose it to somebody else."""
    port, claim = claim_port()
    claim.close()
    return port


def environment(**more):
    """The environment without anything that would configure the server."""
    kept = {k: v for k, v in os.environ.items() if k not in SETTINGS and not k.startswith("DOCTOR_")}
    return {**kept, **{k: v for k, v in more.items() if v is not None}}


def run(*arguments, timeout=60, input=None, env=None):
    """Runs another sub-command of the program to its end."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], timeout=timeout, input=input,
        capture_output=True, text=True, env=env or environment(),
    )


class Server:
    """A server on free ports. Without `data` on a temporary store, which goes with it.

    secret: the connector's, None for unsecured. config: text of doctor.toml. wrap: words to put
    before the command. tls: files of doctor.certificates, then it listens with TLS too. As a context manager it is started and stopped, and what it logged is
    printed if the block raises.
    """

    def __init__(self, secret=None, config="", data=None, env=None, args=(), wrap=(), tls=None):
        self.secret = secret
        self.folder = Path(tempfile.mkdtemp(prefix="doctor-test-"))
        self.data = Path(data) if data else self.folder / "data"
        self.log_path = self.folder / "log"
        self.config_path = self.folder / "doctor.toml"
        self.config_path.write_text(config)
        self.env = dict(env or {})
        self.args = list(args)
        self.wrap = list(wrap)
        self.tls = tls
        self.process = None
        self.api = self.mqtt = self.stomp = self.api_tls = self.mqtt_tls = self.stomp_tls = 0
        self.claims = []

    # -- life -------------------------------------------------------------------------------

    def command(self):
        return [
            *self.wrap, str(BINARY), "serve", "--config", str(self.config_path), "--data-dir", str(self.data),
            "--listen", "127.0.0.1", "--api-port", str(self.api), "--mqtt-port", str(self.mqtt),
            "--stomp-port", str(self.stomp), *self.tls_args(), *self.args,
        ]

    def tls_args(self):
        return ["--api-tls-port", str(self.api_tls), "--mqtt-tls-port", str(self.mqtt_tls),
                "--stomp-tls-port", str(self.stomp_tls),
                "--tls-cert", str(self.tls.cert), "--tls-key", str(self.tls.key)] if self.tls else []

    def launch(self, same_ports=False):
        """Starts the process without waiting for it."""
        if not same_ports:
            self.release()
            ports, self.claims = zip(*(claim_port() for _ in range(6)))
            self.api, self.mqtt, self.stomp, self.api_tls, self.mqtt_tls, self.stomp_tls = ports
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment(SECRET=self.secret, **self.env),
            )
        return self

    def start(self, timeout=30, same_ports=False):
        """Starts and waits until it is ready; a port lost to somebody else is tried anew.

        same_ports: those of the last time, for clients that come back by themselves.
        """
        for _ in range(3):
            mark = self.log_path.stat().st_size if self.log_path.exists() else 0
            self.launch(same_ports)
            if self.wait_ready(timeout):
                return self
            if "in use" not in self.log[mark:]:
                break
        raise AssertionError(f"the server did not start:\n{self.log}")

    def wait_ready(self, timeout=30):
        """True once /readyz says 200, False if the process ended or the time is over."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            try:
                with Http(self.api, timeout=5) as http:
                    if http.get("/readyz").status == 200:
                        return True
            except OSError:
                pass
            time.sleep(0.005)
        return False

    def stop(self, timeout=30):
        """SIGTERM; returns the exit status."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not stop on SIGTERM:\n{self.log}") from None
        return self.process.returncode if self.process else None

    def kill(self):
        """SIGKILL, as a crash."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self, same_ports=False):
        self.stop()
        return self.start(same_ports=same_ports)

    def release(self):
        for claim in self.claims:
            claim.close()

    def remove(self):
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        died = self.process.poll() not in (None, 0, -signal.SIGKILL)
        try:
            self.stop() if kind is None and not died else self.kill()
        except AssertionError:
            kind = AssertionError
            raise
        finally:
            if kind is not None or died:
                print("---- log of the server ----\n" + self.log[-20000:])
            self.remove()
        assert not died or kind, f"the server ended by itself with {self.process.returncode}"
        return False

    # -- talk -------------------------------------------------------------------------------

    def http(self, session=None, secret=True, **more):
        """A connection: as the connector, as a session, or with secret=False as nobody."""
        headers = {}
        if session is not None:
            headers["SESSION"] = str(session)
        elif secret and self.secret:
            headers["SECRET"] = self.secret
        return Http(self.api, headers={**headers, **more.pop("headers", {})}, **more)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def pid(self):
        return self.process.pid

    def memory(self, name="VmHWM"):
        """Bytes: VmHWM is the peak of resident memory, VmRSS what it is now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1]) * 1024

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        with self.http() as http:
            answer = http.get("/metrics")
        assert answer.status == 200, answer
        lines = [line for line in answer.body.decode().splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def check(self):
        """`doctor check` of the (stopped) store: asserts that it is clean."""
        found = run("check", "--data-dir", self.data)
        assert found.returncode == 0, f"check: {found.returncode}\n{found.stdout}\n{found.stderr}"
        return found


def refused_start(timeout=20, **options):
    """Starts a server that must refuse to: its exit status and what it said."""
    server = Server(**options)
    try:
        server.launch()
        status = server.process.wait(timeout)
        assert status != 0, f"it ended with 0 and said:\n{server.log}"
        return status, server.log
    finally:
        server.kill()
        server.remove()
