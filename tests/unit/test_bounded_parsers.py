"""Every parser of a workspace's files takes time and memory in proportion to the file's size.

The texts are what a file of 1 MiB can hold against a parser that repeats itself. The bounds are on
CPU time, which depends little on what else a machine does.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from debughost_cli.errors import DebughostError, InvalidConfig
from debughost_cli.project.configuration import file_environment, load_settings, read_settings
from debughost_cli.project.detect import detect
from debughost_cli.project.env_file import Line, parse_env_file
from debughost_cli.project.settings import Flags
from debughost_cli.project.toml import parse_toml

MIB = 1024**2
SECONDS = 5
"""Several times what the worst text here takes; a parser that is quadratic takes minutes."""


def fill(piece: str, size: int = MIB - 100) -> str:
    """The piece repeated up to a size that leaves some space in a file of 1 MiB."""
    return piece * (size // len(piece))


@contextmanager
def bounded() -> Iterator[None]:
    """Fails where the block takes long; the errors of the program are as good as a result."""
    begun = time.process_time()
    with suppress(DebughostError, ValueError, RecursionError):
        yield
    assert time.process_time() - begun < SECONDS


TOML = {
    "dots": fill("a.") + "a=1",
    "dots and spaces": fill("a . ") + "a=1",
    "quoted parts": fill('"a".') + "a=1",
    "tables of 19 parts": "".join(f"[a{n}.{'.'.join('b' * 18)}]\n" for n in range(24_000)),
    "keys": "".join(f"a{n}=1\n" for n in range(19_000)),
    "lists": fill("[", 400_000),
    "tables in tables": "a=" + fill("{a="),
    "items": "a=[" + fill("1,") + "]",
    "escapes": 'a="' + fill("\\n") + '"',
    "a string without an end": '"' + fill('\\"'),
    "strings without an end": fill('"\n'),
    "long strings without an end": fill('"""\n'),
    "quotation marks": "a=" + fill('"'),
    "comments": fill("#\n"),
    "empty lines": fill("\n"),
    "digits": "a=" + fill("9"),
    "a long fraction": "a=1." + fill("9"),
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML.keys())
def test_toml(text: str, tmp_path: Path) -> None:
    (tmp_path / "debughost.toml").write_text(text)
    with bounded():
        load_settings(tmp_path, Flags(), {})


@pytest.mark.parametrize("name", ["debughost.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    "key", [".".join("a" * 21), ' . "x"\t.'.join("a" * 11), "." * 20, "[[" + ".".join("a" * 40)]
)
def test_keys_with_too_many_parts_are_refused_before_they_are_parsed(
    tmp_path: Path, name: str, key: str
) -> None:
    (tmp_path / name).write_text(f"# one.two\nok = 1.5\n{key} = 1\n")
    with pytest.raises(InvalidConfig) as caught:
        load_settings(tmp_path, Flags(), {})
    assert "more than 20 parts (at line 3)" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * 20) + " = 1",
        'a = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22"',
        "a = '''\n" + "x." * 30 + "'''",
        'a = """\n' + 'x."' * 30 + '\\"."""',
        "a = [" + "1.5, " * 30 + "]",
        "a = 1 # " + "x." * 30,
        "a = 2026-11-29T20:00:00.5Z\n" * 1 + "\n".join(f"b{n}.c = 1.5" for n in range(30)),
        "\n".join(f"[t{n}.a]\nb.c = {{d.e = 1}}" for n in range(30)),
    ],
)
def test_dots_elsewhere_are_no_parts_of_a_key(text: str) -> None:
    assert parse_toml(text)


