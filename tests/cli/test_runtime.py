"""The version of Node.js, Python or PHP: pinned by a file, chosen by the user, or the default's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli import names
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import latest


def up(app: App, *args: str) -> str:
    run = app("up", *args, "--json")
    assert run.code == 0, run.err
    return str(run.project["container"]["image"])


def base_of(engine: FakeEngine, ref: str) -> str:
    return engine.stored_images[ref].labels[names.BASE]


def codes(app: App) -> list[str]:
    run = app("up", "--json")
    assert run.code == 0, run.err
    return [w["code"] for w in run.document["warnings"]]


@pytest.mark.parametrize(
    ("files", "base"),
    [
        ({".nvmrc": "v22.11.0"}, "node:22-slim"),
        ({".node-version": "20"}, "node:20-slim"),
        ({".tool-versions": "nodejs 18.17.0"}, "node:18-slim"),
        ({"mise.toml": '[tools]\nnode = "22"'}, "node:22-slim"),
        ({".nvmrc": "lts/jod"}, "node:22-slim"),
        ({"engines": ">=20 <24"}, "node:22-slim"),
        ({".nvmrc": "20", "engines": ">=18 <23"}, "node:20-slim"),
        ({".nvmrc": "16", ".tool-versions": "nodejs 18", "engines": "^18"}, "node:16-slim"),
        ({".node-version": "22", "engines": "^20 || ^22"}, "node:22-slim"),
    ],
)
def test_a_pin_chooses_the_official_image(
    app: App, engine: FakeEngine, workspace: Path, files: dict[str, str], base: str
) -> None:
    default = up(app)
    engine.add_image(base, registry=True)
    for name, text in files.items():
        if name == "engines":
            package = json.loads((workspace / "package.json").read_text())
            (workspace / "package.json").write_text(
                json.dumps(package | {"engines": {"node": text}})
            )
        else:
            (workspace / name).write_text(text)
    made = up(app)
    assert made != default
    assert base_of(engine, made) == base
    assert engine.stored_images[latest(ProjectType.NODE)].id != engine.stored_images[made].id
    assert app("up", "--json").project["action"] == "unchanged"
    assert f"Building image {made} from {base}" not in app("up").err


@pytest.mark.parametrize(
    ("pin", "text"), [(".nvmrc", "24"), (".nvmrc", "lts/*"), (".node-version", "24.5.0")]
)
def test_a_pin_that_the_default_image_meets_changes_nothing(
    app: App, engine: FakeEngine, workspace: Path, pin: str, text: str
) -> None:
    default = up(app)
    (workspace / pin).write_text(text)
    assert up(app) == default
    assert [c for c in engine.changes if c[0] == "images.build"] == []


def test_an_image_of_that_version_that_is_here_is_used(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_image("node:22-bookworm-slim")
    (workspace / ".nvmrc").write_text("22")
    assert base_of(engine, up(app)) == "node:22-bookworm-slim"


@pytest.mark.parametrize("pin", ["22", "20.1.0"])
def test_where_it_is_not_to_be_had_the_default_is_used_with_a_warning(
    app: App, engine: FakeEngine, workspace: Path, pin: str
) -> None:
    default = up(app)
    (workspace / ".nvmrc").write_text(pin)
    run = app("up", "--json")
    assert run.code == 0
    assert run.project["container"]["image"] == default
    assert run.project["action"] == "unchanged"
    texts = {w["code"]: w["message"] for w in run.document["warnings"]}
    assert f"asks for Node.js {pin}, the image has 24" in texts["RUNTIME_MISMATCH"]
    assert f"node:{pin[:2]}-slim" in texts["RUNTIME_UNAVAILABLE"]


def test_it_is_not_tried_at_every_run(app: App, engine: FakeEngine, workspace: Path) -> None:
    (workspace / ".nvmrc").write_text("22")
    assert codes(app) == ["RUNTIME_UNAVAILABLE", "RUNTIME_MISMATCH"]
    assert codes(app) == ["RUNTIME_MISMATCH"]
    engine.add_image("node:22-slim", registry=True)
    assert codes(app) == ["RUNTIME_MISMATCH"]
    for command in ("restart", "start"):
        warnings = app(command, "shop", "--json").document["warnings"]
        assert [w["code"] for w in warnings] == ["RUNTIME_MISMATCH"]
    assert base_of(engine, up(app, "--recreate")) == "node:22-slim"
    assert codes(app) == []


def test_a_pin_is_honoured_without_the_default_image(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.stored_images.clear()
    engine.add_image("node:22-slim", registry=True)
    (workspace / ".nvmrc").write_text("22")
    assert base_of(engine, up(app)) == "node:22-slim"
    assert latest(ProjectType.NODE) not in engine.stored_images


@pytest.mark.parametrize(
    ("settings", "flags", "base"),
    [
        ('runtime = "22"', [], "node:22-slim"),
        ("runtime = 20", [], "node:20-slim"),
        ("", ["--runtime", "22.11.0"], "node:22.11.0-slim"),
        ('runtime = "20"', ["--runtime", "18"], "node:18-slim"),
    ],
)
def test_the_user_chooses(
    app: App, engine: FakeEngine, workspace: Path, settings: str, flags: list[str], base: str
) -> None:
    engine.add_image(base, registry=True)
    (workspace / ".nvmrc").write_text("16")
    (workspace / "debughost.toml").write_text(settings)
    assert base_of(engine, up(app, *flags)) == base
    assert codes(app) == []


def test_a_variable_chooses(
    app: App, engine: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_RUNTIME", "22")
    engine.add_image("node:22-slim", registry=True)
    assert base_of(engine, up(app)) == "node:22-slim"


def test_the_default_may_be_chosen_in_place_of_a_pin(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_image("node:22-slim", registry=True)
    (workspace / ".nvmrc").write_text("22")
    assert up(app, "--runtime", "24") == up(app)
    assert [c for c in engine.changes if c[0] == "images.build"] == []


def test_what_the_user_chose_and_cannot_have_is_an_error(app: App, engine: FakeEngine) -> None:
    run = app("up", "--runtime", "22", "--json")
    assert (run.code, run.error["code"]) == (3, "IMAGE_NOT_FOUND")
    assert "node:22-slim" in run.error["message"]
    assert engine.stored_containers == {}


@pytest.mark.parametrize("value", ['"lts"', "3.12", '"22; id"', '"22-alpine"', "true", '""'])
def test_what_is_no_version_is_refused(app: App, workspace: Path, value: str) -> None:
    (workspace / "debughost.toml").write_text(f"runtime = {value}")
    assert app("up", "--json").error["code"] == "INVALID_CONFIG"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ("24", "default")),
        ({".nvmrc": "22.1.0"}, ("22", ".nvmrc")),
        ({".nvmrc": "24"}, ("24", ".nvmrc")),
        ({".nvmrc": "22", "debughost.toml": 'runtime = "20"'}, ("20", "file")),
    ],
)
def test_it_is_shown_with_its_source(
    app: App, workspace: Path, files: dict[str, str], expected: tuple[str, str]
) -> None:
    for name, text in files.items():
        (workspace / name).write_text(text)
    rows = app("config", "show", "--json").document["data"]["settings"]
    assert [(r["value"], r["source"]) for r in rows if r["name"] == "runtime"] == [expected]


def test_images_of_other_versions_are_listed_and_pruned(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_image("node:22-slim", registry=True)
    (workspace / ".nvmrc").write_text("22")
    up(app)
    (found,) = app("images", "ls", "--json").document["data"]["variants"]
    assert (found["ref"], found["base"], found["current"]) == (
        "debug-host/node:22", "node:22-slim", True,
    )  # fmt: skip
    assert app("images", "prune", "--json").document["data"]["images"] == []
    app("rm")
    app("images", "prune", "--yes")
    assert "debug-host/node:22" not in engine.stored_images
