"""The arrows of the house, and a start that loads no more than it needs."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

import debughost_cli

PACKAGE = Path(debughost_cli.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)
MODULES = [
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in SOURCES
]
HEAVY = {
    "docker", "requests", "urllib3", "rich", "tenacity", "psutil", "dotenv", "pydantic",
    "hypothesis", "pytest", "filelock", "click", "asyncio", "packaging", "dependency_groups",
    "mcp", "mcp_types", "anyio", "pathspec",
}  # fmt: skip

LOADED = """
import json, sys
from debughost_cli.cli.app import main
code = main({argv!r}) if {argv!r} is not None else 0
print(file=sys.stderr)
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def ours(*names: str) -> list[str]:
    return [f"debughost_cli.{name}" for name in names]


def python(code: Any, cache: Any = None) -> Any:
    env = dict(os.environ) | {"TERM": "dumb"}
    if cache:
        env |= {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    "argv",
    [
        None,
        ["--version"],
        ["--help"],
        ["status", "--help"],
        ["up", "--help"],
        ["--json", "x"],
        ["mcp", "--help"],
        ["mcp", "install", "codex", "--print"],
    ],
)
def test_a_start_loads_nothing_heavy(argv: list[str] | None) -> None:
    done = python(LOADED.format(argv=argv))
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == (2 if argv == ["--json", "x"] else 0)
    assert not HEAVY & {m.partition(".")[0] for m in modules}


OURS_ALWAYS = {
    "app", "commands", "epilog", "next", "options", "output", "session", "signals",
}  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "code", "own"),
    [
        (["--help"], 0, set()),
        (["nope"], 2, set()),
        (["--json"], 2, set()),
        (["images", "--help"], 0, {"images"}),
        (["-qH", "unix:///nowhere", "up", "--bogus"], 2, {"up"}),
        (["completion", "bash"], 0, {"completion"}),
    ],
)
def test_a_command_is_loaded_where_it_is_used(argv: list[str], code: int, own: set[str]) -> None:
    done = python(LOADED.format(argv=argv))
    returned, modules = json.loads(done.stderr.splitlines()[-1])
    assert returned == code
    cli = {
        m.removeprefix("debughost_cli.cli.") for m in modules if m.startswith("debughost_cli.cli.")
    }
    assert cli - OURS_ALWAYS <= own | {"projects"}


@pytest.mark.parametrize("argv", [["--version"]])
def test_the_version_loads_nothing_at_all(argv: list[str]) -> None:
    done = python(
        f"import sys; sys.argv[1:] = {argv!r}\n"
        "from debughost_cli.__main__ import script\n"
        "script(); print(*sys.modules)"
    )
    version, modules = done.stdout.splitlines()
    assert version == f"debughost {debughost_cli.__version__}"
    ours_ = {m for m in modules.split() if m.startswith("debughost_cli")}
    assert ours_ == {"debughost_cli", "debughost_cli.__main__"}
    assert not {"typer", "signal", "re", "typing"} & set(modules.split())


ENDED = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0]))
sys.argv[1:] = ["--help"]
from debughost_cli.__main__ import script
script()
"""


def test_neither_start_nor_end_search_for_garbage() -> None:
    assert python(ENDED).stdout.splitlines()[-1] == "True 100000"


def test_what_is_imported_beforehand_is_what_calls_need() -> None:
    code = """
import sys
from debughost_cli.api import preload
import debughost_cli.services.progress
preload()
before = set(sys.modules)
for name in ("up", "status", "exec", "logs", "wait", "lifecycle", "events", "one_off", "doctor"):
    __import__(f"debughost_cli.services.{name}")
