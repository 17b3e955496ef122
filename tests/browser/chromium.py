"""A headless Chromium without any driver: its DevTools protocol, which is JSON over a WebSocket."""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import websocket

PROGRAM = "/usr/bin/chromium"


class Chromium:
    """A browser with a profile of its own, which goes with it. It trusts the authority, as if a user had said so."""

    def __init__(self, authority):
        assert os.path.exists(PROGRAM), "there is no Chromium here: `make test-browser` installs it"
        self.profile = tempfile.mkdtemp(prefix="doctor-test-chromium-")
        self._trust(authority)
        command = [PROGRAM, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.profile}",
                   "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                   "--disable-component-update"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # its sandbox refuses to be run by root
        self.log = open(os.path.join(self.profile, "log"), "w+b")
        environment = {**os.environ, "HOME": self.profile}
        self.process = subprocess.Popen([*command, "about:blank"], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=environment, start_new_session=True)
        self.port = self._port()

    def _trust(self, authority):
        database = os.path.join(self.profile, ".pki/nssdb")
        os.makedirs(database)
        for what in (["-N", "--empty-password"], ["-A", "-n", authority.name, "-t", "C,,", "-i", str(authority.ca)]):
            subprocess.run(["certutil", "-d", f"sql:{database}", *what], check=True)

    def _port(self, timeout=60):
        until = time.monotonic() + timeout
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/", self._words()):
                return int(found[1])
            time.sleep(0.02)
        words = self._words()
        self.close()
        raise AssertionError(f"Chromium did not start:\n{words}")

    def _words(self):
        with open(self.log.name, errors="replace") as log:
            return log.read()

    def open(self, url):
        """A new tab that shows `url`, once it is loaded."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=30) as answer:
            target = json.load(answer)
        return Page(target["webSocketDebuggerUrl"]).go(url)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """A tab. Scripts run in it as bodies of async functions; what they return comes back as JSON."""

    def __init__(self, url):
        # Chromium refuses those who say that they come from some origin.
        self.socket = websocket.create_connection(url, timeout=30, suppress_origin=True)
        self.numbers = itertools.count(1)
        self.failures = []  # what scripts threw that nobody caught
        self._call("Page.enable")
        self._call("Runtime.enable")

    def _call(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.failures.append(details.get("exception", {}).get("description", details["text"]))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]

    def go(self, url):
        answer = self._call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        return self.until(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def run(self, script, **arguments):
        """The arguments are constants of their names in the script."""
        constants = "".join(f"const {name} = {json.dumps(value)};" for name, value in arguments.items())
        answer = self._call("Runtime.evaluate", expression=f"(async () => {{ {constants} {script} }})()",
                            awaitPromise=True, returnByValue=True)
        if details := answer.get("exceptionDetails"):
            raise AssertionError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, expression, timeout=20, show="null"):
        """Waits until the expression is true; if it never is, says what `show` is instead."""
        end = time.monotonic() + timeout
        while not self.run(f"return Boolean({expression})"):
            assert time.monotonic() < end, f"not true: {expression}; {show} is {self.run(f'return {show}')}, {self.failures}"
            time.sleep(0.02)
        return self

    def close(self):
        self._call("Page.close")
        self.socket.close()
