"""``init --from-devcontainer``: files in the shapes of the public templates, and hostile ones."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from debughost_cli.project.configuration import load_settings
from debughost_cli.project.settings import Flags

from .conftest import App


def translated(
    app: App, workspace: Path, text: str, *args: str, name: str = ".devcontainer/devcontainer.json"
) -> tuple[dict[str, Any], list[str]]:
    """The settings that are written, valid, and the notes."""
    (workspace / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace / name).write_text(text)
    run = app("init", "--from-devcontainer", *args, "--json")
    assert run.code == 0, run.out
    assert {w["code"] for w in run.document["warnings"]} <= {"DEVCONTAINER_NOT_TRANSLATED"}
    assert app("config", "validate", "--json").code == 0
    found = tomllib.loads((workspace / "debughost.toml").read_text())
    return found, [w["message"] for w in run.document["warnings"]]


NODE = """\
// For format details, see https://aka.ms/devcontainer.json.
{
	"name": "Node.js & TypeScript",
	/* Or use a Dockerfile: https://containers.dev/guide/dockerfile */
	"image": "mcr.microsoft.com/devcontainers/typescript-node:1-22-bookworm",
	"features": {"ghcr.io/devcontainers/features/github-cli:1": {}},
	"forwardPorts": [3100, 9229],
	"portsAttributes": {
		"3100": {"label": "Web", "onAutoForward": "notify"},
		"9229": {"label": "Inspector // debug"},
	},
	"postCreateCommand": "npm ci && npm run build:css",
	"postStartCommand": "git config --global --add safe.directory ${containerWorkspaceFolder}",
	"customizations": {"vscode": {"extensions": ["dbaeumer.vscode-eslint",]}},
	"remoteUser": "node", // not root
}
"""


@pytest.fixture(autouse=True)
def dependencies(workspace: Path) -> None:
    """Where nothing is installed, what would run after that runs before each start."""
    package = json.loads((workspace / "package.json").read_text())
    (workspace / "package.json").write_text(json.dumps(package | {"dependencies": {"a": "1"}}))


def test_without_an_install_commands_run_before_each_start(app: App, workspace: Path) -> None:
    (workspace / "package.json").write_text('{"scripts": {"dev": "node a.js"}}')
    text = '{"image": "node:22", "postCreateCommand": "a; b", "postStartCommand": "c"}'
    found, notes = translated(app, workspace, text)
    assert found["hooks"] == {"before_start": "(a; b\n) && c"}
    assert notes == ["postCreateCommand runs before each start: nothing is installed here"]


def test_node_with_comments_trailing_commas_ports_and_an_install(app: App, workspace: Path) -> None:
    found, notes = translated(app, workspace, NODE)
    assert found == {
        "project": "shop", "type": "node", "runtime": "22", "port": 3100, "packages": ["gh"],
        "ports": {"inspector-debug": 9229}, "hooks": {"after_install": "npm run build:css"},
    }  # fmt: skip
    assert notes == ["postCreateCommand: 'npm ci' is not needed: dependencies are installed anyway"]
    settings = load_settings(workspace, Flags(), {})
    assert settings.runtime == "22"


PYTHON = """\
{
  "name": "Python 3",
  "build": {
    "dockerfile": "Dockerfile",
    "context": "..",
    "args": {"VARIANT": "3.12-bullseye"},
  },
  "containerEnv": {"DJANGO_DEBUG": "1", "HOME_OF_IT": "${containerWorkspaceFolder}/var"},
  "remoteEnv": {
    "TOKEN": "${localEnv:TOKEN}", "LEVEL": "${localEnv:LEVEL:info}",
    "PATH": "${containerEnv:PATH}:/opt/x", "UNSET": null
  },
  "onCreateCommand": "sudo apt-get update && sudo apt-get -y install --no-upgrade ffmpeg",
  "updateContentCommand": ["pip3", "install", "--user", "-r", "requirements.txt"],
  "postCreateCommand": {
    "dev": "pip install --user -r requirements-dev.txt",
    "hooks": ["pre-commit", "install", "--install-hooks"],
    "note": "echo done # of all"
  },
  "postStartCommand": "python manage.py migrate",
  "secrets": {"API_KEY": {"description": "of the shop"}},
  "hostRequirements": {"cpus": 4, "memory": "4gb", "storage": "32gb"},
  "remoteUser": "root"
}
"""


def test_python_with_a_dockerfile_variables_and_three_forms_of_commands(
    app: App, workspace: Path
) -> None:
    (workspace / "manage.py").write_text("")
    (workspace / "requirements.txt").write_text("django\n")
    (workspace / ".devcontainer").mkdir()
    (workspace / ".devcontainer/Dockerfile").write_text(
        "ARG VARIANT=3.9\nFROM mcr.microsoft.com/vscode/devcontainers/python:0-${VARIANT}\n"
    )
    found, notes = translated(app, workspace, PYTHON)
    assert found["type"] == "python"
    assert found["runtime"] == "3.12"
    assert found["packages"] == ["ffmpeg"]
    assert found["hooks"] == {
        "after_install": "pip install -r requirements-dev.txt"
        " && pre-commit install --install-hooks && (echo done # of all\n)",
        "before_start": "python manage.py migrate",
    }
    assert found["env"] == {"DJANGO_DEBUG": "1", "HOME_OF_IT": "/app/var", "LEVEL": "info"}
    assert (found["cpus"], found["memory"]) == (4, "4g")
    assert notes == [
        "build is not translated: list what its Dockerfile installs as packages",
        "updateContentCommand: 'pip3 install --user -r requirements.txt' is not needed:"
        " dependencies are installed anyway",
        "TOKEN is left out: ${localEnv:TOKEN} is of this machine; 'debughost up -e TOKEN' gives it",
        "PATH is left out: ${containerEnv:PATH} is not known here",
        "secret API_KEY is not set: 'debughost up -e API_KEY' takes it from yours",
        "user root is not translated: the program runs as the workspace's owner",
    ]


PHP = """\
{
  "image": "mcr.microsoft.com/devcontainers/php:8.3",
  "forwardPorts": [8080],
  "mounts": [
    "source=composer,target=/home/vscode/.composer,type=volume",
    {"source": "${localEnv:HOME}/.ssh", "target": "/root/.ssh", "type": "bind"}
  ],
  "runArgs": ["--init", "--memory=3g", "--cap-add", "SYS_PTRACE", "-p", "8090:80", "-e", "A=b"],
  "postCreateCommand": "sudo chmod a+x /var/www && composer install --no-interaction",
  "postAttachCommand": "php artisan serve",
  "initializeCommand": "docker pull x",
  "overrideCommand": true,
  "privileged": true
}
"""


def test_php_with_mounts_and_arguments_for_docker(app: App, workspace: Path) -> None:
    found, notes = translated(app, workspace, PHP, name=".devcontainer.json")
    assert found == {
        "project": "shop", "type": "php", "runtime": "8.3", "port": 8080, "memory": "3g",
        "ports": {"port-80": "8090:80"}, "env": {"A": "b"},
    }  # fmt: skip
    assert sorted(notes) == [
        "initializeCommand is not run: it is for the host",
        "mount /home/vscode/.composer is not mounted: home and dependencies are kept without it",
        "mount /root/.ssh is not mounted: nothing of the host is",
        "postAttachCommand is not run: nobody attaches; what serves is the command",
        "postCreateCommand: 'composer install --no-interaction' is not needed:"
        " dependencies are installed anyway",
        "postCreateCommand: 'sudo chmod a+x /var/www' is left out: nothing is root in a container",
        "privileged is not translated: nothing is privileged in a container",
        "runArgs --cap-add is not translated",
    ]


UNIVERSAL = """\
{
  "image": "mcr.microsoft.com/devcontainers/universal:2",
  "features": {
    "ghcr.io/devcontainers/features/node:1": {"version": "20"},
    "ghcr.io/devcontainers/features/python:1": {"version": "3.11"},
    "ghcr.io/devcontainers/features/docker-in-docker:2": {},
    "ghcr.io/devcontainers/features/common-utils:2": {},
    "ghcr.io/rocker-org/devcontainer-features/apt-packages:1": {"packages": "curl, jq"},
    "ghcr.io/devcontainers-contrib/features/tmux-apt-get:1": {},
    "ghcr.io/devcontainers/features/java:1": "17",
    "./local": {}
  },
  "forwardPorts": [80, "db:5432", "3000:3000"],
  "hostRequirements": {"gpu": "optional"},
  "waitFor": "onCreateCommand"
}
"""


def test_features_make_the_type_its_version_and_packages(app: App, workspace: Path) -> None:
    found, notes = translated(app, workspace, UNIVERSAL)
    assert found == {
        "project": "shop", "type": "node", "runtime": "20", "port": 3000,
        "packages": ["curl", "jq", "tmux"],
    }  # fmt: skip
    assert [note.partition(":")[0] for note in notes] == [
        "feature python is left out", "feature docker-in-docker is left out",
        "feature java is not translated", "feature local is not translated",
        "hostRequirements.gpu is not translated", "port is left out", "port db",
    ]  # fmt: skip


COMPOSED = """\
{
  "name": "Python 3 & PostgreSQL",
  "dockerComposeFile": "docker-compose.yml",
  "service": "app",
  "workspaceFolder": "/workspaces/${localWorkspaceFolderBasename}",
  "forwardPorts": [5100, 5432],
  "postCreateCommand": "bash /workspaces/shop/.devcontainer/setup.sh",
  "remoteEnv": {"MODE": "dev"}
}
"""
COMPOSE = """\
services:
  app:
    build: {context: .., dockerfile: .devcontainer/Dockerfile}
    volumes: ["../..:/workspaces:cached"]
    command: sleep infinity
    network_mode: service:db
    environment: {PGUSER: postgres, MODE: prod}
  db:
    image: postgres:16
    restart: unless-stopped
    environment: {POSTGRES_PASSWORD: postgres}
