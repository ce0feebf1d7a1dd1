"""A workspace on an engine that does not see this machine's files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.objects import FakeContainer
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli.errors import DiskFull
from debughost_cli.resources import FileEntry

VOLUME = "debug-host-shop-app"


@pytest.fixture
def far(workspace: Path) -> FakeEngine:
    """An engine elsewhere, which sees nothing beside the workspace's folder either."""
    return unproven(hidden=workspace.parent)


def unproven(hidden: Path | None = None) -> FakeEngine:
    engine = FakeEngine(shares_files=False)
    engine.add_base_images()
    engine.hidden = hidden
    return engine


@pytest.fixture
def there(far: FakeEngine) -> App:
    return App(far)


def files(engine: FakeEngine) -> dict[str, FileEntry]:
    """What the user has there, by its path below ``/app``."""
    found = engine.stored_volumes[VOLUME].files
    own = {p: e for p, e in found.items() if not p.startswith("/.debughost") and p != "/"}
    return {p.removeprefix("/"): e for p, e in own.items()}


def main_one(engine: FakeEngine) -> FakeContainer:
    (found,) = engine.stored_containers.values()
    return found


def requests(engine: FakeEngine, since: int = 0) -> list[str]:
    return [call[0] for call in engine.calls[since:]]


def probes(workspace: Path) -> list[str]:
    return [p.name for p in workspace.iterdir() if p.name.startswith(".debughost-probe")]


def test_it_is_uploaded_before_the_program_starts(
    there: App, far: FakeEngine, workspace: Path
) -> None:
    (workspace / "link").symlink_to("/etc/passwd")
    run = there("up", "--json")
    assert run.project["action"] == "created"
    assert run.project["sync"] == {"state": "current", "files": 0}
    stored = files(far)
    assert stored["package.json"].data == (workspace / "package.json").read_bytes()
    assert stored["link"].link == "/etc/passwd"
    made = main_one(far)
    assert made.labels["debug-host.transport"] == "volume"
    mounts = {m.target: m.source for m in made.spec.mounts}
    assert mounts["/app"] == VOLUME
    assert mounts["/app/node_modules"] == "debug-host-shop-node_modules"
    assert far.stored_volumes[VOLUME].labels["debug-host.role"] == "workspace"
    order = requests(far)
    assert order.index("containers.put_archive") < order.index("containers.start")
    assert probes(workspace) == []
    assert not (workspace / "node_modules").exists()


def test_one_that_the_engine_sees_is_mounted_and_proven_once(workspace: Path) -> None:
    engine = unproven()
    app = App(engine)
    assert app("up", "--json").project["sync"] is None
    assert main_one(engine).labels["debug-host.transport"] == "bind"
    assert VOLUME not in engine.stored_volumes
    assert requests(engine).count("containers.create") == 2
    assert probes(workspace) == []
    # The label of the container, or what is kept of the proof, is enough.
    for words, created in ((("up",), 0), (("up", "--recreate"), 2), (("rm",), 0), (("up",), 1)):
        before = len(engine.calls)
        assert app(*words).code == 0
        assert requests(engine, before).count("containers.create") == created


def test_an_engine_that_does_not_see_it_any_more_gets_a_copy(workspace: Path) -> None:
    engine = unproven()
    app = App(engine)
    app("up")
    engine.hidden = workspace
    assert app("up", "--json").project["action"] == "unchanged"
    assert app("up", "--recreate", "--json").project["action"] == "recreated"
    assert main_one(engine).labels["debug-host.transport"] == "volume"
    engine.hidden = None
    run = app("up", "--recreate", "--json")
    assert main_one(engine).labels["debug-host.transport"] == "bind"
    assert [d["field"] for d in run.project["drift"]] == []


