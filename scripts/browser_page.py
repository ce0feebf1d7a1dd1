"""A page in headless Chromium, driven over a pipe with its DevTools protocol."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from typing import Any
from urllib.parse import urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ANSWER_SECONDS = 60

# What a person sees: the title and the text, those of open shadow roots included.
TEXT = """(() => {
  const text = (root) => [...root.querySelectorAll('*')].filter((e) => e.shadowRoot)
    .map((e) => e.shadowRoot.textContent + text(e.shadowRoot)).join(' ');
  return [document.title, document.body?.innerText, text(document)].join(' ');
})()"""


class Page:
    """A page that was opened once. ``errors``: what its scripts and its connections said."""

    def __init__(self, url: str) -> None:
        """Raises ValueError where there is no browser."""
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is None:
            raise ValueError(f"no browser: install one of {', '.join(BROWSERS)}")
        self.errors: list[str] = []
        self._host = urlsplit(url).hostname
        self._count, self._rest, self._session = 0, b"", ""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        self._process = subprocess.Popen(  # noqa: S603
            ["/bin/bash", "-c", f'exec "$@" 98<&{commands} 99>&{answers} 3<&98 4>&99', "bash",
             browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}",
             "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        try:
            target = self._ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self._ask(f"{domain}.enable")
            self._ask("Page.navigate", url=url)
        except BaseException:
            self.close()
            raise

    def text(self) -> str:
        """The page's title and text; empty while it is loaded again."""
        found = self._ask("Runtime.evaluate", expression=TEXT, returnByValue=True)
        return str(found.get("result", {}).get("value", ""))

    def settle(self, seconds: float = 60, quiet: float = 3) -> None:
        """Waits until the page has a text and its connections were silent for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            heard = self._listen(quiet)
            if not heard and self.text().strip():
                return

    def close(self) -> None:
        os.close(self._commands)  # It ends then.
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)
        self._profile.cleanup()

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._count += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._count, "method": method, "params": parameters, **session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < end:
            for answer in self._read(1):
                if answer.get("id") == self._count:
                    result: dict[str, Any] = answer.get("result", {})
                    return result
        raise ValueError(f"the browser does not answer {method}")

    def _listen(self, seconds: float) -> bool:
        """Whether an event came."""
        return bool(self._read(seconds))

    def _read(self, seconds: float) -> list[dict[str, Any]]:
        if not select.select([self._answers], [], [], seconds)[0]:
            return []
        data = os.read(self._answers, 1 << 20)
        if not data:
            raise ValueError("the browser ended")
        *whole, self._rest = (self._rest + data).split(b"\0")
        found: list[dict[str, Any]] = [json.loads(part) for part in whole]
        for message in found:
            self._note(message.get("method", ""), message.get("params", {}))
        return found or [{}]

    def _note(self, event: str, data: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            thrown = data["exceptionDetails"]
            said = thrown.get("exception", {}).get("description") or thrown["text"]
            self.errors.append(said.partition("\n")[0])
        elif event == "Network.webSocketFrameError":
            self.errors.append(f"WebSocket: {data['errorMessage']}")
        elif event == "Log.entryAdded" and data["entry"]["level"] == "error":
            entry = data["entry"]
            url = urlsplit(entry.get("url", ""))
            # Icons and what lies on other hosts are not the development server's.
            if url.hostname in (self._host, None) and not url.path.endswith(".ico"):
                self.errors.append(f"{entry['text']} {url.path}".strip())
