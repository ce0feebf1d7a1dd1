"""Detection on the layouts that people really have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.errors import InvalidConfig, TypeUnknown
from debughost_cli.models import Dependencies, ProjectType
from debughost_cli.project.detect import detect, manifest_lines
from debughost_cli.project.detect.python_manifests import parse_requirements

Files = Mapping[str, Any]

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
ADDRESS = ("--host", "0.0.0.0", "--port", "{port}")
PNPM = (
    "env",
    "PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN=false",
    "PNPM_CONFIG_PM_ON_FAIL=ignore",
    "pnpm",
)
BERRY = (
    "env",
    "YARN_NODE_LINKER=node-modules",
    "YARN_INSTALL_STATE_PATH=/app/node_modules/.yarn-install-state.gz",
)
BERRY_LOCK = "__metadata:\n  version: 8\n  cacheKey: 10c0\n"


def make(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def package(dev: str = "", **fields: Any) -> dict[str, Any]:
    scripts = {"scripts": {"dev": dev}} if dev else {}
    return {"name": "shop", "version": "1.0.0", **scripts, **fields}


def script_of(dependencies: Dependencies | None) -> str:
    assert dependencies is not None
    return dependencies.script


LAYOUTS: list[tuple[str, Files, str, str]] = [
    (
        "laravel with vite",
        {
            "artisan": "",
            "composer.json": {"require": {"laravel/framework": "^12"}},
            "package.json": package("vite", type="module", devDependencies={"vite": "^7"}),
            "public/index.php": "",
        },
        "php",
        "Laravel",
    ),
    (
        "symfony with webpack encore",
        {
            "bin/console": "",
            "composer.json": {"require": {"symfony/framework-bundle": "7.*"}},
            "package.json": package("encore dev", devDependencies={"@symfony/webpack-encore": "*"}),
            "public/index.php": "",
        },
        "php",
        "Symfony",
    ),
    (
        "wordpress",
        {"index.php": "", "wp-load.php": "", "wp-config-sample.php": "", "readme.html": ""},
        "php",
        "WordPress",
    ),
    (
        "wordpress theme built with wp-scripts",
        {
            "index.php": "",
            "style.css": "",
            "package.json": {"scripts": {"start": "wp-scripts start"}},
        },
        "php",
        "PHP",
    ),
    (
        "slim",
        {"composer.json": {"require": {"slim/slim": "^4"}}, "public/index.php": ""},
        "php",
        "Slim",
    ),
    (
        "plain php with a package.json",
        {"index.php": "", "package.json": package("gulp watch", devDependencies={"gulp": "^5"})},
        "php",
        "PHP",
    ),
    (
        "php library",
        {"composer.json": {"name": "a/b", "autoload": {"psr-4": {"A\\": "src/"}}}},
        "php",
        "PHP",
    ),
    (
        "django with tailwind",
        {
            "manage.py": "import django\n",
            "requirements.txt": "Django>=5\n",
            "package.json": package("tailwindcss -w", devDependencies={"tailwindcss": "^4"}),
        },
        "python",
        "Django",
    ),
    (
        "fastapi with a bundler for its assets",
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi[standard]"]\n',
            "app/main.py": FASTAPI,
            "package.json": package("vite build --watch", devDependencies={"vite": "^7"}),
        },
        "python",
        "FastAPI",
    ),
    (
        "flask with vite and pages of its own",
        {
            "requirements.txt": "flask\n",
            "app.py": FLASK,
            "templates/index.html": "",
            "package.json": package("vite", devDependencies={"vite": "^7"}),
        },
        "python",
        "Flask",
    ),
    (
        "python script with an index.html",
        {"requirements.txt": "bottle\n", "main.py": "import bottle\n", "index.html": ""},
        "python",
        "Python",
    ),
    (
        "python project with prettier and pyright",
        {
            "pyproject.toml": '[project]\nname = "tool"\n',
            "main.py": "",
            "package.json": {"devDependencies": {"prettier": "*", "pyright": "*"}},
        },
        "python",
        "Python",
    ),
    (
        "vite",
        {"index.html": "", "package.json": package("vite", devDependencies={"vite": "^7"})},
        "node",
        "Vite",
    ),
    (
        "vite with python functions beside it",
        {
            "index.html": "",
            "package.json": package("vite", devDependencies={"vite": "^7"}),
            "requirements.txt": "flask\n",
            "api/index.py": FLASK,
        },
        "node",
        "Vite",
    ),
    (
        "next with a fastapi backend",
        {
            "package.json": package("next dev", dependencies={"next": "16"}),
            "requirements.txt": "fastapi\n",
            "api/index.py": FASTAPI,
        },
        "node",
        "Next.js",
    ),
    (
        "monorepo whose dev script starts both halves",
        {
            "package.json": package("concurrently npm:web npm:api"),
            "backend/main.py": FASTAPI,
            "frontend/index.html": "",
        },
        "node",
        "Node.js",
    ),
    (
        "express with a helper in python",
        {
            "package.json": package("node --watch server.js", dependencies={"express": "5"}),
            "requirements.txt": "numpy\n",
            "main.py": "import numpy\n",
        },
        "node",
        "Express",
    ),
    (
        "node with settings of python tools",
        {
            "package.json": package(dependencies={"sqlite3": "5"}, main="index.js"),
            "index.js": "",
            "pyproject.toml": "[tool.black]\nline-length = 100\n",
            "requirements.txt": "pre-commit\n",
        },
        "node",
        "Node.js",
    ),
    (
        "node library with a stray requirements.txt",
        {"package.json": package(main="dist/index.js"), "requirements.txt": "mkdocs\n"},
        "node",
        "Node.js",
    ),
    ("static site", {"index.html": "", "style.css": ""}, "static", "static files"),
    (
        "static site with prettier",
        {
            "index.html": '<script src="index.js"></script>',
            "index.js": "",
            "package.json": package(main="index.js", devDependencies={"prettier": "^3"}),
        },
        "static",
        "static files",
    ),
    (
        "static site with tailwind",
        {
            "index.html": "",
            "package.json": package("tailwindcss -w", devDependencies={"tailwindcss": "^4"}),
        },
        "static",
        "static files",
    ),
    ("built docs", {"public/index.html": "", "README.md": ""}, "static", "static files"),
    (
        "docs built with mkdocs",
        {"mkdocs.yml": "", "requirements.txt": "mkdocs\n", "docs/index.md": ""},
        "python",
        "MkDocs",
    ),
]


@pytest.mark.parametrize(
    ("files", "type_", "framework"),
    [layout[1:] for layout in LAYOUTS],
    ids=[layout[0] for layout in LAYOUTS],
)
def test_type_and_framework_of_a_layout(
    tmp_path: Path, files: Files, type_: str, framework: str
) -> None:
    found = detect(make(tmp_path, files))
    assert (found.type, found.framework) == (type_, framework)
    assert found.evidence
    assert all((tmp_path / name).is_file() for name in found.evidence)


@pytest.mark.parametrize(
    "name",
    [
        *("package.json", "pyproject.toml", "requirements.txt", "manage.py", "app.py", "main.py"),
        *("composer.json", "index.php", "public/index.php", "index.html"),
    ],
)
def test_every_documented_file_alone_is_enough(tmp_path: Path, name: str) -> None:
    content = "{}" if name.endswith(".json") else ""
    expected = {"n": "node", "o": "node", "y": "python", "t": "python", "p": "php", "l": "static"}
    by_name = {"package.json": "node", "pyproject.toml": "python", "composer.json": "php"}
    assert detect(make(tmp_path, {name: content})).type == by_name.get(name, expected[name[-1]])


def test_a_folder_that_is_not_a_project(tmp_path: Path) -> None:
    with pytest.raises(TypeUnknown) as caught:
        detect(make(tmp_path, {"README.md": "", "src/lib.rs": ""}))
    assert "package.json" in caught.value.message
    assert "--type" in caught.value.hint
    assert "debughost init" in caught.value.hint


def test_a_given_type_is_used_as_it_is(tmp_path: Path) -> None:
    make(tmp_path, {"package.json": "{not json", "requirements.txt": "flask\n", "app.py": FLASK})
    found = detect(tmp_path, ProjectType.PYTHON)
    assert found.command == ("flask", "--app", "app:app", "run", *ADDRESS, "--debug")


@pytest.mark.parametrize("type_", list(ProjectType))
def test_a_given_type_works_in_an_empty_folder(tmp_path: Path, type_: ProjectType) -> None:
    found = detect(tmp_path, type_)
    assert found.type == type_
    assert found.dependencies is None


NODE_COMMANDS: list[tuple[Files, tuple[str, ...]]] = [
    ({"package.json": package("node server.js")}, ("npm", "run", "dev")),
    ({"package.json": {"scripts": {"start": "node ."}}}, ("node", "--watch", ".")),
    (
        {"package.json": package("vite")},
        ("npm", "run", "dev", "--", *ADDRESS, "--strictPort"),
    ),
    (
        {"package.json": package("tsc && vite"), "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
        (*PNPM, "run", "dev", *ADDRESS, "--strictPort"),
    ),
    (
        {"package.json": package("cross-env NODE_ENV=development astro dev"), "yarn.lock": "# v1"},
        ("yarn", "run", "dev", *ADDRESS),
    ),
    (
        {
            "package.json": package("vite", packageManager="yarn@4.9.1+sha512.abc"),
            "yarn.lock": BERRY_LOCK,
        },
        (
            *(*BERRY, "npm", "exec", "--yes", "--package=@yarnpkg/cli-dist@4.9.1", "--"),
            *("yarn", "run", "dev", *ADDRESS, "--strictPort"),
        ),
    ),
    (
        {
            "package.json": package("node ."),
            "yarn.lock": BERRY_LOCK,
            ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.9.1.cjs\n",
        },
        (*BERRY, "yarn", "run", "dev"),
    ),
    (
        {"package.json": package("next dev --turbopack")},
        ("npm", "run", "dev", "--", "--hostname", "0.0.0.0", "--port", "{port}"),
    ),
    ({"package.json": package("react-scripts start")}, ("npm", "run", "dev")),
    ({"package.json": package("vite & node api.js")}, ("npm", "run", "dev")),
    ({"package.json": package("vite build && node dist/server.js")}, ("npm", "run", "dev")),
    ({"package.json": package("concurrently 'vite' 'node api.js'")}, ("npm", "run", "dev")),
    ({"package.json": package("(cd web && vite)")}, ("npm", "run", "dev")),
    ({"package.json": package("echo 'unbalanced")}, ("npm", "run", "dev")),
    ({"package.json": package("eleventy --serve")}, ("npm", "run", "dev", "--", "--port={port}")),
    (
        {"package.json": package("npx webpack serve --mode development")},
        ("npm", "run", "dev", "--", *ADDRESS),
    ),
    (
        {"package.json": package("ng serve --port 4200 --open")},
        ("npm", "exec", "--no", "--", "ng", "serve", "--open", *ADDRESS),
    ),
    (
        {"package.json": package("NODE_ENV=test json-server db.json --port=3001")},
        ("env", "NODE_ENV=test", "npm", "exec", "--no", "--", "json-server", "db.json", *ADDRESS),
    ),
    ({"package.json": package("PORT=8080 node server.js")}, ("node", "server.js")),
    ({"package.json": package("PORT=8080 ./serve.sh")}, ("npm", "run", "dev")),
    (
        {"package.json": {"scripts": {"dev": "vite --port 1", "predev": "node build.js"}}},
        ("npm", "run", "dev", "--", *ADDRESS, "--strictPort"),
    ),
    (
        {"package.json": {"scripts": {"dev": "npm run serve", "serve": "vue-cli-service serve"}}},
        ("npm", "run", "serve", "--", *ADDRESS),
    ),
    (
        {"package.json": {"scripts": {"serve": "vue-cli-service serve", "build": "x"}}},
        ("npm", "run", "serve", "--", *ADDRESS),
    ),
    ({"package.json": {"scripts": {"dev": "npm run dev"}}}, ("npm", "run", "dev")),
    (
        {"package.json": {"main": "lib/main"}, "lib/main.js": "", "server.js": ""},
        ("node", "--watch", "lib/main.js"),
    ),
    (
        {"package.json": {"main": "dist/index.js"}, "server.js": ""},
        ("node", "--watch", "server.js"),
    ),
    ({"package.json": {"main": "../../etc/passwd"}}, ()),
    ({"package.json": {}}, ()),
]


@pytest.mark.parametrize(("files", "command"), NODE_COMMANDS)
def test_command_of_a_node_project(tmp_path: Path, files: Files, command: tuple[str, ...]) -> None:
    assert detect(make(tmp_path, files), ProjectType.NODE).command == command


PYTHON_COMMANDS: list[tuple[Files, tuple[str, ...]]] = [
    ({"manage.py": "import django"}, ("python", "manage.py", "runserver", "0.0.0.0:{port}")),
    (
        {"main.py": FASTAPI, "requirements.txt": "fastapi\nuvicorn[standard]\n"},
        ("uvicorn", "main:app", *ADDRESS, "--reload"),
    ),
    (
        {"app/main.py": FASTAPI, "requirements.txt": "FastAPI[standard]~=0.115\n"},
        ("uvicorn", "app.main:app", *ADDRESS, "--reload"),
    ),
    ({"app.py": FASTAPI}, ("python", "-m", "uvicorn", "app:app", *ADDRESS, "--reload")),
    (
        {"src/shop/main.py": "import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI(\n)\n"},
        ("python", "-m", "uvicorn", "--app-dir", "src", "shop.main:api", *ADDRESS, "--reload"),
    ),
    (
        {
            "pyproject.toml": '[tool.poetry.dependencies]\nfastapi = {version = "*", '
            'extras = ["standard"]}\n',
            "app/main.py": "def create_app():\n    pass\n",
        },
        ("uvicorn", "app.main:create_app", "--factory", *ADDRESS, "--reload"),
    ),
    (
        {"asgi.py": "from starlette.applications import Starlette\nsite = Starlette()\n"},
        ("python", "-m", "uvicorn", "asgi:site", *ADDRESS, "--reload"),
    ),
    (
        {
            "requirements.txt": "Flask==3\n",
            "wsgi.py": "from shop import create_app\napp = create_app()\n",
            "shop/__init__.py": "def create_app():\n    pass\n",
        },
        ("flask", "--app", "wsgi:app", "run", *ADDRESS, "--debug"),
    ),
    (
        {"requirements.txt": "flask\n", "shop/__init__.py": "def create_app(x=1):\n    pass\n"},
        ("flask", "--app", "shop:create_app", "run", *ADDRESS, "--debug"),
    ),
    ({"src/main.py": FLASK}, ("flask", "--app", "src/main:app", "run", *ADDRESS, "--debug")),
    (
        {"requirements.txt": "streamlit\n", "app.py": "import streamlit\n"},
        (
            *("streamlit", "run", "app.py", "--server.address", "0.0.0.0"),
            *("--server.port", "{port}", "--server.headless", "true"),
            *("--server.runOnSave", "true", "--browser.gatherUsageStats", "false"),
        ),
    ),
    (
        {"requirements.txt": "gradio\n", "app.py": "import gradio\n"},
        ("env", "GRADIO_SERVER_NAME=0.0.0.0", "GRADIO_SERVER_PORT={port}", "python", "app.py"),
    ),
    ({"main.py": "print('hi')"}, ("python", "main.py")),
    ({"main.py": b"\xff\xfe\x00 not text \x80"}, ("python", "main.py")),
    ({"main.py": "#" * 300_000 + "\n" + FASTAPI}, ("python", "main.py")),
    ({"requirements.txt": "requests\n"}, ()),
]


@pytest.mark.parametrize(("files", "command"), PYTHON_COMMANDS)
def test_command_of_a_python_project(
    tmp_path: Path, files: Files, command: tuple[str, ...]
) -> None:
    assert detect(make(tmp_path, files), ProjectType.PYTHON).command == command


PRIVATE = "/.debughost/private.php"
BUILT_IN = ("php", "-S", "0.0.0.0:{port}")
PHP_COMMANDS: list[tuple[Files, tuple[str, ...]]] = [
    (
        {"artisan": "", "composer.json": {}, "public/index.php": ""},
        ("php", "artisan", "serve", "--host=0.0.0.0", "--port={port}", "--no-reload"),
    ),
    ({"public/index.php": "", "index.php": ""}, (*BUILT_IN, "-t", "public", PRIVATE)),
    ({"web/index.php": "", "composer.json": {}}, (*BUILT_IN, "-t", "web", PRIVATE)),
    (
        {"public/index.php": "<?php if (PHP_SAPI === 'cli-server') {}"},
        (
            "php",
            "-d",
            f"auto_prepend_file={PRIVATE}",
            *BUILT_IN[1:],
            "-t",
            "public",
            "public/index.php",
        ),
    ),
    ({"index.php": ""}, (*BUILT_IN, PRIVATE)),
    ({"composer.json": {}}, (*BUILT_IN, PRIVATE)),
]


@pytest.mark.parametrize(("files", "command"), PHP_COMMANDS)
def test_command_of_a_php_project(tmp_path: Path, files: Files, command: tuple[str, ...]) -> None:
    assert detect(make(tmp_path, files), ProjectType.PHP).command == command


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("index.html", ("serve-static",)),
        ("public/index.html", ("env", "DOCROOT=/app/public", "serve-static")),
        ("dist/index.html", ("env", "DOCROOT=/app/dist", "serve-static")),
    ],
)
def test_command_of_a_static_site(tmp_path: Path, name: str, command: tuple[str, ...]) -> None:
    assert detect(make(tmp_path, {name: ""})).command == command


ODD = {"dependencies": {"is-odd": "3"}}
INSTALLS: list[tuple[Files, str, tuple[str, ...], str]] = [
    ({"package.json": ODD}, "npm", ("package.json",), "run_npm install --no-package-lock"),
    (
        {"package.json": ODD, "package-lock.json": "{}"},
        "npm",
        ("package.json", "package-lock.json"),
        "run_npm ci",
    ),
    (
        {"package.json": ODD, "npm-shrinkwrap.json": "{}", ".npmrc": ""},
        "npm",
        ("package.json", "npm-shrinkwrap.json", ".npmrc"),
        "run_npm ci",
    ),
    (
        {"package.json": ODD, "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
        "pnpm",
        ("package.json", "pnpm-lock.yaml"),
        "pnpm install --frozen-lockfile ",
    ),
    (
        {"package.json": ODD, "pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
        "pnpm",
        ("package.json", "pnpm-lock.yaml"),
        "npm exec --yes --package=pnpm@8 -- pnpm install --frozen-lockfile ",
    ),
    (
        {"package.json": {**ODD, "packageManager": "pnpm@9.1.0"}},
        "pnpm",
        ("package.json",),
        "pnpm install --no-lockfile ",
    ),
    (
        {"package.json": ODD, "yarn.lock": "# yarn lockfile v1\n"},
        "yarn",
        ("package.json", "yarn.lock"),
        "yarn install --frozen-lockfile ",
    ),
    (
        {"package.json": {**ODD, "packageManager": "yarn@1.22.22"}},
        "yarn",
        ("package.json",),
        "yarn install --no-lockfile ",
    ),
    (
        {"package.json": ODD, "yarn.lock": BERRY_LOCK},
        "yarn",
        ("package.json", "yarn.lock"),
        "--package=@yarnpkg/cli-dist@4 -- yarn install --immutable",
    ),
    (
        {"package.json": {**ODD, "packageManager": "yarn@4.1.0"}},
        "npm",
        ("package.json",),
        "run_npm install --no-package-lock",
    ),
    (
        {
            "package.json": {**ODD, "packageManager": "npm@11.0.0"},
            "yarn.lock": "",
            "package-lock.json": "{}",
        },
        "npm",
        ("package.json", "package-lock.json"),
        "run_npm ci",
    ),
    (
        {"package.json": {"workspaces": ["packages/*"]}},
        "npm",
        ("package.json",),
        "run_npm install --no-package-lock",
    ),
    (
        {
            "requirements.txt": "-r requirements/base.txt\n-c ../out.txt\n-r $(id).txt\nflask\n",
            "requirements/base.txt": "requests\n",
            "main.py": "",
        },
        "pip",
        ("requirements.txt", "requirements/base.txt"),
        "pip install --disable-pip-version-check --no-input --progress-bar off "
        "-r requirements.txt\n",
    ),
    (
        {"pyproject.toml": '[project]\nname = "a"\ndependencies = []\n', "uv.lock": ""},
        "uv",
        ("pyproject.toml", "uv.lock"),
        "uv sync --frozen\n",
    ),
    (
        {
            "pyproject.toml": '[project]\nname = "a"\n[build-system]\nrequires = ["setuptools"]\n'
            'build-backend = "setuptools.build_meta"\n',
            "uv.lock": "",
        },
        "uv",
        ("pyproject.toml", "uv.lock"),
        "uv sync --frozen --no-install-project\n",
    ),
    (
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
            "uv.lock": "",
            "packages/core/pyproject.toml": '[project]\nname = "core"\n',
        },
        "uv",
        ("pyproject.toml", "uv.lock"),
        "uv sync --frozen --all-packages\n",
    ),
    (
        {
            "pyproject.toml": '[project]\nname = "a"\ndependencies = ["flask"]\n'
            '[dependency-groups]\ndev = ["pytest"]\n',
            "src/a/__init__.py": "",
        },
        "uv",
        ("pyproject.toml",),
        "-r pyproject.toml --group dev\n",
    ),
    (
        {
            "pyproject.toml": '[tool.poetry]\nname = "a"\n[build-system]\n'
            'build-backend = "poetry.core.masonry.api"\n',
            "poetry.lock": "",
        },
        "poetry",
        ("pyproject.toml", "poetry.lock"),
        "poetry install --only-root ",
    ),
    (
        {"pyproject.toml": '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\nflask = "*"\n'},
        "poetry",
        ("pyproject.toml",),
        'poetry --project="$copy" install --no-root ',
    ),
    (
        {
            "pyproject.toml": '[project]\nname = "a"\ndynamic = ["dependencies"]\n'
            '[tool.setuptools.dynamic]\ndependencies = {file = ["base.in", "no; rm -rf x"]}\n',
            "base.in": "flask\n",
            "no; rm -rf x": "flask\n",
        },
        "pip",
        ("base.in",),
        "off -r base.in\n",
    ),
    (
        {"composer.json": {"require": {"slim/slim": "^4"}}, "composer.lock": "{}"},
        "composer",
        ("composer.json", "composer.lock"),
        "composer install ",
    ),
    (
        {"composer.json": {"require": {"php": ">=8.1"}, "autoload": {"classmap": ["src"]}}},
        "composer",
        ("composer.json",),
        'export COMPOSER="$copy/composer.json"\ncomposer update ',
    ),
]


@pytest.mark.parametrize(("files", "manager", "watched", "line"), INSTALLS)
def test_install_of_dependencies(
    tmp_path: Path, files: Files, manager: str, watched: tuple[str, ...], line: str
) -> None:
    found = detect(make(tmp_path, files)).dependencies
    assert found is not None
    assert (found.manager, found.files) == (manager, watched)
    assert line in found.script
    subprocess.run(["sh", "-n"], input=found.script, text=True, check=True)


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": {"scripts": {"dev": "node ."}, "devDependencies": {}}},
        {"package.json": {"main": "x.js"}, "package-lock.json": "{}"},
        {"requirements.txt": "# nothing yet\n\n"},
        {"requirements.txt": "--index-url https://example.org/simple\n"},
        {"pyproject.toml": '[project]\nname = "a"\ndependencies = []\n'},
        {
            "pyproject.toml": '[tool.poetry]\nname = "a"\n'
            '[tool.poetry.dependencies]\npython = "^3"\n'
        },
        {"main.py": ""},
        {"composer.json": {"require": {"php": ">=8.1", "ext-json": "*"}}},
        {"composer.json": {"require": []}, "index.php": ""},
        {"index.php": ""},
        {"index.html": ""},
    ],
)
def test_no_install_where_nothing_is_required(tmp_path: Path, files: Files) -> None:
    assert detect(make(tmp_path, files)).dependencies is None


def test_an_install_outside_of_a_volume_changes_nothing(tmp_path: Path) -> None:
    workspace = make(tmp_path / "app", {"package.json": ODD, "node_modules/own.js": "keep"})
    script = script_of(detect(workspace).dependencies).replace("cd /app", f"cd {workspace}")
    ran = subprocess.run(["sh"], input=script, text=True, capture_output=True, check=False)
    assert ran.returncode == 1
    assert "not a volume" in ran.stderr
    assert (workspace / "node_modules/own.js").read_text() == "keep"


BROKEN: list[tuple[Files, str]] = [
    ({"package.json": "{"}, "package.json"),
    ({"package.json": b"\xff\xfe{\x00}\x00"}, "package.json"),
    ({"package.json": "[1, 2]"}, "package.json"),
    ({"package.json": "[" * 200_000}, "package.json"),
    ({"package.json": '{"a": ' + "1" * 5000 + "}"}, "package.json"),
    ({"package.json": " " * (4 * 1024 * 1024 + 1)}, "package.json"),
    ({"package.json": {"scripts": ["dev"]}}, "package.json: scripts"),
    ({"package.json": {"scripts": {"dev": 3000}}}, "package.json: scripts.dev"),
    ({"package.json": {"dependencies": "express"}}, "package.json: dependencies"),
    ({"package.json": {"main": ["index.js"]}}, "package.json: main"),
    ({"package.json": {"workspaces": "packages/*"}}, "package.json: workspaces"),
    ({"package.json": {"packageManager": 9}}, "package.json: packageManager"),
    ({"pyproject.toml": "[project\n"}, "pyproject.toml"),
    ({"pyproject.toml": "project = 1\n"}, "pyproject.toml: project"),
    ({"pyproject.toml": '[project]\ndependencies = "flask"\n'}, "project.dependencies"),
    ({"pyproject.toml": "[tool.poetry.group]\ndev = 1\n"}, "tool.poetry.group.dev"),
    ({"pyproject.toml": '[dependency-groups]\ndev = "x"\n'}, "dependency-groups.dev"),
    ({"pyproject.toml": '[dependency-groups]\ndev = ["flask !"]\n'}, "dependency-groups.dev"),
    ({"pyproject.toml": "[dependency-groups]\ndev = [1]\n"}, "dependency-groups.dev"),
    (
        {"pyproject.toml": '[dependency-groups]\ndev = [{include-group = "dev"}]\n'},
        "dependency-groups.dev",
    ),
    (
        {"pyproject.toml": '[dependency-groups]\ndev = [{include-group = "none"}]\n'},
        "dependency-groups.dev",
    ),
    ({"composer.json": {"require": "php"}}, "composer.json: require"),
]


@pytest.mark.parametrize(("files", "place"), BROKEN)
def test_a_broken_manifest_is_named(tmp_path: Path, files: Files, place: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        detect(make(tmp_path, files))
    assert place in caught.value.message
    assert caught.value.details["file"] in files


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("flask", {"flask": []}),
        ("Flask_Login>=1,<2", {"flask-login": []}),
        ("fastapi [Standard, all] == 0.115.*  # the server", {"fastapi": ["all", "standard"]}),
        ("flask==3.0 --hash=sha256:abc", {"flask": []}),
        ("flask==3.0 \\", {"flask": []}),
        ("flask @ git+https://example.org/flask.git", {"flask": []}),
        ("git+https://example.org/x.git#egg=flask[async]&subdirectory=y", {"flask": ["async"]}),
        ("flask; sys_platform == 'linux'", {"flask": []}),
        ("flask; sys_platform == 'win32'", {}),
        ("flask; extra == 'web'", {}),
        ("./local", {}),
        ("https://example.org/flask.tar.gz", {}),
        ("flask>=", {}),
        ("", {}),
    ],
)
def test_a_requirement_line(line: str, packages: dict[str, list[str]]) -> None:
    found = parse_requirements([line])
    assert {name: sorted(extras) for name, extras in found.items()} == packages


@given(st.text(max_size=40))
def test_any_requirement_line_is_parsed_or_left_out(line: str) -> None:
    assert len(parse_requirements([line, "flask"])) in (1, 2)


def test_dependency_groups_include_each_other(tmp_path: Path) -> None:
    groups = '[dependency-groups]\nWeb = ["flask"]\nDev = [{include-group = "web"}, "ruff"]\n'
    make(tmp_path, {"pyproject.toml": groups, "app.py": FLASK})
    found = detect(tmp_path)
    assert found.framework == "Flask"
    assert found.dependencies is not None
    assert "--group dev" in found.dependencies.script


def test_an_unreadable_manifest_is_named(tmp_path: Path) -> None:
    make(tmp_path, {"package.json": "{}"})
    (tmp_path / "package.json").chmod(0)
    # Root may read everything; without its capabilities the mode applies.
    drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    code = (
        "import sys; from pathlib import Path; from debughost_cli.project.detect import detect\n"
        "try: detect(Path(sys.argv[1]))\n"
        "except Exception as exc: print(type(exc).__name__, exc)"
    )
    run = [*drop, sys.executable, "-c", code, str(tmp_path)]
    answer = subprocess.run(run, check=True, capture_output=True, text=True)
    assert answer.stdout.startswith("InvalidConfig")
    assert "cannot be read" in answer.stdout


def test_byte_order_marks_are_understood(tmp_path: Path) -> None:
    make(tmp_path, {"package.json": b"\xef\xbb\xbf" + json.dumps(package("vite")).encode()})
    assert detect(tmp_path).framework == "Vite"
    make(tmp_path, {"requirements.txt": "flask\n".encode("utf-16"), "app.py": FLASK})
    dependencies = detect(tmp_path, ProjectType.PYTHON).dependencies
    assert dependencies is not None
    assert dependencies.manager == "pip"


def test_links_that_are_broken_in_a_container_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path, {"outside/package.json": "{}", "app/real.json": "{}"})
    app = tmp_path / "app"
    (app / "package.json").symlink_to("../outside/package.json")
    with pytest.raises(TypeUnknown):
        detect(app)
    (app / "package.json").unlink()
    (app / "package.json").symlink_to("real.json")
    assert detect(app).type == ProjectType.NODE


def test_manifest_lines_are_those_of_sha256sum(tmp_path: Path) -> None:
    assert shutil.which("sha256sum")
    files = ("package.json", "pnpm-lock.yaml", "requirements/base.txt", ".npmrc", "empty")
    make(tmp_path, {"package.json": ODD, "requirements/base.txt": "flask\r\n", "empty": ""})
    (tmp_path / ".npmrc").mkdir()
    loop = f'for f in {" ".join(files)}; do [ -f "$f" ] && sha256sum "$f"; done'
    ran = subprocess.run(["sh", "-c", loop], cwd=tmp_path, capture_output=True, check=False)
    lines = manifest_lines(tmp_path, Dependencies("npm", files, ""))
    assert lines == ran.stdout.decode()
    assert lines.count("\n") == 3


def test_detection_is_fast_in_a_crowded_workspace(tmp_path: Path) -> None:
    make(tmp_path, {"package.json": package("vite", **ODD), "requirements.txt": "numpy\n"})
    for number in range(300):
        make(tmp_path, {f"package{number}/main.py": "x = 1\n" * 100})
    detect(tmp_path)
    started = time.process_time()
    detect(tmp_path)
    assert time.process_time() - started < 0.1