import debughost_cli.engine.docker.engine, debughost_cli.project.resolve, docker
print(*set(sys.modules) - before)
"""
    assert python(code).stdout.split() == []


def test_the_plugin_for_pytest_loads_nothing_until_it_is_used() -> None:
    code = "import pytest, sys; before = set(sys.modules); import debughost_cli.pytest_plugin; "
    loaded = python(code + "print(*set(sys.modules) - before)").stdout.split()
    assert set(loaded) == {"debughost_cli", "debughost_cli.pytest_plugin"}


@pytest.mark.parametrize(
    "service", ["lifecycle", "removal", "exec", "logs", "events", "wait", "volumes", "network"]
)
def test_what_starts_nothing_does_without_detection(service: str) -> None:
    code = f"import debughost_cli.services.{service}, sys; print(*sys.modules)"
    modules = python(code).stdout.split()
    assert f"debughost_cli.services.{service}" in modules
    assert not [m for m in modules if m.startswith("debughost_cli.project.detect")]


ADAPTER = ("planning.log_times", "planning.log_lines", "planning.failure_hints", "engine.ssh")
PARSING = ("project.parsers", "project.env_file", "project.beneath", "render.human", "render.json")


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("cli.app", ("dataclasses", *ours(*PARSING, "cli.next", "render.progress", "resources"))),
        ("cli.exec", ("dataclasses", *ours(*PARSING, "cli.next", "services"))),
        ("cli.lifecycle", ours(*PARSING, "cli.next", "services")),
        ("cli.up", ours(*PARSING, "cli.next", "services", "project.settings")),
        ("render.progress_lines", ("rich", *ours("render.live", "render.json"))),
        ("render.live", ("rich",)),
        ("cli.status", ("rich", *ours("project.parsers", "project.detect"))),
        ("services.exec", ("dataclasses", *ours("project.settings", "planning.up"))),
        ("services.lifecycle", ("dataclasses", *ours("project.settings", "project.parsers"))),
        ("services.removal", ("dataclasses", *ours("project.settings", "project.parsers"))),
        ("project.parsers", ours("project.env_file", "project.beneath")),
        ("engine.docker.engine", ours(*ADAPTER, "engine.docker.log_stream")),
    ],
)
def test_what_a_module_does_without(module: str, without: Sequence[str]) -> None:
    loaded = set(python(f"import debughost_cli.{module}, sys; print(*sys.modules)").stdout.split())
    assert f"debughost_cli.{module}" in loaded
    assert not loaded & set(without)


PIPED = """
import sys
from debughost_cli.models import Project
from debughost_cli.render import human, status
from debughost_cli.render.streams import Streams
status.show(Streams.of_process(), [Project("shop")])
human.table(Streams.of_process(), ["A"], [["b"]])
print(*sys.modules)
"""


def test_a_piped_table_is_made_without_rich() -> None:
    done = python(PIPED)
    assert "shop" in done.stdout
    assert "rich" not in done.stdout.split()


DETECTED = """
import json, pathlib, sys
from debughost_cli.project.detect import detect
found = detect(pathlib.Path({folder!r}))
print(json.dumps([found.type, sorted({{m.partition(".")[0] for m in sys.modules}})]))
"""


@pytest.mark.parametrize(
    ("file", "text", "type_"),
    [
        ("package.json", '{"scripts": {"dev": "vite"}, "dependencies": {"vite": "7"}}', "node"),
        ("index.php", "", "php"),
        ("index.html", "", "static"),
        ("app.py", "", "python"),
        ("requirements.txt", "flask", "python"),
    ],
)
def test_libraries_for_python_manifests_are_loaded_for_them_alone(
    tmp_path: Path, file: str, text: str, type_: str
) -> None:
    (tmp_path / file).write_text(text)
    found, modules = json.loads(python(DETECTED.format(folder=str(tmp_path))).stdout)
    assert found == type_
    assert ("packaging" in modules) == (file == "requirements.txt")
    assert "dependency_groups" not in modules


ALL = """
import importlib
for name in {modules!r}:
    try:
        importlib.import_module(name)
    except Exception as exc:
        print(name, type(exc).__name__, exc)
