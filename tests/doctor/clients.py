"""Subscribers made of real MQTT clients. Each starts subscribed and gives what it hears as text.

tls: files of doctor.certificates, for the server's listeners with TLS; the client trusts their CA and shows their
certificate, if there is one.
"""

import queue
import subprocess
import threading
from pathlib import Path

import paho.mqtt.client as paho

SCRIPT = Path(__file__).with_name("subscribe.js")


class Paho:
    """paho-mqtt. version: 4 or 5; transport: tcp or websockets (then on the API's port)."""

    def __init__(self, server, filter, version, transport="tcp", path="/mqtt", credentials=None, qos=0, tls=None):
        self.lines, ready = queue.Queue(), threading.Event()
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        self.client = paho.Client(protocol=protocol, transport=transport)
        if transport == "websockets":
            self.client.ws_set_options(path=path)
        if credentials:
            self.client.username_pw_set(*credentials)
        api, mqtt = (server.api, server.mqtt) if not tls else (server.api_tls, server.mqtt_tls)
        if tls:
            self.client.tls_set(str(tls.ca), tls.cert and str(tls.cert), tls.key and str(tls.key))
        self.client.on_message = lambda client, _, message: self.lines.put(f"{message.topic} {message.payload.decode()}")
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_connect = lambda client, *_: client.subscribe(filter, qos)
        self.client.connect("127.0.0.1", api if transport == "websockets" else mqtt, keepalive=30)
        self.client.loop_start()
        assert ready.wait(10), "paho was not subscribed"

    def next(self, timeout=10):
        return self.lines.get(timeout=timeout)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Process:
    """A subscriber that prints lines."""

    def __init__(self, command, ready):
        self.lines = queue.Queue()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        while not ready(line := self.next()):
            assert "refused" not in line and "error" not in line.lower(), line

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def next(self, timeout=10):
        while True:
            line = self.lines.get(timeout=timeout)
            if not line.startswith("Client "):  # mosquitto_sub's own words
                return line

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def mosquitto_sub(server, filter, version, credentials=None, tls=None):
    port = server.mqtt_tls if tls else server.mqtt
    command = ["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", filter, "-v", "-d",
               "-V", "5" if version == 5 else "311"]
    if tls:
        command += ["--cafile", str(tls.ca)] + (["--cert", str(tls.cert), "--key", str(tls.key)] if tls.cert else [])
    if credentials:
        command += ["-u", credentials[0], "-P", credentials[1]]
    return Process(command, lambda line: line.startswith("Subscribed"))


def mqtt_js(server, filter, version, transport="ws", path="/mqtt", credentials=(), tls=None):
    if tls:
        url = f"wss://127.0.0.1:{server.api_tls}{path}" if transport == "ws" else f"mqtts://127.0.0.1:{server.mqtt_tls}"
    else:
        url = f"ws://127.0.0.1:{server.api}{path}" if transport == "ws" else f"mqtt://127.0.0.1:{server.mqtt}"
    # Debian's node looks for Debian's modules by itself; another node must be told where they are.
    variables = ["NODE_PATH=/usr/share/nodejs"] + ([f"NODE_EXTRA_CA_CERTS={tls.ca}"] if tls else [])
    command = ["env", *variables, "/usr/bin/node", str(SCRIPT), url, str(version), filter, *credentials]
    return Process(command, lambda line: line == "ready")
