"""Arbitrary input for every parser, and for what engines and containers answer.

``scripts/fuzz SECONDS [SEED]`` tries inputs until the time is over, and fails on the first that
hangs, that raises what its caller does not expect, or that takes too much memory. It prints the
seed and the number of the input: the same two make the same input again.
"""

from __future__ import annotations

import base64
import io
import json
import random
import resource
import signal
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from mutations import changed, places  # noqa: E402 - of the source tree, also as a script

from debughost_cli.container import fingerprint  # noqa: E402
from debughost_cli.engine import decode, error_map  # noqa: E402
from debughost_cli.engine.docker import archive, log_stream  # noqa: E402
from debughost_cli.engine.docker.demultiplex import Demultiplexer  # noqa: E402
from debughost_cli.engine.output_buffer import OutputBuffer  # noqa: E402
from debughost_cli.engine.port import LogQuery  # noqa: E402
from debughost_cli.errors import DebughostError  # noqa: E402
from debughost_cli.names import check_project, project_id_from  # noqa: E402
from debughost_cli.planning import launcher_status, log_cursor, log_tail, log_times  # noqa: E402
from debughost_cli.planning.log_positions import PositionTracker  # noqa: E402
from debughost_cli.project import parsers  # noqa: E402
from debughost_cli.project.configuration import load_settings  # noqa: E402
from debughost_cli.project.ignore_rules import parse_rules  # noqa: E402
from debughost_cli.project.manifest import decode_manifest  # noqa: E402
from debughost_cli.project.resolve import resolve_project  # noqa: E402
from debughost_cli.project.settings import Flags  # noqa: E402
from debughost_cli.render.streams import clean, inline  # noqa: E402
from debughost_cli.resources import Link  # noqa: E402
from debughost_cli.services.compose_import import import_compose  # noqa: E402
from debughost_cli.services.conditions import parse_condition  # noqa: E402
from debughost_cli.services.devcontainer_import import import_devcontainer  # noqa: E402

LIMIT = 10.0
"""Seconds of this process's own time for one input of at most 1 MiB."""
SLOW = 1.0
"""Seconds from which on an input is printed."""
STUCK = 300
"""Seconds by the clock, for an input that waits for something; a busy machine's share included."""
MEMORY = 300 * 1024**2
LONGEST = 1024**2
LONGEST_ARGUMENT = 128 * 1024
"""Bytes; no argument of a Linux process is longer."""
WORDS = [
    b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"=", b".", b",", b":", b"#", b"\n", b"\r\n", b"\0",
    b" ", b"a.", b"[[", b'"""', b"'''", b"${", b"$", b"-r ", b"-e ", b"&&", b"|", b";", b"env -a ",
    b"node ", b"npm run ", b"python -m ", b"\xff", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"9" * 30,
    b"1e999", b"nan", b"null", b"true", b"..", b"/", b"~", b"*", b"@", b">=", b"file:", b"\x1b[31m",
    b"debughost 1\n", b"debughost -127\n", b"+deps-", b"2026-11-23T10:15:00.123456789Z ", b"1h30m",
]  # fmt: skip
FILES: dict[str, list[bytes]] = {
    "debughost.toml": [
        b'project = "shop"\nport = 3000\n[env]\nA = "b"\n',
        b'env_file = ".env"\ncommand = ["node", "x"]\nmemory = "1g"\nrestart = "no"\n',
    ],
    "pyproject.toml": [
        b'[project]\nname = "x"\ndependencies = ["flask>=2"]\n[tool.debughost]\nport = 5000\n',
        b'[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "*"\n[tool.uv]\n',
    ],
    "package.json": [
        b'{"name": "x", "scripts": {"dev": "vite --port 3000", "start": "node ."}, "main": "x.js",'
        b'"dependencies": {"next": "1", "express": "5"}, "packageManager": "pnpm@9.1.0"}',
    ],
    "requirements.txt": [b"flask>=2 ; python_version > '3'\n-r other.txt\nuvicorn[standard]\n"],
    "other.txt": [b"-r requirements.txt\ndjango==5 --hash=sha256:00\n"],
    "composer.json": [b'{"require": {"slim/slim": "4"}, "scripts": {"start": "php -S 0:80"}}'],
    ".env": [b"A=b\nexport C=\"d\\n\"\n# x\nE=${A}\nF='multi\nline'\n"],
    "main.py": [b"from flask import Flask\napp = Flask(__name__)\n"],
    "server.js": [b"require('http').createServer().listen(process.env.PORT)\n"],
    "Procfile": [b"web: gunicorn app:app\n"],
    "package-lock.json": [b'{"lockfileVersion": 3, "packages": {}}'],
    "index.html": [b"<p>"],
}
IMPORTED: dict[str, bytes] = {
    "devcontainer.json": b'{// a\n"image": "node:22", "build": {"dockerfile": "Dockerfile"},'
    b'"forwardPorts": [3000, "db:5432"], "containerEnv": {"A": "${localEnv:B:c}"},'
    b'"postCreateCommand": "sudo apt-get install -y jq && npm ci && cd web",'
    b'"runArgs": ["-m", "2g"], "mounts": ["source=a,target=/b"],'
    b'"features": {"ghcr.io/x/apt-packages:1": {"packages": "a,b"}},'
    b'"dockerComposeFile": "compose.yaml", "service": "app", /* c */}',
    "compose.yaml": b"services:\n  app: {build: ., command: sleep 9, ports: ['80:80']}\n"
    b"  db: {image: 'postgres:${V:-17}', environment: [A=b], volumes: ['d:/data']}\n",
    "Dockerfile": b"ARG V=22\nFROM node:${V}-slim AS base\nFROM base AS dev\nRUN true\n",
}
ANSWERS: dict[str, Callable[[Any], object]] = {
    "inspect-running": decode.container,
    "inspect-crashed": decode.container,
    "containers": lambda raw: decode.each(decode.summary, raw),
    "network": decode.network,
    "volumes": decode.volumes,
    "df-volumes": decode.disk_usage,
    "image": decode.image,
    "stats-running": decode.stats_sample,
}


