"""What an editor needs to debug a project: pure text, from where its debugger is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from debughost_cli.models import ProjectType
from debughost_cli.names import WORKDIR

_HOST = "127.0.0.1"
_FOLDER = "${workspaceFolder}"


class Editor(StrEnum):
    """The editors that a configuration can be made for."""

    VSCODE = "vscode"
    JETBRAINS = "jetbrains"
    NEOVIM = "neovim"


class DebugTarget(Struct, frozen=True):
    """A project's debugger. ``port``: of 127.0.0.1; for PHP, where the editor has to listen."""

    project: str
    type: ProjectType
    port: int
    workspace: str
    url: str = ""

    @property
    def connects(self) -> bool:
        """Whether the debugger connects to the editor, and not the editor to it."""
        return self.type is ProjectType.PHP

    @property
    def name(self) -> str:
        """What the configuration is called."""
        return f"{self.project} (debughost)"


class DebugConfig(Struct, frozen=True):
    """A configuration. ``file``: where it belongs, relative to the workspace or home folder.

    ``request``: ``attach``, or ``listen`` where the debugger connects to the editor.
    """

    editor: Editor
    project: str
    type: ProjectType
    request: str
    host: str
    port: int
    local_root: str
    remote_root: str
    file: str
    content: str


def make_debug_config(editor: Editor, target: DebugTarget) -> DebugConfig:
    """The configuration for one editor."""
    file, content = _EDITORS[editor](target)
    return DebugConfig(
        editor=editor,
        project=target.project,
        type=target.type,
        request="listen" if target.connects else "attach",
        host=_HOST,
        port=target.port,
        local_root=target.workspace,
        remote_root=WORKDIR,
        file=file,
        content=content,
    )


def _vscode(target: DebugTarget) -> tuple[str, str]:
    mapping = {"localRoot": _FOLDER, "remoteRoot": WORKDIR}
    settings: dict[ProjectType, dict[str, object]] = {
        ProjectType.NODE: {
            "type": "node", "request": "attach", "address": _HOST, "port": target.port,
            **mapping, "restart": True, "skipFiles": ["<node_internals>/**"],
        },
        ProjectType.PYTHON: {
            "type": "debugpy", "request": "attach",
            "connect": {"host": _HOST, "port": target.port}, "pathMappings": [mapping],
        },
        ProjectType.PHP: {
            "type": "php", "request": "launch", "hostname": "0.0.0.0", "port": target.port,
            "pathMappings": {WORKDIR: _FOLDER},
        },
    }  # fmt: skip
    configuration = {"name": target.name, **settings[target.type]}
    launch = {"version": "0.2.0", "configurations": [configuration]}
    return ".vscode/launch.json", json.dumps(launch, indent=2)


def _jetbrains(target: DebugTarget) -> tuple[str, str]:
    if target.type is ProjectType.NODE:
        return (
            f".run/{target.project}.run.xml",
            f"""\
<component name="ProjectRunConfigurationManager">
  <configuration default="false" name={quoteattr(target.name)} type="ChromiumRemoteDebugType"
      factoryName="Chromium Remote" host="{_HOST}" port="{target.port}" restartOnDisconnect="true">
    <mapping url="file://{WORKDIR}" local-file="$PROJECT_DIR$" />
    <method v="2" />
  </configuration>
</component>""",
        )
    if target.type is ProjectType.PYTHON:
        return (
            "",
            f"""\
Run | Edit Configurations | + | Attach to DAP (debugpy)
  Name:           {target.name}
  Host:           {_HOST}
  Port:           {target.port}
  Path mapping:   {target.workspace} = {WORKDIR}""",
        )
    return (
        ".idea/php.xml",
        f"""\
<component name="PhpProjectServersManager">
  <servers>
    <server host="{_HOST}" id="debughost-{target.project}" name="{target.project}"
        port="{target.url.rpartition(":")[2]}" use_path_mappings="true">
      <path_mappings>
        <mapping local-root="$PROJECT_DIR$" remote-root="{WORKDIR}" />
      </path_mappings>
    </server>
  </servers>
</component>""",
    )


def _neovim(target: DebugTarget) -> tuple[str, str]:
    mapping = f'localRoot = "{_FOLDER}", remoteRoot = "{WORKDIR}"'
    languages, settings = {
        ProjectType.NODE: (
            '"javascript", "typescript"',
            f'type = "pwa-node", request = "attach", address = "{_HOST}", port = {target.port},\n'
            f"    {mapping}, restart = true,",
        ),
        ProjectType.PYTHON: (
            '"python"',
            f'type = "python", request = "attach",\n'
            f'    connect = {{ host = "{_HOST}", port = {target.port} }},\n'
            f"    pathMappings = {{ {{ {mapping} }} }},",
        ),
        ProjectType.PHP: (
            '"php"',
            f'type = "php", request = "launch", hostname = "0.0.0.0", port = {target.port},\n'
            f'    pathMappings = {{ ["{WORKDIR}"] = "{_FOLDER}" }},',
        ),
    }[target.type]
    return (
        ".nvim.lua",
        f"""\
local dap = require("dap")
for _, language in ipairs({{ {languages} }}) do
  dap.configurations[language] = dap.configurations[language] or {{}}
  table.insert(dap.configurations[language], {{
    name = "{target.name}",
    {settings}
  }})
end""",
    )


_EDITORS: Mapping[Editor, Callable[[DebugTarget], tuple[str, str]]] = {
    Editor.VSCODE: _vscode,
    Editor.JETBRAINS: _jetbrains,
    Editor.NEOVIM: _neovim,
}
