"""The web server of a front end: an origin of its own, since Doctor serves no pages."""

import http.server
import re
import ssl
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).parent
MANUAL = HERE.parents[1] / "docs/mqtt.md"


def mqtt_js():
    """Debian's mqtt.js as one script for browsers, made as its authors make theirs."""
    command = ["/usr/bin/node", "/usr/bin/browserify", "/usr/share/nodejs/mqtt/mqtt.js", "--standalone", "mqtt"]
    return subprocess.run(command, check=True, capture_output=True, env={"NODE_PATH": "/usr/share/nodejs"}).stdout


def example():
    """The front end that the manual shows, to the letter."""
    return re.search(r"```js\n(.*?)```", MANUAL.read_text(), re.DOTALL)[1]


class Site:
    """Serves `/`, a page with mqtt.js and helpers.js, and pages that are added, at http://localhost:{port}.

    The same at https://localhost:{another port}, with the certificate of `files`.
    """

    def __init__(self, files):
        self.pages = pages = {"/mqtt.js": ("text/javascript", mqtt_js())}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, text = pages.get(self.path, ("", None))
                self.send_response(404 if text is None else 200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(text or b"")

            def log_message(self, *_):
                pass

        self.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
        plain, secure = self.servers
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.cert, files.key)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        self.origin, self.secure_origin = f"http://localhost:{plain.server_port}", f"https://localhost:{secure.server_port}"
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.page("/", (HERE / "helpers.js").read_text())

    def page(self, path, script):
        """Adds a page that runs mqtt.js and then the script."""
        self.pages[path] = ("text/html", f"""<!doctype html><meta charset=utf-8><title>front end</title>
<link rel=icon href=data:><pre></pre>
<script src=/mqtt.js></script><script>{script}</script>""".encode())

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