"""


def test_the_services_of_its_compose_file_come_with_it(app: App, workspace: Path) -> None:
    (workspace / ".devcontainer").mkdir()
    (workspace / ".devcontainer/docker-compose.yml").write_text(COMPOSE)
    found, notes = translated(app, workspace, COMPOSED)
    assert found["services"] == {
        "db": {"publish": 5432, "image": "postgres:16", "env": {"POSTGRES_PASSWORD": "postgres"}}
    }
    assert found["env"] == {"PGUSER": "postgres", "MODE": "dev"}
    assert found["hooks"] == {"after_install": "bash /app/.devcontainer/setup.sh"}
    assert found["port"] == 5100
    assert not {"command", "ports"} & found.keys()
    assert notes == ["localhost is the program alone: services have names, such as db:PORT"]


@pytest.mark.parametrize(
    ("ports", "wanted"),
    [([5432, 5100], (5100, None)), ([5432, 5100, 9229], (5100, {"port-9229": 9229})),
     ([5432], (None, None)), ([5100, 9229], (5100, {"port-9229": 9229})), ([], (None, None))],
)  # fmt: skip
def test_a_port_of_a_service_is_none_of_the_program(
    app: App, workspace: Path, ports: list[int], wanted: tuple[object, object]
) -> None:
    (workspace / ".devcontainer").mkdir()
    (workspace / ".devcontainer/docker-compose.yml").write_text(COMPOSE)
    text = {"dockerComposeFile": "docker-compose.yml", "service": "app", "forwardPorts": ports}
    found, _ = translated(app, workspace, json.dumps(text))
    assert (found.get("port"), found.get("ports")) == wanted
    assert found["services"]["db"].get("publish") == (5432 if 5432 in ports else None)


API = """\
services:
  api:
    build: {context: ., target: dev}
    command: uvicorn main:app --host 0.0.0.0 --port 5200
    ports: ["5200:5200"]
    mem_limit: 3g
    environment: {LEVEL: info}
