"""Small workspaces that need no packages, so that a container is up in a second."""

from __future__ import annotations

PAGE = {"index.html": "<h1>hello</h1>\n"}
"""A static site."""

NODE = {
    "package.json": '{"name": "small", "private": true, "scripts": {"dev": "node server.js"}}\n',
    "server.js": """\
const http = require("http");
const port = Number(process.env.PORT);
const server = http.createServer((request, response) => response.end("hello\\n"));
server.listen(port, "0.0.0.0", () => console.log("listening", Date.now() / 1000));
process.on("SIGTERM", () => {
  console.log("saying goodbye");
  server.close();
  setTimeout(() => { console.log("shut down"); process.exit(0); }, 200);
});
""",
}
"""A node server under ``npm run dev`` that takes its leave."""


def python(before: str = "", *, host: str = "0.0.0.0") -> dict[str, str]:
    """A Python server that runs ``before`` first."""
    return {
        "main.py": f"""\
import http.server, os, signal, sys, time
{before}
server = http.server.ThreadingHTTPServer(
    ({host!r}, int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler
)
print("listening", time.time(), flush=True)
server.serve_forever()
"""
    }
