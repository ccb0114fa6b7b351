"""A small HTTP client for loopback. It ignores proxies and has a time limit on everything."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse

REQUEST_SECONDS = 5.0


def free_port():
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.text)


def request(method, url, body=None, headers=None, seconds=REQUEST_SECONDS):
    """One request. Raises OSError when there is no complete answer in time."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    path = parts.path or "/"
    if parts.query:
        path += "?" + parts.query
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    except http.client.HTTPException as problem:
        raise OSError(f"{method} {url}: {problem!r}") from problem
    finally:
        connection.close()


def get(url, **params):
    """GET with query parameters; a list gives several of one name (`match=[…]` becomes `match[]`)."""
    pairs = []
    for name, value in params.items():
        if isinstance(value, list):
            pairs += [(name + "[]", item) for item in value]
        else:
            pairs.append((name, value))
    return request("GET", url + ("?" + urllib.parse.urlencode(pairs) if pairs else ""))


def post_form(url, **params):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return request("POST", url, urllib.parse.urlencode(params), kind)