def test_a_key_with_thousands_of_parts_takes_no_memory() -> None:
    text = fill("a.", 40_000) + "a=1"
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 20 parts"):
        parse_toml(text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 * MIB


@pytest.mark.parametrize("key", ["port", "cpus", "type", "dependencies", "shm_size", "unknown"])
def test_a_huge_number_is_a_fault_of_its_key(tmp_path: Path, key: str) -> None:
    number = f"0x{'f' * 900}"
    (tmp_path / "debughost.toml").write_text(f"{key} = {number}")
    found = [fault.key for fault in read_settings(tmp_path, Flags(), {})[1]]
    assert found == [key]


def test_the_number_of_faults_and_their_length_are_bounded(tmp_path: Path) -> None:
    lines = "".join(f"unknown{n} = 1\n" for n in range(15_000))
    (tmp_path / "debughost.toml").write_text(f"{'x' * 100_000} = 1\n{lines}")
    with bounded():
        faults = read_settings(tmp_path, Flags(), {})[1]
    assert len(faults) == 50
    assert all(len(str(fault.error.to_json())) < 1000 for fault in faults)


VARIABLES = {
    "spaces in a value": "A=x" + fill(" ") + "y",
    "values in a value": "A=" + fill("x "),
    "names": fill("A\n"),
    "pairs": fill("A=1\n"),
    "quotation marks": fill("A='"),
    "open quotation marks": fill('A="\n'),
    "backslashes": 'A="' + fill("\\"),
    "escapes": 'A="' + fill('\\"') + '"',
    "export": fill("export "),
    "exported comments": fill("export #\n"),
    "empty lines": fill("\n"),
    "carriage returns": fill("\r"),
    "spaces": fill(" \t"),
    "spaces after a value": "A='x'" + fill(" ") + "y",
    "comments": fill("#\n"),
}


@pytest.mark.parametrize("text", VARIABLES.values(), ids=VARIABLES.keys())
def test_variables(text: str, tmp_path: Path) -> None:
    (tmp_path / "debughost.toml").write_text('env_file = "vars"\n')
    (tmp_path / "vars").write_text(text, newline="")
    with bounded():
        file_environment(load_settings(tmp_path, Flags(), {}), tmp_path, {})


def test_the_number_of_variables_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "debughost.toml").write_text('env_file = "vars"\n')
    for lines in ("".join(f"A{n}=1\n" for n in range(10_001)), "A=1\n" * 10_001):
        (tmp_path / "vars").write_text(lines)
        with pytest.raises(InvalidConfig, match=r"line 10001 .* more than 10000 variables"):
            file_environment(load_settings(tmp_path, Flags(), {}), tmp_path, {})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A=1\nB", [(1, "A", "1"), (2, "B", None)]),
        ("\n\n  export A = 'x\\'y' # note\n", [(3, "A", "x'y")]),
        ('A="a\\tb\\\\n\\$\nc"\nB=2', [(1, "A", "a\tb\\n\\$\nc"), (3, "B", "2")]),
        ("A= # note\nB=#1", [(1, "A", ""), (2, "B", "#1")]),
        ("A=x#y # z\nB= ", [(1, "A", "x#y"), (2, "B", "")]),
        ("'a b'=1", [(1, "a b", "1")]),
        ("A==x\r\nB=$A\rC=`x`", [(1, "A", "=x"), (2, "B", "$A"), (3, "C", "`x`")]),
        ("A='x\ny'\nB=1", [(1, "A", "x\ny"), (3, "B", "1")]),
        ("export # nothing\nexport=1", [(2, "export", "1")]),
        ("A=1\n\n=2\nB=3", [(1, "A", "1"), (3, None, None)]),
        ("A='x", [(1, None, None)]),
        ('A="x"y', [(1, None, None)]),
        ("A b=1", [(1, None, None)]),
        ("'A=1", [(1, None, None)]),
        ("''=1", [(1, None, None)]),
        ("", []),
        ("# A=1\n   \n#", []),
    ],
)  # fmt: skip
def test_lines_of_variables(text: str, lines: list[tuple[int, str | None, str | None]]) -> None:
    """As python-dotenv reads them, whose parser takes hours for the texts above."""
    assert list(parse_env_file(text)) == [Line(*line) for line in lines]


REQUIREMENTS = {
    "empty lines": fill("\n"),
    "spaces": fill(" "),
    "spaces in a line": "a" + fill(" ") + "b",
    "an include": "-r" + fill("="),
    "includes of nothing": fill("-r\n"),
    "includes": "".join(f"-r a{n}\n" for n in range(90_000)),
    "names": "".join(f"p{n}\n" for n in range(90_000)),
    "extras": "a[" + fill("b,"),
    "versions": "a" + fill("==1,"),
    "brackets": "a; " + fill("("),
    "lines of brackets": fill("a; " + "(" * 1900 + "\n"),
    "markers": fill("a; " + " and ".join(["os_name=='x'"] * 110) + "\n"),
    "continued lines": fill("\\\n"),
}


