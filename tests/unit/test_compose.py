"""What of a compose file becomes settings, and what is said of the rest."""

from __future__ import annotations

import time

import pytest

from debughost_cli.project.compose import translate
from debughost_cli.project.translation import Translation
from debughost_cli.project.yaml_file import parse_yaml


def translated(text: str, *files: str) -> Translation:
    return translate(parse_yaml(text), lambda name: name in files)


AWESOME = """\
services:
  web:
    build: .
    command: python manage.py runserver 0.0.0.0:8000
    volumes:
      - .:/code
    ports:
      - "8000:8000"
    environment:
      - POSTGRES_NAME=postgres
      - DATABASE_URL=postgres://postgres:${DB_PASSWORD:-example}@db:5432/postgres
    depends_on:
      db: {condition: service_healthy}
  db:
    image: postgres:${PG:-16}
    restart: always
    environment:
      POSTGRES_DB: postgres
      POSTGRES_PASSWORD: ${DB_PASSWORD:-example}
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U postgres"]
    volumes:
      - ./data/db:/var/lib/postgresql/data
volumes:
  data:
"""


def test_a_program_with_its_database() -> None:
    found = translated(AWESOME)
    assert found.settings == {
        "command": "python manage.py runserver 0.0.0.0:8000",
        "port": 8000,
        "env": {
            "POSTGRES_NAME": "postgres",
            "DATABASE_URL": "postgres://postgres:example@db:5432/postgres",
        },
    }
    assert found.services == {
        "db": {
            "image": "postgres:16",
            "env": {"POSTGRES_DB": "postgres", "POSTGRES_PASSWORD": "example"},
        }
    }
    assert found.notes == ("db: volume ./data/db:/var/lib/postgresql/data is not mounted",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: redis:7\nports: ['6379:6379']", {"image": "redis:7", "publish": "6379:6379"}),
        ("image: redis\ncommand: redis-server --save 60 1", {"image": "redis",
         "command": "redis-server --save 60 1"}),
        ("image: redis\ncommand: [redis-server, --save, '60 1']", {"image": "redis",
         "command": ["redis-server", "--save", "60 1"]}),
        ("image: axllent/mailpit\nports: ['127.0.0.1:8025:8025/tcp']",
         {"image": "axllent/mailpit", "publish": "8025:8025"}),
        ("image: mysql:8\nmem_limit: 512m\ncpus: 0.5", {"image": "mysql:8", "memory": "512m",
         "cpus": "0.5"}),
        ("image: mysql:8\ndeploy: {resources: {limits: {memory: 1g, cpus: '1.5'}}}",
         {"image": "mysql:8", "memory": "1g", "cpus": "1.5"}),
        ("image: typesense/typesense:27\nports: [{target: 8108, published: 8109}]\n"
         "volumes: ['data:/data']\nhealthcheck: {test: [CMD, curl, localhost:8108]}",
         {"image": "typesense/typesense:27", "publish": "8109:8108", "port": "8108",
          "volume": "/data", "ready": ["curl", "localhost:8108"]}),
        ("image: getmeili/meilisearch\nvolumes: [{type: volume, source: m, target: /meili}]\n"
         "healthcheck: {test: 'curl -f localhost:$$PORT'}", {"image": "getmeili/meilisearch",
         "volume": "/meili", "ready": "curl -f localhost:$PORT"}),
        ("image: elastic/es:8\nhealthcheck: {test: [NONE]}\nenvironment: {A: 1, B: true, C: ''}",
         {"image": "elastic/es:8", "env": {"A": "1", "B": "true", "C": ""}}),
    ],
)  # fmt: skip
def test_a_service(text: str, expected: dict[str, object]) -> None:
    indented = text.replace("\n", "\n    ")
    found = translated(f"services:\n  web:\n    build: .\n  x:\n    {indented}\n")
    assert found.services == {"x": expected}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("image: a\nenvironment: {SECRET: '${TOKEN}'}", "SECRET is left out: $TOKEN has no"),
        ("image: a\nenvironment: [HOME]", "HOME is left out: it would be taken from the host"),
        ("image: a\nenvironment: {HOME: }", "HOME is left out: it would be taken from the host"),
        ("image: a\nvolumes: ['/etc:/host']", "volume /etc:/host is not mounted"),
        ("image: a\nvolumes: ['~/.ssh:/keys']", "volume ~/.ssh:/keys is not mounted"),
        ("image: a\nvolumes: [{type: bind, source: x, target: /y}]", "volume x:/y is not mounted"),
        ("image: a\nprivileged: true", "privileged is not translated"),
        ("image: a\nnetwork_mode: host", "network_mode is not translated"),
        ("image: a\nentrypoint: sh", "entrypoint is not translated"),
        ("image: a\nports: ['3000-3005:3000-3005']", "port 3000-3005:3000-3005 is not translated"),
        ("image: a\nports: ['53:53/udp']", "port 53:53/udp is not translated"),
        ("image: redis\nports: ['8001:1', '8002:2']", "port 8002:2 is not published"),
        ("image: a\nmem_limit: lots", "memory is left out"),
        ("build: ./other", "is left out: it is built from files"),
        ("command: x", "is left out: it has no image"),
        ("image: a\nports: ['80:80']", "is left out"),
        ("image: '${IMAGE}'", "image is left out"),
    ],
)  # fmt: skip
def test_what_is_not_translated_is_said(text: str, note: str) -> None:
    indented = text.replace("\n", "\n    ")
    found = translated(f"services:\n  web:\n    build: .\n  x:\n    {indented}\n")
    assert any(n.startswith(f"x: {note}") for n in found.notes), found.notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("build: .\nports: ['8080:80']", {"port": 8080}),
        ("build: {context: .}\nports: [3000, '9229:9229']",
         {"port": 3000, "ports": {"port-9229": "9229:9229"}}),
        ("build: .\nenv_file: [.env, ./other.env]", {"env_file": [".env"]}),
        ("image: node:22\nvolumes: ['./:/usr/src/app', '/usr/src/app/node_modules']\n"
         "command: npm run dev", {"image": "node:22", "command": "npm run dev"}),
    ],
)  # fmt: skip
def test_the_program(text: str, expected: dict[str, object]) -> None:
    indented = text.replace("\n", "\n    ")
    found = translated(f"services:\n  app:\n    {indented}\n  db:\n    image: redis\n", ".env")
    assert found.settings == expected
    assert list(found.services) == ["db"]