"""


def test_its_own_service_gives_what_the_file_itself_does_not_say(app: App, workspace: Path) -> None:
    (workspace / "compose.yaml").write_text(API)
    text = '{"dockerComposeFile": ["../../compose.yaml"], "service": "api", "image": "python:3.12"}'
    name = ".devcontainer/api/devcontainer.json"
    found, notes = translated(app, workspace, text, name=name)
    assert found == {
        "project": "shop", "type": "python", "runtime": "3.12", "port": 5200, "memory": "3g",
        "command": "uvicorn main:app --host 0.0.0.0 --port 5200", "env": {"LEVEL": "info"},
    }  # fmt: skip
    assert notes == []


@pytest.mark.parametrize(
    ("command", "kept", "note"),
    [
        ("npm run dev", "", "what serves is the command"),
        ("nohup npm start > out.log 2>&1 &", "", "what serves is the command"),
        ("python manage.py migrate && python manage.py runserver 0:8000",
         "python manage.py migrate", "what serves is the command"),
        ("npm install -g @acme/tool", "", "nothing is root"),
        ("npm i turbo --global && npm run gen", "npm run gen", "nothing is root"),
        ("cd web && npm ci && npm run build", "cd web && npm ci && npm run build", ""),
        ("pip install --upgrade pip && pip3 install --no-cache-dir -r requirements.txt", "",
         "dependencies are installed anyway"),
        ("npm run serve-docs-index", "npm run serve-docs-index", ""),
        ("npm run start:db", "npm run start:db", ""),
    ],
)  # fmt: skip
def test_commands_that_do_something_else_here(
    app: App, workspace: Path, command: str, kept: str, note: str
) -> None:
    found, notes = translated(app, workspace, json.dumps({"postStartCommand": command}))
    assert found.get("hooks", {}).get("before_start", "") == kept
    assert bool(notes) is bool(note)
    assert all(note in text for text in notes)


@pytest.mark.parametrize(
    ("build", "runtime"),
    [({"dockerfile": "Dockerfile"}, "22"), ({"dockerfile": "Dockerfile", "target": "old"}, "20"),
     ({"dockerfile": "Dockerfile", "args": {"VERSION": 18}}, "18"), ({"dockerfile": "none"}, None)],
)  # fmt: skip
def test_the_stage_that_is_built_decides(
    app: App, workspace: Path, build: dict[str, object], runtime: str | None
) -> None:
    (workspace / "Dockerfile").write_text(
        "ARG VERSION=22\nFROM node:20 AS old\nFROM --platform=linux/amd64 node:${VERSION} AS base\n"
        "FROM python:3.9 AS other\nFROM base as dev\nRUN true\n"
    )
    text = json.dumps({"build": build})
    found, _ = translated(app, workspace, text, name=".devcontainer.json")
    assert found.get("runtime") == runtime


@pytest.mark.parametrize(
    "text",
    ["\n" * 250_000, "FROM " + "--a " * 60_000, "ARG " * 60_000, "FROM a AS b\n" * 20_000,
     f"ARG A={'a' * 100_000}\nFROM " + "$A" * 50_000, "FROM a AS a\n" * 20_000],
)  # fmt: skip
def test_a_long_dockerfile_takes_no_time(app: App, workspace: Path, text: str) -> None:
    (workspace / "Dockerfile").write_text(text)
    begun = time.process_time()
    found, _ = translated(
        app, workspace, '{"build": {"dockerfile": "Dockerfile"}}', name=".devcontainer.json"
    )
    assert "runtime" not in found
    assert time.process_time() - begun < 5


def test_a_compose_file_of_aliases_takes_no_time(app: App, workspace: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    lines += ["services:", "  app: {network_mode: *a29, command: *a29, image: x}", "  db: *a29"]
    (workspace / "compose.yaml").write_text("\n".join(lines))
    begun = time.process_time()
    text = '{"dockerComposeFile": "compose.yaml", "service": "app"}'
    translated(app, workspace, text, name=".devcontainer.json")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("command", "is_idle"),
    [("sleep infinity", True), (["sleep", "9999"], True), ("tail -f /dev/null", True),
     ('/bin/sh -c "while sleep 1000; do :; done"', True), ("node tail.js", False)],
)  # fmt: skip
def test_a_command_that_does_nothing_is_none(
    app: App, workspace: Path, command: object, is_idle: bool
) -> None:
    composed = {"services": {"app": {"build": ".", "command": command}}}
    (workspace / "compose.yaml").write_text(json.dumps(composed))
    text = '{"dockerComposeFile": "compose.yaml", "service": "app"}'
    found, _ = translated(app, workspace, text, name=".devcontainer.json")
    assert ("command" not in found) is is_idle


def test_what_is_not_known_is_noted(app: App, workspace: Path) -> None:
    text = json.dumps({
        "image": "mcr.microsoft.com/devcontainers/ruby:3.2", "_tool": {"a": 1}, "gpus": "all",
        "features": {"ghcr.io/devcontainers/features/node:1": {"version": "lts"}},
        "mounts": ["source=${localWorkspaceFolder},target=/workspace,type=bind"],
    })  # fmt: skip
    found, notes = translated(app, workspace, text)
    assert found["image"] == "mcr.microsoft.com/devcontainers/ruby:3.2"
    assert notes == [
        "feature node is left out: mcr.microsoft.com/devcontainers/ruby:3.2 is used as it is",
        "_tool is not translated", "gpus is not translated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "command",
    ["pip install " + "-a " * 60_000, "npm install " + "x " * 60_000, "&&" * 60_000,
     "sudo apt-get install " + "-y " * 1200, "flask " + "run " * 900 + "\n", "a " * 1900],
)  # fmt: skip
def test_a_long_command_takes_no_time(app: App, workspace: Path, command: str) -> None:
    begun = time.process_time()
    translated(app, workspace, json.dumps({"postStartCommand": command}))
    translated_again = json.dumps({"postStartCommand": {str(n): command[:3900] for n in range(40)}})
    (workspace / "debughost.toml").unlink()
    translated(app, workspace, translated_again)
    assert time.process_time() - begun < 5


OTHER = """\
{"image": "ghcr.io/acme/dev:7", "appPort": ["9000:9000", 9001], "workspaceFolder": "/work",
 "postStartCommand": ["sh", "-c", "cp /work/a.env /work/.env"]}
