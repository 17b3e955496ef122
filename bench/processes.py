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


def wait_for_port(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port} after {seconds} s")


class Server:
    """A process that listens; its CPU seconds are those of all its descendants."""

    def __init__(self, command, port, environment=None):
        self.port = port
        self.process = subprocess.Popen(
            command,
            env={name: value for name, value in os.environ.items() if name != "SECRET"} | (environment or {}),
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
        return self.memory_of(self.process.pid)

    @staticmethod
    def memory_of(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return {name: int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS", "RssAnon") if name in fields}

    def broker_pid(self):
        """The one that does the work: what was started, or what it has started in turn."""
        return max(self._tree(), key=lambda pid: Server.memory_of(pid).get("VmRSS", 0))

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
        self.mqtt_port, self.stomp_port, port = free_port(), free_port(), free_port()
        super().__init__(
            [binary, "serve", "--data-dir", self.directory, "--config", configuration, "--api-port", str(port),
             "--mqtt-port", str(self.mqtt_port), "--stomp-port", str(self.stomp_port)],
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


class RabbitMq(Server):
    """RabbitMQ with its STOMP plugin and nothing else, on a directory of its own."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="doctor-bench-rabbitmq-")
        self.stomp_port, self.epmd_port = free_port(), free_port()
        files = {name: pathlib.Path(self.directory, name) for name in ("rabbitmq.conf", "enabled_plugins")}
        files["rabbitmq.conf"].write_text(
            f"listeners.tcp = none\nstomp.listeners.tcp.1 = 127.0.0.1:{self.stomp_port}\n"
            "stomp.default_user = guest\nstomp.default_pass = guest\nlog.file.level = error\n"
        )
        files["enabled_plugins"].write_text("[rabbitmq_stomp].\n")
        super().__init__(["/usr/lib/rabbitmq/bin/rabbitmq-server"], self.stomp_port, {
            "HOME": self.directory,
            "RABBITMQ_NODENAME": f"bench{self.stomp_port}@localhost",
            "RABBITMQ_MNESIA_BASE": f"{self.directory}/mnesia",
            "RABBITMQ_LOG_BASE": f"{self.directory}/log",
            "RABBITMQ_CONFIG_FILE": str(files["rabbitmq.conf"]),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(files["enabled_plugins"]),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(self.epmd_port),
        })

    def remove(self):
        os.kill(self.broker_pid(), signal.SIGTERM)
        self.process.wait(60)
        subprocess.run(["epmd", "-port", str(self.epmd_port), "-kill"], check=False, capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)


class ActiveMq(Server):
    """ActiveMQ with a STOMP connector (NIO) and nothing on disk, as its own documents advise for speed."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="doctor-bench-activemq-")
        self.stomp_port = free_port()
        configuration = pathlib.Path(self.directory, "activemq.xml")
        schemas = "http://www.springframework.org/schema/beans", "http://activemq.apache.org/schema/core"
        configuration.write_text(
            f"""<beans xmlns="{schemas[0]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="
  {schemas[0]} {schemas[0]}/spring-beans.xsd {schemas[1]} {schemas[1]}/activemq-core.xsd">
  <broker xmlns="{schemas[1]}" useJmx="false" brokerName="bench" persistent="false" dataDirectory="{self.directory}">
    <transportConnectors>
      <transportConnector name="stomp" uri="stomp+nio://127.0.0.1:{self.stomp_port}?transport.tcpNoDelay=true"/>
    </transportConnectors>
  </broker>
</beans>
"""
        )
        super().__init__(
            ["java", "-Xms512M", "-Xmx1G", "-Dactivemq.home=/usr/share/activemq",
             f"-Dactivemq.base={self.directory}", f"-Dactivemq.conf={self.directory}",
             f"-Dactivemq.data={self.directory}", "-jar", "/usr/share/activemq/bin/activemq.jar",
             "start", f"xbean:file:{configuration}"],
            self.stomp_port,
        )

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
