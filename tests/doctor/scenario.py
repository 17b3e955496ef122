"""Runs the text scenarios of tests/scenarios; their language is described in the README there."""

import re
import time
from collections import namedtuple

from model.values import parse, same_text

from . import rules
from .http import Http, percent
from .mqtt import Gone, Mqtt
from .server import Server

Line = namedtuple("Line", "number text")
Scenario = namedtuple("Scenario", "name lines number")

REQUEST = re.compile(r"([A-Z]+) (\S+)(?: (.*))?$", re.S)
HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): ?(.*)$", re.S)
MQTT = re.compile(r"mqtt(5?) (?:(\w+): )?(\w+) ?(.*)$", re.S)


class Failed(AssertionError):
    pass


def scenarios(text):
    """The scenarios of a file."""
    found, in_heading = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            if not in_heading:
                found.append(Scenario(line.lstrip("# "), [], number))
            in_heading = True
        elif line.strip():
            in_heading = False
            lines = found[-1].lines
            if line[0] in " \t" and lines:
                lines[-1] = Line(lines[-1].number, lines[-1].text + " " + line.strip())
            else:
                lines.append(Line(number, line.strip()))
    return found


def run(scenario):
    lines = list(scenario.lines)
    secret, config = None, ""
    while lines and lines[0].text.startswith(("secret ", "config ")):
        word, _, rest = lines.pop(0).text.partition(" ")
        if word == "secret":
            secret = rest
        else:
            config += rest + "\n"
    with Server(secret=secret, config=config) as server:
        Run(server).lines(lines)


