"""As much of S3 as a publisher needs, in memory: PUT, GET, HEAD and DELETE of objects by path-style addresses."""

import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What is sent back with an object as it was put.
KEPT = ("Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding")


class Bucket:
    """`objects`: body and headers by key. `requests`: method and key of each. While `broken`, all are answered 503."""

    def __init__(self, name: str = "status") -> None:
        self.name = name
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.requests: list[tuple[str, str]] = []
        self.broken = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def puts(self) -> list[str]:
        return [key for method, key in self.requests if method == "PUT"]

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def whatever(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            _, name, key = self.path.partition("?")[0].split("/", 2)
            bucket.requests.append((self.command, key))
            if bucket.broken or name != bucket.name:
                self.answer(503, b"<Error><Code>ServiceUnavailable</Code></Error>")
            elif self.command == "PUT":
                kept_headers = {name: self.headers[name] for name in KEPT if name in self.headers}
                bucket.objects[key] = body, kept_headers
                self.answer(200, headers={"ETag": '"1"'})
            elif self.command == "DELETE":
                bucket.objects.pop(key, None)
                self.answer(204)
            elif key in bucket.objects:
                body, kept_headers = bucket.objects[key]
                self.answer(200, body, kept_headers | {"ETag": '"1"', "Last-Modified": formatdate(usegmt=True)})
            else:
                self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_PUT = do_GET = do_HEAD = do_DELETE = whatever  # noqa: N815 - http.server's names

    return Handler