class TooLong(BaseException):
    """An input took longer than its limit."""


class Fuzzer:
    """Makes input number N of a seed, and gives it to what is being tried."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self._folder = folder
        self._data = {
            name: json.loads((ROOT / f"tests/data/28.5/{name}.json").read_text())
            for name in ANSWERS
        }
        self.targets: list[Callable[[random.Random], None]] = [
            self.workspace, self.imports, self.settings, self.command_line, self.engine_answer,
            self.header, self.stream_lines, self.log_frames, self.terminal_log, self.archive,
            self.texts, self.ignore_rules, self.manifest,
        ]  # fmt: skip

    def run(self, number: int) -> str:
        """Tries one input; the name of what it was given to. Raises what was not expected."""
        chance = random.Random(f"{self.seed}/{number}")
        target = chance.choice(self.targets)
        with _time_limit():
            target(chance)
        return target.__name__

    def mutated(self, chance: random.Random, sample: bytes) -> bytes:
        """``sample`` with some changes; now and then, something in it up to 1 MiB long."""
        data = bytearray(sample)
        for _ in range(chance.randint(0, 6)):
            at = chance.randint(0, len(data))
            to = min(len(data), at + chance.randint(0, 20))
            word = chance.choice([chance.choice(WORDS), data[at:to], chance.randbytes(4)])
            data[at : chance.choice([at, to])] = bytes(word) * chance.choice([1, 1, 1, 2, 50])
        if chance.random() < 0.1:
            word = b"".join(chance.choices(WORDS, k=chance.randint(1, 3)))
            size = chance.choice([10_000, 100_000, LONGEST])
            at = chance.randint(0, len(data))
            data[at:at] = word * (size // len(word))
        return bytes(data[:LONGEST])

    def _text(self, chance: random.Random, *samples: str) -> str:
        data = self.mutated(chance, chance.choice(samples).encode())[:LONGEST_ARGUMENT]
        return data.decode("utf-8", chance.choice(["replace", "surrogateescape"]))

    # What is in a workspace, and what is in its place on an engine elsewhere

    def ignore_rules(self, chance: random.Random) -> None:
        """The lines of a ``.gitignore``, and names that they decide on."""
        text = self.mutated(chance, b"*.log\n!a/**/b\n[a-z]*\\ \n/x/\n**/y/*/z\n#\n")
        rules = parse_rules(text.decode("utf-8", "surrogateescape"))
        for name in ("a", "a/b/", "x/y/z/" * 30, "a" * 255):
            rules.is_ignored(name, name.rpartition("/")[2] or name)

    def manifest(self, chance: random.Random) -> None:
        """What the program may have written in the place of a manifest."""
        data = b'{"upload":"u","entries":{"a":["file",1,2,420,""]},"user":"1:1"}'
        data = zlib.compress(self.mutated(chance, data))
        with _expected(ValueError):
            decode_manifest(self.mutated(chance, data) if chance.random() < 0.3 else data)

    def workspace(self, chance: random.Random) -> None:
        """A configuration, manifests and sources: read, detected, resolved and compared."""
        names = chance.sample(sorted(FILES), chance.randint(1, 5))
        for name in names:
            self._folder.joinpath(name).write_bytes(
                self.mutated(chance, chance.choice(FILES[name]))
            )
        try:
            with _expected(DebughostError):
                resolved = resolve_project(self._folder, Flags(), {})
                if resolved.dependencies:
                    fingerprint(self._folder, resolved.dependencies, "sha256:00")
        finally:
            for name in names:
                self._folder.joinpath(name).unlink()

    def imports(self, chance: random.Random) -> None:
        """Files of other programs; what is written from them is a configuration."""
        names = [*IMPORTED, "index.html"]
        for name in names:
            data = IMPORTED.get(name, b"")
            data = self.mutated(chance, data) if chance.random() < 0.6 else data
            self._folder.joinpath(name).write_bytes(data)
        written = self._folder / "debughost.toml"
        try:
            with _expected(DebughostError):
                if chance.random() < 0.7:
                    import_devcontainer(self._folder, self._folder / "devcontainer.json")
                else:
                    import_compose(self._folder, None)
            if written.exists():
                load_settings(self._folder, Flags(), {})
        finally:
            written.unlink(missing_ok=True)
            for name in names:
                self._folder.joinpath(name).unlink()

    def settings(self, chance: random.Random) -> None:
        """One value of a setting, as it comes from a flag or a variable."""
        found = [f for n, f in vars(parsers).items() if n.startswith("parse_")]
        value = self._text(chance, "1.5g", "3000", "on-failure:3", "A=b", "node x", "30", "a b")
        with _expected(ValueError, DebughostError):
            chance.choice(found)(chance.choice([value, [value], {value: value}, len(value)]))

    def command_line(self, chance: random.Random) -> None:
        """Texts that commands take."""
        with _expected(DebughostError):
            parse_condition(self._text(chance, "http=/x", "log=a.*b", "ready"))
        with _expected(DebughostError):
            check_project(self._text(chance, "shop"))
        project_id_from(self._text(chance, "My Shop"))
        with _expected(ValueError):
            log_times.parse_time(self._text(chance, "10m", "2026-11-23T10:15:00Z", "17"), 10**18)
        bookmark = log_cursor.Bookmark("c", PositionTracker().positions())
        with _expected(log_cursor.BadCursor):
            log_cursor.decode(self._text(chance, log_cursor.encode({"shop": bookmark})))

    # What an engine answers

    def engine_answer(self, chance: random.Random) -> None:
        """A recorded document with something else in it."""
        name = chance.choice(sorted(ANSWERS))
        raw = self._data[name]
        for _ in range(chance.randint(1, 4)):
            path = chance.choice([(), *places(raw)])
            raw = changed(raw, path, self._value(chance))
        with _expected(ValueError, TypeError, LookupError, AttributeError):
            ANSWERS[name](raw)
        with _expected(DebughostError):
            raise error_map.from_answer(chance.randint(100, 599), self._text(chance, "x"), "x")

    def _value(self, chance: random.Random) -> object:
        text = self._text(chance, "2026-11-23T10:15:00Z", "running", "3000/tcp", "(healthy)")
        values = [None, True, -1, 10**400, 1e308, float("nan"), "", text, [], {}, [text], {text: 1}]
        return chance.choice(values)

    def header(self, chance: random.Random) -> None:
        """The status of the launcher, in the header of a link that a container made."""
        target = self._text(chance, "/.debughost/running+ready+deps-00", "installing+term")
        stat = json.dumps({"linkTarget": target, "mtime": "2026-11-23T10:15:00Z"}).encode()
        header = base64.b64encode(self.mutated(chance, stat)).decode()
        launcher_status.parse(decode.link(header))
        decode.link(self._text(chance, header))
        launcher_status.parse(Link(target, None))

    def stream_lines(self, chance: random.Random) -> None:
        """Events, and the progress of a pull or build."""
        event = b'{"Action": "die", "Actor": {"ID": "c", "Attributes": {"exitCode": "1"}}}'
        decode.event(self.mutated(chance, event))
        decode.stream_message(self.mutated(chance, b'{"errorDetail": {"message": "x"}}'))

    # What a container writes

    def log_frames(self, chance: random.Random) -> None:
        """Frames of a log, whole and cut, however they arrive."""
        frame = b"\x01\0\0\0\0\0\0\x25" + b"2026-11-23T10:15:00.123456789Z hello\n"
        data = self.mutated(chance, frame * chance.choice([1, 5, 1000]))
        frames = Demultiplexer(partial=chance.random() < 0.5)
        for chunk in _chunks(chance, data):
            frames.feed(chunk)
        self._read_log(chance, data, tty=False)

    def terminal_log(self, chance: random.Random) -> None:
        """The log of a terminal, which has no frames."""
        line = b"2026-11-23T10:15:00.123456789Z hello\r\n"
        self._read_log(chance, self.mutated(chance, line * chance.choice([1, 5, 1000])), tty=True)

    def _read_log(self, chance: random.Random, data: bytes, *, tty: bool) -> None:
        query = LogQuery(follow=True, stamps=chance.random() < 0.7, fragments=chance.random() < 0.5)
        tracker = PositionTracker()
        with _expected(ValueError):
            for line in log_stream.lines(Body(_chunks(chance, data)), query, tty=tty):
                tracker.note(line)

    def archive(self, chance: random.Random) -> None:
        """Files of a container."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in ("etc/passwd", "etc/" + "x" * 200):
                info = tarfile.TarInfo(name)
                info.size = 3
                tar.addfile(info, io.BytesIO(b"abc"))
        data = self.mutated(chance, buffer.getvalue())
        with _expected(tarfile.TarError, ValueError):
            archive.plain_files(io.BytesIO(data), chance.choice([1, 1000, 1024**2]))

    def texts(self, chance: random.Random) -> None:
        """Output in errors, in tables and in documents."""
        data = self.mutated(chance, b"\x1b[31merror\x1b[0m\r\n")
        found = log_tail.tail(data.split(b"\n"))
        for text in (*found, data.decode("utf-8", "replace")):
            clean(text)
            inline(text)
        buffer = OutputBuffer(chance.choice([1, 1000]))
        for chunk in _chunks(chance, data):
            buffer("stdout", memoryview(chunk))
        buffer.text("stdout")


