"""What editors say to debuggers: one small client for each protocol."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from xml.etree import ElementTree

TIMEOUT = 30
C = TypeVar("C", bound="_Client")


def in_background(action: Callable[[], Any]) -> threading.Thread:
    """A request that waits at the breakpoint."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def attached(client: C) -> C:
    """As soon as the debugger answers: after a reload, it needs a moment."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            client.connect()
            return client
        except (OSError, EOFError, ValueError):
            client.close()
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.3)


class _Client:
    """A connection to a debugger."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = socket.socket()
        self.stream = self.connection.makefile("rb")
        self.number = 0

    def connect(self) -> None:
        """Raises OSError, EOFError or ValueError where nobody answers as it should."""
        self.close()
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        self.stream = self.connection.makefile("rb")

    def close(self) -> None:
        self.stream.close()
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def read(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise EOFError
        return data


class Inspector(_Client):
    """The Chrome DevTools Protocol, of Node.js."""

    def connect(self) -> None:
        address = f"127.0.0.1:{self.port}"
        with urllib.request.urlopen(f"http://{address}/json/list", timeout=5) as answer:
            (target,) = json.load(answer)
        path = target["webSocketDebuggerUrl"].split("/", 3)[3]
        super().connect()
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in self.stream.readline()
        while self.stream.readline().strip():
            pass

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        number = self.number
        data = json.dumps({"id": number, "method": method, "params": params}).encode()
        assert len(data) < 65536
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
        # A client masks what it sends, here with zeros.
        self.connection.sendall(b"\x81" + size + bytes(4) + data)
        return self.until(lambda message: message.get("id") == number)["result"]

    def until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self.message()
            if is_it(message):
                return message

    def message(self) -> dict[str, Any]:
        _, length = self.read(2)
        if length >= 126:
            length = int.from_bytes(self.read(2 if length == 126 else 8))
        return json.loads(self.read(length))

    def value_at(self, url: str, line: int, action: Callable[[], Any], expression: str) -> Any:
        """What ``expression`` is where ``action`` comes to ``line``, counted from 1."""
        self.request("Debugger.enable")
        self.request("Debugger.setBreakpointByUrl", url=url, lineNumber=line - 1)
        waiting = in_background(action)
        paused = self.until(lambda m: m.get("method") == "Debugger.paused")["params"]
        frame = paused["callFrames"][0]["callFrameId"]
        found = self.request(
            "Debugger.evaluateOnCallFrame", callFrameId=frame, expression=expression
        )
        self.request("Debugger.resume")
        waiting.join(TIMEOUT)
        return found["result"]["value"]


class DebugAdapter(_Client):
    """The Debug Adapter Protocol, of debugpy."""

    def __init__(self, port: int, local: Path) -> None:
        super().__init__(port)
        self.local = local
        self.events: list[dict[str, Any]] = []
        self.attach = 0

    def connect(self) -> None:
        super().connect()
        self.request("initialize", adapterID="test", pathFormat="path", linesStartAt1=True)
        mapping = {"localRoot": str(self.local), "remoteRoot": "/app"}
        self.attach = self.send("attach", pathMappings=[mapping], justMyCode=True)
        self.event("initialized")

    def send(self, command: str, **arguments: Any) -> int:
        self.number += 1
        text = json.dumps(
            {"type": "request", "seq": self.number, "command": command, "arguments": arguments}
        )
        self.connection.sendall(f"Content-Length: {len(text)}\r\n\r\n{text}".encode())
        return self.number

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.answer(self.send(command, **arguments))

    def answer(self, number: int) -> dict[str, Any]:
        while True:
            message = self.message()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body", {})

    def event(self, name: str) -> dict[str, Any]:
        while True:
            found = next((e for e in self.events if e["event"] == name), None)
            if found:
                self.events.remove(found)
                return found.get("body", {})
            self.message()

    def message(self) -> dict[str, Any]:
        length = 0
        while line := self.stream.readline().strip():
            length = int(line.removeprefix(b"Content-Length: "))
        message = json.loads(self.read(length or 1))
        if message["type"] == "event":
            self.events.append(message)
        return message

    def value_at(self, file: Path, line: int, action: Callable[[], Any], expression: str) -> str:
        """What ``expression`` is where ``action`` comes to ``line``."""
        answer = self.request(
            "setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}]
        )
        assert answer["breakpoints"][0]["verified"], answer
        self.request("configurationDone")
        self.answer(self.attach)
        waiting = in_background(action)
        thread = self.event("stopped")["threadId"]
        (frame, *_) = self.request("stackTrace", threadId=thread)["stackFrames"]
        assert frame["source"]["path"] == str(file), frame
        found = self.request("evaluate", expression=expression, frameId=frame["id"])
        self.request("continue", threadId=thread)
        waiting.join(TIMEOUT)
        return found["result"]


class Dbgp:
    """DBGp, of Xdebug: the editor listens, and the program connects to it."""

    def __init__(self) -> None:
        self.server = socket.create_server(("0.0.0.0", 0))
        self.server.settimeout(TIMEOUT)
        self.port: int = self.server.getsockname()[1]

    def value_at(self, file: str, line: int, action: Callable[[], Any], expression: str) -> Any:
        """What ``expression`` is where ``action`` comes to ``line``."""
        waiting = in_background(action)
        connection, _ = self.server.accept()
        with closing(connection), connection.makefile("rb") as stream:
            connection.settimeout(TIMEOUT)

            def answer() -> ElementTree.Element:
                size = b""
                while (byte := stream.read(1)) != b"\0":
                    size += byte
                return ElementTree.fromstring(stream.read(int(size) + 1)[:-1])

            def request(command: str) -> ElementTree.Element:
                connection.sendall(command.encode() + b"\0")
                return answer()

            assert answer().get("language") == "PHP"
            request(f"breakpoint_set -i 1 -t line -f file://{file} -n {line}")
            assert request("run -i 2").get("status") == "break"
            data = base64.b64encode(expression.encode()).decode()
            found = request(f"eval -i 3 -- {data}")[0].text
            connection.sendall(b"detach -i 4\0")
        waiting.join(TIMEOUT)
        return found

    def close(self) -> None:
        self.server.close()