class Run:
    """One scenario under way."""

    def __init__(self, server):
        self.server = server
        self.headers = {"SECRET": server.secret} if server.secret else {}
        self.http = Http(server.api)
        self.clients = {}
        self.kept = {}
        self.answer = None
        self.line = Line(0, "")

    def lines(self, lines):
        lines = list(lines)
        try:
            while lines:
                self.line = lines.pop(0)
                self.do(self.line.text, lines)
        except (AssertionError, OSError, ValueError) as error:
            raise Failed(f"line {self.line.number}: {self.line.text}\n{error}\n\nlast answer:\n{self.answer}") from error
        finally:
            for client in self.clients.values():
                client.close()

    def do(self, text, lines):
        word, _, rest = text.partition(" ")
        if word == ">":
            self.expect(self.filled(rest))
        elif word.startswith("mqtt"):
            self.mqtt(self.filled(text))
        elif word == "as":
            self.reader(self.filled(rest))
        elif word == "wait":
            time.sleep(float(rest))
        elif word == "restart":
            self.server.restart()
            self.http = Http(self.server.api)
        else:
            self.request(text, lines)

    def filled(self, text):
        return re.sub(r"<<(.*?)>>", lambda found: self.value(found[1]), text)

    def value(self, name):
        if name == "soon":
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        part, _, times = name.rpartition("*")
        return part * int(times) if part and times.isdigit() else self.kept[name]

    def reader(self, words):
        who, _, key = words.partition(" ")
        self.headers = {
            "connector": {"SECRET": self.server.secret}, "nobody": {}, "session": {"SESSION": key},
            "bearer": {"Authorization": "Bearer " + key},
        }[who]
        if self.headers == {"SECRET": None}:
            self.headers = {}

    # -- requests -----------------------------------------------------------------------------

    def request(self, text, lines):
        headers = dict(self.headers)
        while lines and (header := HEADER.match(lines[0].text)):
            headers[header[1]] = self.filled(header[2])
            lines.pop(0)
        text = self.filled(text)
        if text.startswith("ask "):
            _, target, query = text.split(" ", 2)
            text = f"GET {target}?q={percent(query)}"
        parts = REQUEST.match(text)
        assert parts, "neither a request nor another word of this language"
        method, target, body = parts.groups()
        expected = next((int(line.text[2:5]) for line in lines[:1] if re.match(r"> \d{3}", line.text)), 200)
        world = self.world() if expected >= 400 else None
        self.answer = self.http.request(method, target, None if body is None else octets(body), headers=headers)
        rules.check(method, target, self.answer)
        if world is not None:
            assert (now := self.world()) == world, f"an error changed something\nbefore: {world}\nafter: {now}"
        if not lines or not lines[0].text.startswith("> "):
            assert self.answer.status < 300, "the request should have succeeded"

    def world(self):
        """Everything that a connector can see of the store."""
        with self.server.http() as http:
            entities = http.get("/entities")
            names = [one["name"] for one in entities.json]
            bodies = [http.get(target).body for target in ("/sessions", *(f"/entities/{name}" for name in names))]
            return entities["Doctor-Revision"], entities.body, bodies

    def expect(self, text):
        answer = self.answer
        word, _, rest = text.partition(" ")
        if re.fullmatch(r"\d{3}", word):
            assert answer.status == int(word), f"status {answer.status}"
            words = f"{answer.json['detail']} {answer.json.get('field', '')}".lower() if rest else ""
            for part in rest.split(" / ") if rest else []:
                assert part.lower() in words, f"neither detail nor field says {part}"
        elif text[0] in "{[":
            assert matches(parse(text), parse(answer.body)), f"expected {text}\ngot      {answer.body.decode()}"
        elif word == "text":
            assert answer.body.decode() == rest
        elif text == "empty":
            assert answer.body == b"", "the body is not empty"
        elif word == "no":
            assert answer[rest] is None, f"{rest}: {answer[rest]}"
        elif word == "keep":
            name, header = rest.split(" ")
            assert answer[header] is not None, f"no {header}"
            self.kept[name] = answer[header]
        elif text == "offset":
            assert isinstance(answer.json.get("offset"), int), "no offset"
        elif word in ("field", "offset", "id"):
            assert str(answer.json.get(word)) == rest, f"{word}: {answer.json.get(word)}"
        elif rest.startswith("matches "):
            assert re.fullmatch(rest[8:], answer[word] or ""), f"{word}: {answer[word]}"
        elif rest.startswith("~ "):
            assert answer[word] is not None and rest[2:].lower() in answer[word].lower(), f"{word}: {answer[word]}"
        else:
            header = HEADER.match(text)
            assert header, "no expectation of this language"
            assert answer[header[1]] == header[2], f"{header[1]}: {answer[header[1]]}"

    # -- MQTT ---------------------------------------------------------------------------------

    def mqtt(self, text):
        version, name, verb, rest = MQTT.match(text).groups()
        key = (version, name)
        if verb == "login":
            self.clients[key] = self.connected(version, *rest.split(" "))
            return
        if key not in self.clients:
            self.clients[key] = self.connected(version, *(("connector", self.server.secret) if self.server.secret else ()))
        client = self.clients[key]
        if verb == "subscribe":
            filter, _, qos = rest.partition(" qos ")
            assert client.subscribe(filter, qos=int(qos or 0)) == [int(qos or 0)]
        elif verb == "unsubscribe":
            client.unsubscribe(rest)
        elif verb == "publish":
            client.publish(*rest.split(" ", 1))
        elif verb == "closed":
            client.wait_closed()
        elif rest == "nothing":
            assert not (heard := client.hear(0.2)), f"heard {heard}"
        else:
            self.heard(client, rest)

    def connected(self, version, *credentials):
        client = Mqtt(self.server.mqtt, *credentials, version=5 if version else 4)
        assert client.code == 0, f"CONNACK {client.code}"
        return client

    def heard(self, client, text):
        expected = re.fullmatch(r"(\S+) (.*?)(?: revision (\d+)( end)?)?", text)
        try:
            message = client.hear(5)
        except Gone as gone:
            raise AssertionError(f"the server closed: {gone}") from gone
        assert message, "heard nothing"
        assert (message.topic, message.payload) == expected.groups()[:2], f"heard {message}"
        if expected[3]:
            user = dict(message.properties["user"])
            assert user.get("revision") == expected[3], f"heard {message}"
            assert user.get("commit") == ("end" if expected[4] else None), f"heard {message}"


def octets(text):
    """The bytes of a body: \\xff is that byte."""
    parts = re.split(r"\\x([0-9a-f]{2})", text)
    return b"".join(bytes.fromhex(part) if at % 2 else part.encode() for at, part in enumerate(parts))


def matches(expected, got):
    if expected == "<any>":
        return True
    if isinstance(expected, dict) and isinstance(got, dict):
        return list(expected) == list(got) and all(matches(expected[k], got[k]) for k in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(matches, expected, got))
    return same_text(expected, got)
