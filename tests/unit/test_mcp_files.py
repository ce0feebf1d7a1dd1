"""The files of MCP clients: what is written into them, and that all else stays."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from debughost_cli.cli.mcp_server.clients import clients, install
from debughost_cli.cli.mcp_server.folders import Folders
from debughost_cli.cli.mcp_server.json_text import parse, with_member
from debughost_cli.errors import InvalidConfig, InvalidWorkspace

ENTRY = {"command": "debughost", "args": ["mcp"]}
PATH = ("servers", "debughost")

WITH_COMMENTS = """\
{
  // mine
  "inputs": [{"id": "a", "x": "} // no comment"}],
  "servers": {
    /* another
       one */
    "other": {"command": "x", "args": ["/*", "*/", "//"]}, // end
  },
}
"""


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "{}", "{\n}\n", '{"a": 1}', '{"servers": {}}', "{ // c\n}", WITH_COMMENTS,
        '{"servers": {"debughost": {"command": "old"}, "b": 1}}',
        '{"servers": {"debughost": 3}}', '\r\n{\r\n\t"servers": {\r\n\t}\r\n}\r\n',
        '{"x": "a\\"b", "servers": {"é": {}}}',
    ],
)  # fmt: skip
def test_a_member_is_set_and_all_else_stays(text: str) -> None:
    made = with_member(text, PATH, ENTRY)
    before: Any = parse(text)
    servers = before.get("servers", {}) | {"debughost": ENTRY}
    assert parse(made) == before | {"servers": servers}
    assert with_member(made, PATH, ENTRY) == made
    for comment in ("// mine", "/* another\n       one */", "// end", "// c"):
        assert (comment in made) == (comment in text)


def test_what_a_user_added_to_our_entry_stays() -> None:
    text = '{"servers": {"debughost": {"command": "x", "env": {"DEBUGHOST_HOST": "tcp://a:1"}}}}'
    made = parse(with_member(text, PATH, ENTRY))["servers"]
    assert made == {"debughost": ENTRY | {"env": {"DEBUGHOST_HOST": "tcp://a:1"}}}


@pytest.mark.parametrize(
    "text", ["[]", '{"a":', "{'a': 1}", '{"servers": []}', '{"servers": {} "b": 1}', "{} x", "{/*"]
)
def test_a_broken_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        with_member(text, PATH, ENTRY)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("client", "file", "key"),
    [
        ("claude", ".mcp.json", "mcpServers"),
        ("cursor", ".cursor/mcp.json", "mcpServers"),
        ("vscode", ".vscode/mcp.json", "servers"),
    ],
)
def test_the_file_of_a_project(project: Path, client: str, file: str, key: str) -> None:
    chosen = clients({})[client]
    assert install(chosen, project) == (project / file, True)
    found = json.loads((project / file).read_text())
    assert list(found) == [key]
    assert found[key]["debughost"]["args"][-1] == "mcp"
    assert install(chosen, project) == (project / file, False)
    assert json.loads(chosen.snippet()) == found


def test_codex_has_one_file_for_all_projects(project: Path, tmp_path: Path) -> None:
    chosen = clients({"CODEX_HOME": str(tmp_path / "codex")})["codex"]
    file = tmp_path / "codex" / "config.toml"
    file.parent.mkdir()
    before = '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "a" # why\n\n[tui]\nx = 1\n'
    file.write_text(before)
    file.chmod(0o600)
    assert install(chosen, project) == (file, True)
    after = file.read_text()
    assert after.startswith(before)
    assert tomllib.loads(after)["mcp_servers"]["debughost"]["args"][-1] == "mcp"
    assert file.stat().st_mode & 0o777 == 0o600
    assert install(chosen, project) == (file, False)
    assert file.read_text() == after


@pytest.mark.parametrize(("client", "text"), [("claude", '{"mcpServers": '), ("codex", "[mcp")])
def test_a_broken_file_is_an_error_and_stays(
    project: Path, tmp_path: Path, client: str, text: str
) -> None:
    chosen = clients({"CODEX_HOME": str(tmp_path)})[client]
    file = project / chosen.file
    file.write_text(text)
    with pytest.raises(InvalidConfig) as failed:
        install(chosen, project)
    assert str(file) in failed.value.message
    assert "--print" in failed.value.hint
    assert file.read_text() == text


def test_a_link_of_a_repository_leads_nowhere_else(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "settings.json"
    other.write_text("{}")
    (project / ".mcp.json").symlink_to(other)
    (project / ".vscode").symlink_to(tmp_path)
    for client in ("claude", "vscode"):
        with pytest.raises(InvalidConfig, match="leads out of the project"):
            install(clients({})[client], project)
    assert other.read_text() == "{}"
    assert not (tmp_path / "mcp.json").exists()


def test_a_file_of_the_user_may_be_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "codex").mkdir()
    kept = tmp_path / "dotfiles" / "codex.toml"
    kept.write_text("")
    (tmp_path / "codex" / "config.toml").symlink_to(kept)
    install(clients({"CODEX_HOME": str(tmp_path / "codex")})["codex"], project)
    assert "mcp_servers" in kept.read_text()
    assert (tmp_path / "codex" / "config.toml").is_symlink()


def test_where_nothing_can_be_written(project: Path) -> None:
    (project / ".cursor").write_text("a file")
    with pytest.raises((InvalidWorkspace, InvalidConfig), match=r"\.cursor"):
        install(clients({})["cursor"], project)


class TestFolders:
    def test_the_folder_of_the_server_is_the_default(self, project: Path) -> None:
        folders = Folders(project, [])
        assert folders.choose(None) == project.resolve()
        assert folders.choose("sub/folder") == project.resolve() / "sub/folder"

    def test_a_program_of_the_desktop_starts_nowhere(self, project: Path) -> None:
        with pytest.raises(InvalidWorkspace, match="given no folder"):
            Folders(Path("/"), []).choose(str(project))
        assert Folders(Path("/"), []).choose(None, is_needed=False) is None
        folders = Folders(Path("/"), [project])
        assert folders.choose(None) == project.resolve()

    def test_where_it_was_started_comes_before_what_was_named(
        self, project: Path, tmp_path: Path
    ) -> None:
        folders = Folders(project, [tmp_path])
        assert folders.choose(None) == project.resolve()
        assert folders.choose("../other") == tmp_path.resolve() / "other"

    def test_roots_of_the_client(self, project: Path, tmp_path: Path) -> None:
        opened = tmp_path / "a folder é"
        opened.mkdir()
        folders = Folders(project, [])
        folders.open_in_client(
            ["https://example.org/", "file://elsewhere/x", f"file://{quote(str(opened))}"]
        )
        # The server was started somewhere else: the client's folder counts.
        assert folders.choose(None) == opened.resolve()
        assert folders.choose(str(project)) == project.resolve()
        folders.open_in_client([tmp_path.as_uri()])
        assert folders.choose(None) == project.resolve()
        folders.open_in_client([])
        assert folders.choose(None) == project.resolve()

    @pytest.mark.parametrize("given", ["..", "/etc", "../shop-2", "a/../../x"])
    def test_what_is_outside(self, project: Path, given: str) -> None:
        with pytest.raises(InvalidWorkspace, match="outside of the folders"):
            Folders(project, []).choose(given)