@pytest.mark.parametrize("text", REQUIREMENTS.values(), ids=REQUIREMENTS.keys())
def test_requirements(text: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    with bounded():
        detect(tmp_path)


def including(name: int, times: int = 1) -> str:
    """A group that includes another one."""
    return "[" + f"{{include-group = 'a{name}'}}," * times + "]\n"


GROUPS = {
    "twice as many each time": "a0 = ['x']\n"
    + "".join(f"a{n} = {including(n - 1, 2)}" for n in range(1, 50)),
    "many": "".join(f"a{n} = []\n" for n in range(9_000)),
    "one after the other": "a0 = ['x']\n"
    + "".join(f"a{n} = {including(n - 1)}" for n in range(1, 1000)),
    "the other way round": "".join(f"a{n} = {including(n + 1)}" for n in range(1000)),
    "itself": "a = [{include-group = 'b'}]\nb = [{include-group = 'a'}]",
    "long": "a = ['x" + fill("==1,", 900_000) + "']",
}  # fmt: skip


@pytest.mark.parametrize("text", GROUPS.values(), ids=GROUPS.keys())
def test_dependency_groups(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[dependency-groups]\n{text}")
    with bounded(), pytest.raises(InvalidConfig, match="dependency-groups"):
        detect(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[project]\ndependencies = [" + fill("'a;" + "(" * 1900 + "',") + "]",
        "[tool.setuptools.dynamic.dependencies]\nfile = ["
        + ",".join(f"'a{n}'" for n in range(18_000))
        + "]",
    ],
    ids=["markers", "files"],
)
def test_pyproject(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with bounded():
        detect(tmp_path)


SCRIPTS = {
    "options": "env " + fill("-a "),
    "wrappers": fill("env "),
    "assignments": fill("A=1 "),
    "quotation marks": "'" + fill("x"),
    "a word": fill("x"),
    "commands": fill("&& "),
    "dotenv": fill("dotenv -- "),
}


@pytest.mark.parametrize("size", [4000, 200_000, MIB - 500])
@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_scripts(text: str, size: int, tmp_path: Path) -> None:
    package = {"dependencies": {"vite": "1"}, "scripts": {"start": text[:size]}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    with bounded():
        detect(tmp_path)


JSON = {
    "lists": fill("["),
    "objects": fill('{"a":'),
    "digits": fill("9"),
    "a long fraction": "1." + fill("9"),
    "scripts": json.dumps({"scripts": {f"s{n}": "x" for n in range(60_000)}}),
    "a version": json.dumps({"dependencies": {"a": "1"}, "packageManager": "yarn@1-" + fill("a.")}),
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(text)
    with bounded():
        detect(tmp_path)


@pytest.mark.parametrize(
    "piece", ["\n", "a=a.a.a.a.a.a.a.a.a.", "a", "a:b", "a ", "app=create_x.", "a :b=c.d(\n"]
)
def test_sources(piece: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    for package in range(20):
        (tmp_path / f"p{package}").mkdir()
        for name in ("main", "app", "__init__", "wsgi", "asgi", "server", "api"):
            (tmp_path / f"p{package}" / f"{name}.py").write_text(fill(piece, 256 * 1024))
    with bounded():
        detect(tmp_path)


PIECES = st.text("a.=\"'[]{}#,\\ \t\n-r;()<1", min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=PIECES, piece=PIECES, after=PIECES)
@pytest.mark.parametrize("name", ["debughost.toml", "pyproject.toml", "requirements.txt", "vars"])
def test_any_piece_repeated(
    name: str, before: str, piece: str, after: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_text(before + fill(piece) + after)
    if name == "vars":
        (folder / "debughost.toml").write_text('env_file = "vars"\n')
    with bounded():
        file_environment(load_settings(folder, Flags(), {}), folder, {})
    with bounded():
        detect(folder)


HEX = "0x" + "F" * 5000
"""TOML has numbers that Python reads, but of which it makes no text."""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("debughost.toml", f"port = {HEX}"),
        ("debughost.toml", f"env = {{ A = {'9' * 5000} }}"),
        ("pyproject.toml", f'[project]\nname = "shop"\nrequires-python = {HEX}'),
        ("pyproject.toml", f"[dependency-groups]\ndev = [{HEX}]"),
        ("Pipfile", f"[packages]\nflask = {HEX}"),
        ("package.json", '{"scripts": {"dev": %s}}' % ("9" * 5000)),
        ("composer.json", '{"require": {"php": -%s}}' % ("9" * 5000)),
    ],
)
def test_a_number_of_thousands_of_digits_is_bad_input(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)

    def read() -> None:
        load_settings(tmp_path, Flags(), {})
        detect(tmp_path)

    with pytest.raises(InvalidConfig, match=f"{file}.* a number has more than 1000 digits"):
        read()
