"""Servers under measurement: start them, wait until they answer, read what they cost, stop them."""

import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port} after {seconds} s")


class Server:
    """A process that listens; its CPU seconds are those of all its descendants."""

    def __init__(self, command, port):
        self.port = port
        self.process = subprocess.Popen(
            command,
            env={name: value for name, value in os.environ.items() if name != "SECRET"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(port)

    def cpu_seconds(self):
        total = 0
        for pid in self._tree():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except FileNotFoundError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return {name: int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS", "RssAnon")}

    def _tree(self):
        pids, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            pids.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                queue += [int(child) for child in task.read_text().split()]
        return pids

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Doctor(Server):
    def __init__(self, binary, directory=None, settings=""):
        """settings: the text of a doctor.toml"""
        self.directory = directory or tempfile.mkdtemp(prefix="doctor-bench-")
        configuration = pathlib.Path(self.directory, "bench.toml")
        configuration.write_text(settings)
        self.mqtt_port = free_port()
        port = free_port()
        super().__init__(
            [binary, "serve", "--data-dir", self.directory, "--config", configuration, "--api-port", str(port),
             "--mqtt-port", str(self.mqtt_port)],
            port,
        )
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def request(self, method, target, body=None):
        self.connection.request(method, target, body=body)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {target}: {answer.status} {content[:300]!r}")
        return content

    def restart(self, binary):
        self.stop()
        return Doctor(binary, self.directory)

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Nginx(Server):
    """nginx with one worker that answers every request by `return`."""

    def __init__(self, body):
        self.directory = tempfile.mkdtemp(prefix="doctor-bench-nginx-")
        port = free_port()
        quoted = body.replace("\\", "\\\\").replace("'", "\\'").replace("$", "")
        configuration = pathlib.Path(self.directory, "nginx.conf")
        configuration.write_text(
            f"""worker_processes 1; daemon off; pid {self.directory}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/json; keepalive_requests 100000000;
  client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
  fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u; scgi_temp_path {self.directory}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{quoted}'; }} }} }}
"""
        )
        super().__init__(["nginx", "-p", self.directory, "-c", str(configuration)], port)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Mosquitto(Server):
    """Mosquitto in its quickest configuration: nothing logged and, unless persistent, nothing on disk.

    Persistent, it is otherwise as Debian configures it: all of its state is written every half hour and at its end.
    """

    def __init__(self, settings="", persistent=False):
        self.directory = tempfile.mkdtemp(prefix="doctor-bench-mosquitto-")
        self.mqtt_port = free_port()
        configuration = pathlib.Path(self.directory, "mosquitto.conf")
        configuration.write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence {str(persistent).lower()}\npersistence_location {self.directory}/\n"
            f"set_tcp_nodelay true\nlog_type none\n{settings}"
        )
        super().__init__(["mosquitto", "-c", configuration], self.mqtt_port)

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