class Body:
    """A raw HTTP body."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        return self._chunks

    def read(self, amt: int, decode_content: bool | None = None) -> bytes:
        return next(self._chunks, b"")


def _chunks(chance: random.Random, data: bytes) -> Iterator[bytes]:
    size = max(chance.choice([1, 7, 4096, LONGEST]), len(data) // 1000)
    return (data[at : at + size] for at in range(0, len(data), size))


@contextmanager
def _expected(*kinds: type[BaseException]) -> Iterator[None]:
    try:
        yield
    except kinds:
        return


@contextmanager
def _time_limit() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise TooLong

    before = [(n, signal.signal(n, end)) for n in (signal.SIGVTALRM, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    signal.setitimer(signal.ITIMER_REAL, STUCK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before:
            signal.signal(number, handler)


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def memory() -> int:
    """The most memory that this process has used, in bytes."""
    # getrusage counts what the parent had before this program was loaded.
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fuzz(seconds: float, seed: int, folder: Path, most: int = MEMORY) -> dict[str, int]:
    """How many inputs each target got. Raises AssertionError for memory, else as ``Fuzzer.run``."""
    fuzzer, counts, number = Fuzzer(seed, folder), dict[str, int](), 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        began = time.process_time()
        try:
            name = fuzzer.run(number)
            assert memory() < most, f"{memory() / 1024**2:.0f} MiB"
        except BaseException:
            say(f"input {number} of seed {seed}")
            raise
        counts[name] = counts.get(name, 0) + 1
        took = time.process_time() - began
        if took > SLOW:
            say(f"input {number}, {name}: {took:.1f} s")
        number += 1
    return counts


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    say(f"seed {seed}, {seconds:g} s")
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 3:
            Fuzzer(seed, Path(folder)).run(int(sys.argv[3]))
            return
        counts = fuzz(seconds, seed, Path(folder))
    say(f"{sum(counts.values())} inputs, {memory() / 1024**2:.0f} MiB at most: {counts}")


if __name__ == "__main__":
    main()
