"""Loopback servers whose behaviour a test scripts: targets to scrape, and a receiver of webhooks."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .waiting import SOON, wait_until
from .web import free_port

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PATIENCE_SECONDS = 60.0


class Server:
    """An HTTP server in a thread. Subclasses answer in `handle(handler, body)`."""

    def __init__(self):
        self.port = free_port()
        self.closing = threading.Event()
        self._server = None
        self._sockets = set()
        self._lock = threading.Lock()
        self.listen()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def url(self, path="/"):
        return f"http://{self.address}{path}"

    def listen(self):
        """Takes connections, on the same port as before."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                with outer._lock:
                    outer._sockets.add(self.connection)

            def finish(self):
                with outer._lock:
                    outer._sockets.discard(self.connection)
                try:
                    super().finish()
                except OSError:
                    pass

            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, body):
                try:
                    outer.handle(self, body)
                except OSError:  # the other side went away
                    self.close_connection = True

            def log_message(self, *_):
                pass

            def send(self, status, body, content_type="text/plain"):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                if len(body) > 200 and "gzip" in self.headers.get("Accept-Encoding", ""):
                    body = gzip.compress(body, 1)
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass

        self._server = Listener(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def refuse(self):
        """Closes the port and every connection: the next attempt is refused."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        with self._lock:
            for connection in self._sockets:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.closing.set()
        self.refuse()

    def handle(self, handler, body):
        raise NotImplementedError


class Hang:
    """Takes the request and never answers."""

    def send(self, server, handler):
        server.closing.wait(PATIENCE_SECONDS)
        handler.close_connection = True


class Status:
    """A status code and nothing of use."""

    def __init__(self, status, body=b"out of order\n"):
        self.status = status
        self.body = body

    def send(self, server, handler):
        handler.send(self.status, self.body)


class Page:
    """An exposition: a text, or a function that yields it for each scrape."""

    def __init__(self, text, content_type=TEXT):
        self.text = text
        self.content_type = content_type

    def send(self, server, handler):
        text = self.text() if callable(self.text) else self.text
        body = text if isinstance(text, bytes) else text.encode("utf-8")
        handler.send(200, body, self.content_type)


class Endless:
    """Valid lines without end, some megabytes per second."""

    def send(self, server, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", TEXT)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        number = 0
        limit = time.monotonic() + PATIENCE_SECONDS
        while not server.closing.is_set() and time.monotonic() < limit:
            lines = [f'endless{{number="{number + i}"}} 1\n' for i in range(1000)]
            number += 1000
            handler.wfile.write("".join(lines).encode("ascii"))
            time.sleep(0.005)


class CutShort:
    """Promises more bytes than it sends."""

    def send(self, server, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", TEXT)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half_a_page 1\n")
        handler.close_connection = True


class Exporter(Server):
    """A fake exporter: `pages` says what each path answers, and may change at any time."""

    def __init__(self, **pages):
        self.pages = {"/" + name: page for name, page in pages.items()}
        self.requests = {}
        super().__init__()

    def __setitem__(self, name, page):
        self.pages["/" + name] = page

    def handle(self, handler, body):
        path = handler.path.split("?")[0]
        self.requests.setdefault(path, []).append(dict(handler.headers.items()))
        self.pages.get(path, Status(404)).send(self, handler)


class Delivery:
    """One request a webhook received."""

    def __init__(self, path, headers, raw, status):
        self.at = time.time()
        self.path = path
        self.headers = headers
        self.raw = raw
        self.status = status

    @property
    def payload(self):
        return json.loads(self.raw.decode("utf-8"))

    def alerts(self, name):
        return [alert for alert in self.payload["alerts"] if alert["labels"].get("alertname") == name]

    def __repr__(self):
        return f"<{self.path} answered {self.status}: {self.raw[:200]!r}>"


class Receiver(Server):
    """Records every webhook. `status` is what it answers (None: nothing at all), after `delay` seconds."""

    def __init__(self, status=200, delay=0.0):
        self.status = status
        self.delay = delay
        self.deliveries = []
        super().__init__()

    def handle(self, handler, body):
        status, delay = self.status, self.delay
        self.deliveries.append(Delivery(handler.path, dict(handler.headers.items()), body, status))
        if status is None:
            self.closing.wait(PATIENCE_SECONDS)
            handler.close_connection = True
            return
        if delay:
            self.closing.wait(delay)
        handler.send(status, b"{}", "application/json")

    @property
    def accepted(self):
        return [delivery for delivery in self.deliveries if delivery.status == 200]

    def wait_for(self, name, status, seconds=SOON):
        """The first accepted delivery that holds this alert with this status: the alert and its delivery."""

        def found():
            for delivery in list(self.accepted):
                for alert in delivery.alerts(name):
                    if alert["status"] == status:
                        return alert, delivery
            return None

        return wait_until(found, f"webhook {self.port} receives {name} {status}", seconds)