def test_a_folder_of_the_same_path_elsewhere_is_not_taken_for_it(
    there: App, far: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine's machine has such a folder, with other files.
    far.hidden = None
    monkeypatch.setattr(type(far.containers), "_of_this_machine", lambda *_: None)
    assert there("up").code == 0
    assert main_one(far).labels["debug-host.transport"] == "volume"


def test_what_killed_commands_left_is_removed(there: App, far: FakeEngine, workspace: Path) -> None:
    (workspace / ".debughost-probe-old").touch()
    far.fail("containers.read_files", KeyboardInterrupt())
    assert there("up").code != 0
    assert not far.stored_containers
    assert there("up").code == 0
    assert probes(workspace) == []


def test_only_what_changed_is_sent(there: App, far: FakeEngine, workspace: Path) -> None:
    there("up")
    assert there("up", "--json").document["changed"] is False
    (workspace / "index.js").write_text("changed")
    (workspace / "package.json").touch()
    (workspace / "new").mkdir()
    (workspace / "new" / "file").write_text("new")
    assert there("status", "--json").project["sync"] == {"state": "stale", "files": 3}
    status = there("status")
    assert "shop: workspace: stale (3 files)" in status.out
    run = there("up", "--json")
    assert (run.project["action"], run.document["changed"]) == ("unchanged", True)
    assert files(far)["new/file"].data == b"new"
    assert "Uploading 3 files" in run.err
    assert there("status", "--json").project["sync"] == {"state": "current", "files": 0}


@pytest.mark.parametrize("words", [("restart",), ("up", "--recreate"), ("run", "true")])
def test_every_start_has_the_files_as_they_are_here(
    there: App, far: FakeEngine, workspace: Path, words: tuple[str, ...]
) -> None:
    there("up")
    (workspace / "new").write_text("new")
    assert there(*words).code == 0
    assert files(far)["new"].data == b"new"


def test_a_dry_run_shows_the_upload_and_does_nothing(
    there: App, far: FakeEngine, workspace: Path
) -> None:
    run = there("up", "--dry-run", "--json")
    steps = [s["step"] for s in run.project["plan"]]
    assert steps.index("create_container") + 1 == steps.index("upload_workspace")
    assert far.changes == []
    assert probes(workspace) == []


def test_nothing_starts_after_a_failed_upload(there: App, far: FakeEngine) -> None:
    far.fail("containers.put_archive", DiskFull("no space left on device", hint="Free some"))
    run = there("up", "--json")
    assert (run.code, run.error["code"]) == (9, "DISK_FULL")
    assert far.stored_containers == {}
    assert "containers.start" not in requests(far)


def test_nothing_starts_where_the_last_part_is_missing(there: App, far: FakeEngine) -> None:
    def lose() -> None:
        far.stored_volumes[VOLUME].files.pop("/.debughost/manifest")

    far.before("containers.put_archive", lambda: far.before("containers.read_files", lose))
    run = there("up", "--json")
    assert (run.code, run.error["code"]) == (1, "ENGINE_ERROR")
    assert "not complete" in run.error["message"]
    assert far.stored_containers == {}


def test_after_an_upload_that_was_cut_off_everything_of_it_is_sent_again(
    there: App, far: FakeEngine, workspace: Path
) -> None:
    there("up")
    kept = dict(far.stored_volumes[VOLUME].files)
    (workspace / "index.js").write_text("changed")
    (workspace / "gone").write_text("never seen again")
    there("up")
    # As if the last part had not arrived, and the user had taken the change back.
    far.stored_volumes[VOLUME].files["/.debughost/manifest"] = kept["/.debughost/manifest"]
    (workspace / "gone").unlink()
    assert there("status", "--json").project["sync"]["state"] == "stale"
    run = there("up", "--json")
    assert "Uploading 1 file (0.0 MB), deleting 1 of shop" in run.err


def test_the_volume_of_another_workspace_is_not_touched(
    there: App, far: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there("up")
    there("rm")
    other = workspace.parent / "other"
    node_project(other)
    before = dict(files(far))
    run = there("up", "-w", str(other), "-p", "shop", "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert files(far) == before
    assert far.stored_containers == {}


def test_removing_and_pruning_keep_it_until_it_is_named(there: App, far: FakeEngine) -> None:
    there("up")
    there("rm")
    listed = there("volumes", "ls", "--json").document["data"]["volumes"]
    assert {"name": VOLUME, "role": "workspace"}.items() <= next(
        v for v in listed if v["name"] == VOLUME
    ).items()
    for words in (("--yes",), ("--all", "--yes")):
        pruned = there("volumes", "prune", *words, "--json")
        codes = [w["code"] for w in pruned.document["warnings"]]
        assert codes == ["WORKSPACE_KEPT"]
        assert VOLUME in far.stored_volumes
    assert there("rm", "shop", "--volumes").code == 0
    assert VOLUME not in far.stored_volumes


def test_what_is_not_there_is_said(there: App, workspace: Path) -> None:
    (workspace / ".gitignore").write_text(".env\nlogs/\n")
    (workspace / ".env").write_text("KEY=1")
    os.mkfifo(workspace / "pipe")
    warnings = {w["code"]: w["message"] for w in there("up", "--json").document["warnings"]}
    assert warnings["FILES_IGNORED"].startswith(".env is not uploaded")
    assert "!.env" in warnings["FILES_IGNORED"]
    assert warnings["FILES_SKIPPED"] == "1 socket, pipe or device is not uploaded"
    (workspace / "x").touch()
    assert "FILES_IGNORED" not in str(there("up", "--json").document["warnings"])


def test_status_knows_nothing_of_a_workspace_of_another_machine(
    there: App, far: FakeEngine
) -> None:
    there("up")
    found = main_one(far)
    found.spec = replace(found.spec, labels={**found.spec.labels, "debug-host.host": "another"})
    assert there("status", "--json").project["sync"] == {"state": "unknown", "files": None}


def test_a_lock_file_that_the_install_updated_there_is_no_change_here(
    there: App, far: FakeEngine, workspace: Path
) -> None:
    there("up")
    stored = far.stored_volumes[VOLUME].files
    made = main_one(far)
    identity = b"npm " + made.image_id.removeprefix("sha256:")[:16].encode() + b"\n"
    updated = stored["/package-lock.json"].data + b" "
    stored["/package-lock.json"] = FileEntry("/app/package-lock.json", updated)
    lines = b""
    for name in ("package.json", "package-lock.json"):
        data = stored[f"/{name}"].data
        lines += f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()
    installed = hashlib.sha256(identity + lines).hexdigest()
    far.write_status(made.id, f"running+ready+accepts+deps-{installed}")
    assert there("status", "--json").project["dependencies"] == "fresh"
    assert there("up", "--json").project["action"] == "unchanged"
    (workspace / "package-lock.json").write_text("{}")
    assert there("status", "--json").project["dependencies"] == "stale"
    assert there("up", "--json").project["action"] == "restarted"
