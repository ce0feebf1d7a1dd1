"""Text of others that wants to be more than text: to a shell, to JSON, to a table."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from .harness import UPLOADED, Eye, Program, body, eventually, write
from .terminals import at_terminal, is_tame
from .workspaces import PAGE

pytestmark = pytest.mark.once  # text is escaped whatever the engine

ODD = {
    "spaces": " a  b ",
    "quotes": 'it\'s "quoted" `and` \\escaped\\',
    "substitution": "$(touch PWNED) ${HOME} `touch PWNED`; touch PWNED & | > PWNED #",
    "lines": "one\ntwo\r\nthree\n",
    "unicode": "zwölf 文 Ω e\u0301 \u202egnp.exe \u200b \ufeff",
    "emoji": "🏴‍☠️👩‍💻",
    "long": "x" * 10_000,
    "escapes": "\x1b[2J\x1b]0;pwned\x07\x9b31m\x08\t\x7f",
    "json": '"}],"ok":true,"error":null}\\',
    "markup": "[bold red]x[/] :smile: {0} %s %(a)s",
    "option": "--privileged",
    "empty": "",
}
SHOW = "import json,os,sys; print(json.dumps([sys.argv[1:], dict(os.environ)]), flush=True)"
SERVE = ";os.execvp('python3',['python3','-m','http.server',os.environ['PORT']])"


def no_trace(*folders: Path) -> bool:
    return not [
        p for f in (*folders, Path.cwd()) for p in f.rglob("PWNED") if ".git" not in p.parts
    ]


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_ids(run: Program, tmp_path: Path, text: str) -> None:
    folder = write(tmp_path / "site", PAGE)
    for command in (("up", "-w", folder), ("status",), ("exec",)):
        more = ("--", "true") if command == ("exec",) else ()
        args = (*command, f"--project={text}", *more)
        failed = run(*args[:1], "--json", *args[1:], check=2)
        assert failed.error["code"] == "INVALID_PROJECT"
        assert len(failed.error["message"]) < 400
        plain = run(*args, check=2)
        assert is_tame(plain.stderr)
        assert len(plain.err.splitlines()) <= 2
    assert no_trace(tmp_path)


@pytest.fixture
def image(run: Program) -> str:
    """The image with Python in it."""
    images = {i["type"]: i["ref"] for i in run("images", "ls", "--json").data["images"]}
    return images["python"]


def reported(eye: Eye, project: str) -> list[Any]:
    """What the program in the container got: its words and its environment."""
    return eventually(lambda: next((json.loads(line) for line in eye.logs(project).splitlines()
                                    if line.startswith("[[")), None))  # fmt: skip


def test_values_of_variables_and_words_of_commands_arrive_as_they_are(
    run: Program, eye: Eye, project: str, tmp_path: Path, image: str
) -> None:
    folder = write(tmp_path / "site", PAGE)
    pairs = [w for name, text in ODD.items() for w in ("-e", f"{name.upper()}={text}")]
    (folder / "debughost.toml").write_text(
        "[env]\n" + "".join(f"FILE_{k.upper()} = {json.dumps(v, ensure_ascii=True)}\n"
                            for k, v in ODD.items() if k not in ("emoji", "escapes"))
    )  # fmt: skip
    up = ("up", "-p", project, "-w", str(folder), "--image", image)
    args = (*up, "--type", "static", *pairs)
    command = ("--", "python3", "-c", SHOW + SERVE, *ODD.values())
    made = run(*args, "--json", *command).project
    assert made["command"][-len(ODD) :] == list(ODD.values())
    words, env = reported(eye, project)
    assert words == list(ODD.values())
    for name, text in ODD.items():
        assert env[name.upper()] == text
        assert env.get(f"FILE_{name.upper()}", text) == text
    assert run(*args, "--json", *command).project["action"] == "unchanged"
    assert run("restart", "-p", project, "--json").project["command"] == made["command"]
    assert reported(eye, project)[0] == words
    given = run("exec", "-p", project, *pairs, "--", "python3", "-c", SHOW, *ODD.values())
    words, env = json.loads(given.out)
    assert words == list(ODD.values())
    assert {k: env[k.upper()] for k in ODD} == ODD
    assert is_tame(at_terminal(run, "status", "-p", project))
    assert no_trace(tmp_path)


NAMES = {
    "shell": ' it\'s a "quoted" $(touch PWNED) `touch PWNED`; touch PWNED & | > PWNED # ',
    "terminal": "one\ntwo\r\x1b[2J\x1b]0;pwned\x07\t",
    "unicode": ODD["unicode"] + ODD["emoji"],
    "json": '-w "}],"ok":true,a:b,c;d=e:ro',
    "long": "x" * 250,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_paths_of_workspaces(
    run: Program, eye: Eye, project: str, tmp_path: Path, name: str
) -> None:
    folder = write(tmp_path / name.replace("/", "-"), PAGE)
    made = run("up", "-p", project, "-w", folder, "--json")
    assert made.project["workspace"] == str(folder)
    assert "hello" in body(made.project["url"])
    shown = run("status", "-p", project)
    # The heading, the project, and where its port is unless here.
    assert len(shown.out.splitlines()) == 2 + len(UPLOADED)
    stopped = run("stop", "-p", project, "-t", "1", "--json")
    words = shlex.split(stopped.document["next"][0])
    assert words[0] == "debughost"
    assert run(*words[1:], "--json").project["action"] == "started"
    for words in (["config", "show"], ["config", "validate"], ["init"], ["config", "validate"]):
        reported = run(*words, f"--workspace={folder}")
        assert is_tame(reported.stdout)
        assert len(reported.out.splitlines()) == 1 or "show" in words
    other = write(tmp_path / "other", PAGE)
    failed = run("up", "-p", project, "-w", other, check=5)
    assert is_tame(failed.stderr)
    assert len(failed.err.splitlines()) == 2 or "\n  " in failed.err
    assert no_trace(tmp_path)


def test_a_path_of_many_folders(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path.joinpath(*["d" * 200] * 12), PAGE)
    made = run("up", "-p", project, "-w", folder, "--json")
    assert "hello" in body(made.project["url"])
    deepest = tmp_path / ("d" * 200 + "/") / ("x" * 10_000)
    assert run("up", "-p", project, "-w", deepest, "--json", check=2).error["code"] == (
        "INVALID_WORKSPACE"
    )


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_names_of_images(run: Program, eye: Eye, project: str, tmp_path: Path, text: str) -> None:
    folder = write(tmp_path / "site", PAGE)
    args = ("up", "-p", project, "-w", folder, f"--image={text}", "--pull=never")
    failed = run(*args, "--json", check=False)
    assert (failed.code, failed.error["code"]) in (
        (2, "USAGE"), (3, "IMAGE_NOT_FOUND"),
    ), failed  # fmt: skip
    assert is_tame(run(*args, check=failed.code).stderr)
    assert eye.everything(project) == ([], [])
    assert no_trace(tmp_path)