"""


def test_an_image_of_ones_own_is_kept(app: App, workspace: Path) -> None:
    found, notes = translated(app, workspace, OTHER, "--type", "node")
    assert found == {
        "project": "shop", "type": "node", "image": "ghcr.io/acme/dev:7", "port": 9000,
        "ports": {"port-9001": 9001}, "hooks": {"before_start": "sh -c 'cp /app/a.env /app/.env'"},
    }  # fmt: skip
    assert notes == []


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("node:22-alpine", {"type": "node", "runtime": "22"}),
        ("docker.io/library/python:3.12-slim", {"type": "python", "runtime": "3.12"}),
        ("mcr.microsoft.com/devcontainers/python:3", {"type": "python"}),
        ("mcr.microsoft.com/devcontainers/javascript-node", {"type": "node"}),
        ("mcr.microsoft.com/devcontainers/python:dev-3.12", {"type": "python", "runtime": "3.12"}),
        ("mcr.microsoft.com/devcontainers/base:ubuntu-22.04", {"type": "node"}),
        ("acme/python:3.12", {"type": "node", "image": "acme/python:3.12"}),
        ("a b\nc", {"type": "node"}),
        ("node:5000/shop:22", {"type": "node", "image": "node:5000/shop:22"}),
    ],
)
def test_known_images_are_types(
    app: App, workspace: Path, image: str, wanted: dict[str, str]
) -> None:
    found, _ = translated(app, workspace, json.dumps({"image": image}))
    assert found == {"project": "shop", **wanted}


def test_of_several_one_has_to_be_named(app: App, workspace: Path) -> None:
    for name in ("api", "web"):
        (workspace / ".devcontainer" / name).mkdir(parents=True)
        text = json.dumps({"forwardPorts": [3200 if name == "api" else 3300]})
        (workspace / ".devcontainer" / name / "devcontainer.json").write_text(text)
    error = app("init", "--from-devcontainer", "--json").error
    assert error["code"] == "INVALID_CONFIG"
    assert len(error["details"]["files"]) == 2
    for name in (".devcontainer/web", ".devcontainer/web/devcontainer.json"):
        assert app("init", "--from-devcontainer", str(workspace / name), "--json").code == 0
        assert "port = 3300" in (workspace / "debughost.toml").read_text()
        (workspace / "debughost.toml").unlink()


def test_a_file_elsewhere_can_be_named(app: App, workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"build": {"dockerfile": "Dockerfile"}, "forwardPorts": [3200]}')
    (tmp_path / "Dockerfile").write_text("FROM python:3.9")
    assert app("init", "--from-devcontainer", str(other), "--json").code == 0
    text = (workspace / "debughost.toml").read_text()
    assert "port = 3200" in text
    assert "3.9" not in text


@pytest.mark.parametrize(
    "text",
    ["[1]", '{"a": 1', "x", "[" * 100_000, "x" * 300_000, '"' * 200_001, '{"a": %s}' % ("9" * 5000),
     '"\\' * 100_000, "/*" * 100_000, ",//\n" * 60_000, "[," + " " * 200_000, "{" * 200_000],
)  # fmt: skip
def test_what_cannot_be_translated_writes_nothing_and_takes_no_time(
    app: App, workspace: Path, text: str
) -> None:
    (workspace / ".devcontainer.json").write_text(text)
    begun = time.process_time()
    assert app("init", "--from-devcontainer", "--json").error["code"] == "INVALID_CONFIG"
    assert time.process_time() - begun < 5
    assert not (workspace / "debughost.toml").exists()


def test_an_error_names_the_line(app: App, workspace: Path) -> None:
    (workspace / ".devcontainer.json").write_text('{ // a\n /* b\n */ "a": 1,\n "b" 2}')
    assert "line 4" in app("init", "--from-devcontainer", "--json").error["message"]


@pytest.mark.parametrize(
    "text",
    ['{"forwardPorts": "x", "features": [], "build": 3, "image": 7, "runArgs": {"a": 1}}',
     '{"forwardPorts": [true, null, 1.5, {}, 99999], "mounts": [null, 3], "secrets": [1]}',
     '{"postCreateCommand": {"a": null, "b": [1, null]}, "containerEnv": {"A=B": "c", "D": 3}}',
     '{"portsAttributes": {"3000": 1}, "forwardPorts": [3000], "hostRequirements": {"memory": {}}}',
     '{"runArgs": ["--memory", "-e", null, 3], "dockerComposeFile": [3, null], "service": {}}'],
)  # fmt: skip
def test_values_of_a_wrong_kind_are_noted(app: App, workspace: Path, text: str) -> None:
    translated(app, workspace, text)


def test_nothing_of_the_host_is_taken(
    app: App, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret-of-the-host")
    (tmp_path / "secret").write_text("FROM python:3.9-secret")
    text = json.dumps({
        "containerEnv": {"A": "${localEnv:TOKEN}", "B": "${env:TOKEN}", "C": "$TOKEN"},
        "build": {"dockerfile": "../../secret"},
    })  # fmt: skip
    found, notes = translated(app, workspace, text)
    assert "secret" not in json.dumps([found, notes])
    assert "3.9" not in json.dumps(found)
    assert found["env"] == {"C": "$TOKEN"}


def test_a_link_that_leads_out_is_no_devcontainer(
    app: App, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.json").write_text(NODE)
    (workspace / ".devcontainer.json").symlink_to(tmp_path / "secret.json")
    assert app("init", "--from-devcontainer", "--json").error["code"] == "INVALID_CONFIG"


def test_a_hostile_text_writes_no_setting(app: App, workspace: Path) -> None:
    evil = 'a"]\nimage = "evil"\n[b'
    text = {"containerEnv": {evil: evil}, "forwardPorts": [3100, 3101], "secrets": {evil: {}},
            "portsAttributes": {"3101": {"label": evil}}, "postStartCommand": evil}  # fmt: skip
    found, _ = translated(app, workspace, json.dumps(text))
    assert "image" not in found


def test_use(app: App, workspace: Path) -> None:
    assert app("init", "--from-devcontainer", "--json").error["code"] == "INVALID_CONFIG"
    gone = app("init", "--from-devcontainer", "gone.json", "--json")
    assert gone.error["code"] == "INVALID_CONFIG"
    both = app("init", "--from-devcontainer", "--from-compose", "--json")
    assert both.error["code"] == "USAGE"


@pytest.mark.parametrize(
    ("file", "option"),
    [(".devcontainer/devcontainer.json", "--from-devcontainer"),
     (".devcontainer.json", "--from-devcontainer"), ("compose.yaml", "--from-compose")],
)  # fmt: skip
def test_plain_init_mentions_the_importer(
    app: App, workspace: Path, file: str, option: str
) -> None:
    (workspace / file).parent.mkdir(exist_ok=True)
    (workspace / file).write_text("{}")
    run = app("init", "--json")
    assert run.code == 0
    (warning,) = run.document["warnings"]
    assert warning["code"] == "NOT_IMPORTED"
    assert file in warning["message"]
    assert f"init {option}" in warning["message"]
