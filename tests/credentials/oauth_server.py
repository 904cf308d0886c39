"""A token endpoint and an authorization page, with single-use refresh tokens."""

import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from tap_drchrono.streams.catalogue import scopes

CLIENT = {"client_id": "invented-client", "client_secret": "invented-secret"}


class OAuthServer:
    """Serves on loopback; `delay` and `gate` keep the token endpoint waiting."""

    def __init__(self, refresh_token="settings-token", delay=0.0):  # noqa: S107
        self.refresh_token = refresh_token
        self.access_token = None
        self.delay = delay
        self.gate = lambda: None
        self.codes = {}
        self.requests = []
        self.consent = "approve"
        self.scope = " ".join(sorted(scopes()))
        self._serial = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self):
        oauth = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self):
                oauth.handle(self, "")

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                oauth.handle(self, self.rfile.read(length).decode())

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        ).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def handle(self, handler, body):
        parts = urlsplit(handler.path)
        form = {key: values[0] for key, values in parse_qs(body).items()}
        if parts.path == "/o/token/" and handler.command == "POST":
            time.sleep(self.delay)
            self.gate()
            with self._lock:
                self.requests.append(form)
                status, answer = self.token(form)
            self.answer(handler, status, json.dumps(answer))
        elif parts.path == "/o/authorize/" and handler.command == "GET":
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            answer = self.authorize(query)
            location = f"{query['redirect_uri']}?{urlencode(answer)}"
            self.answer(handler, 302, "", {"Location": location})
        elif parts.path == "/api/hello":
            good = handler.headers.get("Authorization") == f"Bearer {self.access_token}"
            self.answer(handler, 200 if good else 401, "{}")
        else:
            self.answer(handler, 404, "{}")

    def answer(self, handler, status, body, headers=None):
        handler.send_response(status)
        headers = {"Content-Type": "application/json"} | (headers or {})
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    def authorize(self, query):
        if self.consent != "approve":
            error = "access_denied" if self.consent == "deny" else self.consent
            return {"error": error, "state": query["state"]}
        code = f"code-{next(self._serial)}"
        self.codes[code] = query["redirect_uri"]
        return {"code": code, "state": query["state"]}

    def token(self, form):
        if {name: form.get(name) for name in CLIENT} != CLIENT:
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "authorization_code":
            good = self.codes.pop(form["code"], None) == form["redirect_uri"]
        else:
            good = form["refresh_token"] == self.refresh_token
        if not good:
            return 400, {"error": "invalid_grant"}
        serial = next(self._serial)
        self.access_token = f"access-{serial}"
        self.refresh_token = f"refresh-{serial}"
        return 200, {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": 172800,
            "refresh_token": self.refresh_token,
            "scope": self.scope,
        }
