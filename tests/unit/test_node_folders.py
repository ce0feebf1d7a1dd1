"""Folders with packages of their own that a script at the root starts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from debughost_cli.project.detect import detect
from debughost_cli.project.detect.node_install import manager_of
from debughost_cli.project.reader import Folder

EXPRESS = {"dependencies": {"express": "*"}}


def write(folder: Path, *parts: str, **package: object) -> None:
    (folder / "package.json").write_text(json.dumps(EXPRESS | package))
    for part in parts:
        (folder / part).mkdir(parents=True)
        (folder / part / "package.json").write_text(json.dumps(EXPRESS))


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ({"client": "npm start --prefix client", "server": "nodemon index.js",
          "dev": 'concurrently "npm run server" "npm run client"'}, ["client"]),
        ({"dev": 'concurrently "cd server && npm run dev" "cd ./client && npm start"'},
         ["server", "client"]),
        ({"dev": "concurrently npm:dev:*", "dev:api": "yarn --cwd server dev",
          "dev:web": "pnpm -C client dev"}, ["server", "client"]),
        ({"dev": "run-p api web", "api": "node .", "web": "npm --prefix=client run dev"},
         ["client"]),
        ({"dev": "node server.js", "build": "cd client && npm run build"}, []),
        ({"dev": "cd client && npm start", "postinstall": "cd client && npm install"}, []),
        ({"dev": "cd ../client && cd missing && npm start"}, []),
        ({"dev": "npm run dev"}, []),
    ],
)  # fmt: skip
def test_what_a_script_starts_is_installed(
    tmp_path: Path, scripts: dict[str, str], expected: list[str]
) -> None:
    write(tmp_path, "client", "server", scripts=scripts)
    found = detect(tmp_path).dependencies
    files = [name for name in found.files if "/" in name]
    assert sorted(files) == sorted(f"{name}/package.json" for name in expected)
    for name in ("client", "server"):
        assert (f"cd {name}\n" in found.script) is (name in expected)
    subprocess.run([shutil.which("sh"), "-n"], input=found.script, text=True, check=True)


def test_each_folder_has_its_own_package_manager(tmp_path: Path) -> None:
    write(tmp_path, "client", scripts={"dev": "concurrently 'cd client && npm start' 'node .'"})
    (tmp_path / "client" / "package-lock.json").write_text("{}")
    found = detect(tmp_path).dependencies
    assert "client/package-lock.json" in found.files
    assert "run_npm ci" in found.script.partition("cd client\n")[2]
    assert "run_npm install --no-package-lock" in found.script.partition("cd client\n")[0]


def test_members_of_a_workspace_are_installed_by_its_root(tmp_path: Path) -> None:
    write(tmp_path, "client", workspaces=["client"], scripts={"dev": "cd client && npm start"})
    assert not [f for f in detect(tmp_path).dependencies.files if "/" in f]


NPM = """#!/bin/sh
echo "${npm_config_fetch_retry_maxtimeout-default}" >>calls
echo "12 error code $CODE" >"$npm_config_logs_dir/$(wc -l <calls)"
[ "$(wc -l <calls)" -gt "$FAILS" ] || exit 7
"""


@pytest.mark.parametrize(
    ("fails", "code", "calls", "status"),
    [
        (0, "", "4000\n", 0),
        (9, "SELF_SIGNED_CERT_IN_CHAIN", "4000\n", 7),
        (9, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "4000\n", 7),
        (9, "ENOTFOUND", "4000\n4000\n", 7),
        (1, "ENOTFOUND", "4000\n4000\n", 0),
        (1, "EAI_AGAIN", "4000\n4000\n", 0),
        (9, "ERESOLVE", "4000\n", 7),
        (9, "EACCES", "4000\n", 7),
        (1, "ECONNRESET", "4000\ndefault\n", 0),
        (1, "ETIMEDOUT", "4000\ndefault\n", 0),
        (1, "ERR_SOCKET_TIMEOUT", "4000\ndefault\n", 0),
        (1, "E503", "4000\ndefault\n", 0),
        (9, "ENETUNREACH", "4000\ndefault\n", 7),
    ],
)
def test_npm_waits_long_only_for_what_may_pass(
    tmp_path: Path, fails: int, code: str, calls: str, status: int
) -> None:
    for name, text in {"npm": NPM, "sleep": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-euc", manager_of(Folder(tmp_path), "").install],
        cwd=tmp_path, env={**environ, "FAILS": str(fails), "CODE": code}, check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == status
    assert (tmp_path / "calls").read_text() == calls
