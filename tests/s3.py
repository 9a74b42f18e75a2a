"""A small S3-compatible server: one bucket in memory, over real HTTP."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


def plain(body: bytes) -> bytes:
    """A body without the frames of aws-chunked."""
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        n = int(size.split(b";")[0], 16)
        if n == 0:
            break
        out, body = out + rest[:n], rest[n + 2 :]
    return out


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    parts: dict[str, dict[int, bytes]]
    seen: list[tuple[str, str]]

    def log_message(self, *said):
        pass

    def say(self, body: bytes = b"", status: int = 200, **headers: str):
        self.send_response(status)
        headers = {"Content_Length": str(len(body)), **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def asked(self):
        url = urlsplit(self.path)
        self.seen.append((self.command, self.headers.get("Authorization", "")))
        return unquote(url.path).strip("/"), parse_qs(url.query, keep_blank_values=True)

    def do_HEAD(self):
        key, _ = self.asked()
        held = self.objects.get(key)
        if held is None and key != "bucket":
            return self.say(status=404)
        return self.say(Content_Length=str(len(held or b"")), Last_Modified=WHEN, ETag='"x"')

    def do_GET(self):
        key, query = self.asked()
        if "prefix" in query or "list-type" in query:
            return self.listed(query.get("prefix", [""])[0])
        held = self.objects.get(key)
        if held is None:
            return self.say(b"<Error><Code>NoSuchKey</Code></Error>", 404)
        first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups()
        return self.say(held[int(first) : int(last) + 1], 206)

    def listed(self, prefix: str):
        inside = sorted(k.removeprefix("bucket/") for k in self.objects)
        rows = "".join(
            f"<Contents><Key>{escape(k)}</Key><Size>{len(self.objects['bucket/' + k])}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for k in inside
            if k.startswith(prefix)
        )
        count = rows.count("<Key>")
        self.say(
            f"<ListBucketResult><Name>bucket</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>"
            f"{count}</KeyCount><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
        )

    def body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            got = b""
            while n := int(self.rfile.readline().split(b";")[0], 16):
                got += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        else:
            got = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return plain(got) if "aws-chunked" in self.headers.get("Content-Encoding", "") else got

    def do_PUT(self):
        key, query = self.asked()
        data = self.body()
        if "partNumber" in query:
            self.parts.setdefault(key, {})[int(query["partNumber"][0])] = data
        else:
            self.objects[key] = data
        self.say(ETag='"x"')

    def do_POST(self):
        key, query = self.asked()
        self.body()
        if "uploads" in query:
            return self.say(
                b"<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                b"</InitiateMultipartUploadResult>"
            )
        held = self.parts.pop(key, {})
        self.objects[key] = b"".join(held[n] for n in sorted(held))
        return self.say(
            b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
        )


WHEN = "Thu, 01 Jan 2026 00:00:00 GMT"


@contextmanager
def serve() -> Iterator[tuple[str, type[Handler]]]:
    """The endpoint, and what its bucket ``bucket`` holds (``objects``)."""
    held = type("Held", (Handler,), {"objects": {}, "parts": {}, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), held)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