"""


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    modules = [m for m in MODULES if not m.endswith("__main__")]
    done = python(ALL.format(modules=modules), cache=tmp_path)
    assert done.stdout == ""


def run_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module that run when it is imported, for other than type checkers."""
    for node in body:
        if isinstance(node, ast.If):
            is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            yield from run_at_import(node.orelse if is_for_types else node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from run_at_import(node.body)
        else:
            yield node


def needed_at_import(source: str) -> set[str]:
    """The modules of ours of which a module needs names while it is imported."""
    found = set()
    for node in run_at_import(ast.parse(source).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= members & set(MODULES)
            found |= {node.module} if members - set(MODULES) else set()
    return found & set(MODULES)


def import_cycle(sources: Mapping[str, str]) -> list[str]:
    """A cycle among modules, empty where there is none."""
    try:
        list(TopologicalSorter({m: needed_at_import(s) for m, s in sources.items()}).static_order())
    except CycleError as exc:
        return list(exc.args[1])
    return []


def test_every_module_can_be_imported_before_all_others() -> None:
    """Only a cycle can make a difference to the order of imports."""
    assert import_cycle(dict(zip(MODULES, (p.read_text() for p in SOURCES), strict=True))) == []


def test_a_cycle_is_found() -> None:
    names_, errors = "from debughost_cli.errors import X", "from debughost_cli import names"
    later = "if TYPE_CHECKING:\n    from debughost_cli import names\ndef f():\n    " + errors
    modules = ("debughost_cli.names", "debughost_cli.errors")
    assert set(import_cycle(dict(zip(modules, (names_, errors), strict=True)))) == set(modules)
    assert import_cycle(dict(zip(modules, (names_, later), strict=True))) == []


@functools.cache
def imports(path: Any) -> Any:
    """Everything that a source imports, wherever in it; whole names, relative ones resolved."""
    module = list(path.relative_to(ROOT).with_suffix("").parts)
    package = module[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            found += [start, *[f"{start}.{alias.name}" for alias in node.names]]
    return found


def offenders(sources: Any, forbidden: Any) -> Any:
    """Which of the sources import what they may not."""
    return {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in imports(path)
        if any(name == f or name.startswith(f"{f}.") for f in forbidden)
    }


def under(*folders: str) -> list[Path]:
    return [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] in folders]


def outside(*folders: str) -> list[Path]:
    return [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] not in folders]


@pytest.mark.parametrize(
    ("sources", "forbidden"),
    [
        pytest.param(
            outside("engine"), ["docker", "requests", "urllib3"], id="docker in engine alone"
        ),
        pytest.param(outside("render"), ["rich"], id="rich in render alone"),
        pytest.param(
            [p for p in SOURCES if p.parts[-2:] != ("mcp_server", "server.py")],
            ["mcp", "mcp_types", "anyio"],
            id="the SDK for MCP in its server alone",
        ),
        pytest.param(SOURCES, ["click", "pydantic", "hypothesis"], id="never"),
        pytest.param(
            [p for p in SOURCES if p.name != "pytest_plugin.py"],
            ["pytest"],
            id="pytest in its plugin alone",
        ),
        pytest.param(
            under("services", "planning", "engine", "detect", "container", "config.py"),
            ours("cli", "render"),
            id="no arrow back to cli or render",
        ),
        pytest.param(
            under("planning"), ours("services", "config", "detect"), id="planning asks nobody"
        ),
        pytest.param(under("engine"), ours("services", "config"), id="engine knows no service"),
        pytest.param(
            under("render"), ours("cli", "engine", "config", "detect"), id="render reads results"
        ),
        pytest.param(under("cli"), ["tenacity", "psutil", "filelock"], id="cli only parses"),
        pytest.param(under("cli"), ours("services", "engine"), id="cli knows the facade alone"),
        pytest.param(under("api"), ours("cli", "render"), id="the facade prints nothing"),
        pytest.param(
            [p for p in under("services") if p.name != "images.py"],
            ours("engine.docker", "engine.decode", "engine.encode", "engine.error_map"),
            id="services know the port alone",
        ),
    ],
)
def test_the_arrows(sources: Any, forbidden: Any) -> None:
    assert offenders(sources, forbidden) == set()


@pytest.mark.parametrize("name", ["models.py", "failure.py", "errors.py", "conflict_errors.py"])
def test_models_and_errors_need_the_standard_library_and_msgspec_alone(name: str) -> None:
    allowed = sys.stdlib_module_names | {"debughost_cli", "msgspec"}
    found = set(imports(PACKAGE / name))
    assert {n.partition(".")[0] for n in found} <= allowed
    inside = {".".join(n.split(".")[:2]) for n in found if n.startswith("debughost_cli.")}
    assert inside <= set(
        ours("models", "failure", "errors", "conflict_errors", "synced", "swarm_place")
    )


@pytest.mark.parametrize("folder", ["project", "container"])
def test_what_comes_from_a_workspace_is_narrowed_instead_of_any(folder: str) -> None:
    assert offenders(under(folder), ["typing.Any"]) == set()


def test_planning_knows_an_engine_by_its_port_alone() -> None:
    found = offenders(under("planning"), ours("engine"))
    assert {
        f for f in found if "engine.port" not in f and not f.endswith("debughost_cli.engine")
    } == set()


def test_pure_planning_does_nothing_but_think() -> None:
    doing = ["os", "socket", "subprocess", "shutil", "tempfile", "threading", "random", "pathlib"]
    assert offenders(under("planning"), doing) == set()


def test_only_the_facade_wires_an_engine() -> None:
    found = offenders(outside("engine"), ours("engine.docker"))
    assert {f.partition(":")[0] for f in found} == {"debughost_cli/api/engine_source.py"}


PRIVATE = re.compile(r"""(?<!\bself)(?<!\bcls)\._(?!_)\w+|getattr\((?!self\b)[^)]*["']_""")


def test_private_attributes_of_the_vendors_are_used_in_one_module() -> None:
    """Comments and strings do not count, but for the names that getattr gets."""
    found = {
        path.name
        for path in under("engine")
        for line in path.read_text("utf-8").splitlines()
        if PRIVATE.search(line.partition("#")[0])
    }
    assert found == {"vendor.py"}