def test_of_several_programs_the_one_with_a_port_is_run() -> None:
    text = "services:\n  worker: {build: .}\n  web: {build: ., ports: ['5001:5001']}\n"
    found = translated(text)
    assert found.settings == {"port": 5001}
    assert found.notes[0].startswith("worker: is left out: it is built from files")


def test_merges_and_anchors_are_followed() -> None:
    text = (
        "x-a: &a {environment: {A: '1'}, image: redis}\nservices:\n  one:\n    <<: *a\n"
        "  two:\n    <<: [*a]\n    image: valkey/valkey\n"
    )
    found = translated(text)
    assert found.services["one"] == {"image": "redis", "env": {"A": "1"}}
    assert found.services["two"] == {"image": "valkey/valkey", "env": {"A": "1"}}


LEVELS = 30
LAUGHS = "l0: &l0 [x, x]\n" + "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, LEVELS)
)
MERGES = "m0: &m0 {a: b}\n" + "".join(
    f"m{n}: &m{n} {{k{n}: x, <<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, LEVELS)
)
WIDE = (
    "w: &w {" + ", ".join(f"k{n}: x" for n in range(3000)) + "}\n"
    "v: {<<: [" + ", ".join(["*w"] * 3000) + "]}\n"
)


@pytest.mark.parametrize(
    "table",
    [
        "{image: redis, environment: *l29}", "{image: redis, command: *l29}",
        "{image: redis, volumes: *l29, ports: *l29}", "{image: *l29, build: *l29}",
        "{image: x, healthcheck: {test: *l29}, mem_limit: *l29, env_file: *l29}",
    ],
)  # fmt: skip
def test_aliases_of_aliases_take_no_time(table: str) -> None:
    began = time.process_time()
    translated(f"{LAUGHS}services:\n  x: {table}\n  y: {{build: ., <<: {table}}}\n")
    assert time.process_time() - began < 5


def test_merges_of_merges_take_no_time() -> None:
    began = time.process_time()
    assert translated(f"{MERGES}services:\n  x: {{image: redis}}\n").services
    with pytest.raises(ValueError, match="merges"):
        translated(f"{WIDE}services:\n  x: {{image: redis}}\n")
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "text",
    [
        "", "a: b", "services: [a]", "[]", "services: {a: ", "a: &a [*a]", "? [a]\n: b", "\t",
        "[" * 5000, "services: !!python/object/apply:os.system [ls]", "a: *b", "- a\n---\n- b",
    ],
)  # fmt: skip
def test_what_is_no_compose_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        translated(text)


def test_no_type_of_python_is_made() -> None:
    text = "services:\n  x:\n    image: !!python/name:os.system redis\n    ports: [22:22]\n"
    assert translated(text).services == {} or translated(text).notes
