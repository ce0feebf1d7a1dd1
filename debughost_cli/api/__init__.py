"""The program as a library: ``DebugHost``, and the types that its methods take and return.

Each name is loaded on first use, with its module alone: a command loads no more than it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debughost_cli.api.beforehand import preload as preload
    from debughost_cli.api.engine_source import Connect as Connect
    from debughost_cli.api.host import DebugHost as DebugHost
    from debughost_cli.cancel import CancelToken as CancelToken
    from debughost_cli.engine.output_buffer import OutputBuffer as OutputBuffer
    from debughost_cli.engine.port import Engine as Engine
    from debughost_cli.engine.port import ExecResult as ExecResult
    from debughost_cli.engine.port import ExecSpec as ExecSpec
    from debughost_cli.planning.debug_config import DebugConfig as DebugConfig
    from debughost_cli.planning.events import ProjectEvent as ProjectEvent
    from debughost_cli.planning.log_options import LogOptions as LogOptions
    from debughost_cli.project.flags import Flags as Flags
    from debughost_cli.services.doctor import Check as Check
    from debughost_cli.services.engine_load import EngineState as EngineState
    from debughost_cli.services.exec import SHELL as SHELL
    from debughost_cli.services.exec import ExecRefused as ExecRefused
    from debughost_cli.services.exec import ProjectExec as ProjectExec
    from debughost_cli.services.forward import ForwardedPort as ForwardedPort
    from debughost_cli.services.forward import ForwardEvent as ForwardEvent
    from debughost_cli.services.forward import Forwarding as Forwarding
    from debughost_cli.services.logs import LogReading as LogReading
    from debughost_cli.services.one_off import OneOff as OneOff
    from debughost_cli.services.progress import NoticeGiven as NoticeGiven
    from debughost_cli.services.progress import NullProgress as NullProgress
    from debughost_cli.services.progress import Phase as Phase
    from debughost_cli.services.progress import PhaseEnded as PhaseEnded
    from debughost_cli.services.progress import PhaseKind as PhaseKind
    from debughost_cli.services.progress import PhaseOutput as PhaseOutput
    from debughost_cli.services.progress import Phases as Phases
    from debughost_cli.services.progress import PhaseStarted as PhaseStarted
    from debughost_cli.services.progress import Progress as Progress
    from debughost_cli.services.progress import ProgressEvent as ProgressEvent
    from debughost_cli.services.pull import PullResult as PullResult
    from debughost_cli.services.results import EngineReport as EngineReport
    from debughost_cli.services.results import ImagesResult as ImagesResult
    from debughost_cli.services.results import NetworkResult as NetworkResult
    from debughost_cli.services.results import ProjectResult as ProjectResult
    from debughost_cli.services.results import ProjectsResult as ProjectsResult
    from debughost_cli.services.results import VolumesResult as VolumesResult
    from debughost_cli.services.status import Snapshot as Snapshot
    from debughost_cli.services.sync import SyncEvent as SyncEvent
    from debughost_cli.services.sync import Syncing as Syncing

_MODULES = {
    "api.host": ("DebugHost",),
    "api.beforehand": ("preload",),
    "api.engine_source": ("Connect",),
    "cancel": ("CancelToken",),
    "engine.output_buffer": ("OutputBuffer",),
    "engine.port": ("Engine", "ExecResult", "ExecSpec"),
    "services.doctor": ("Check",),
    "planning.debug_config": ("DebugConfig",),
    "planning.events": ("ProjectEvent",),
    "services.engine_load": ("EngineState",),
    "services.exec": ("SHELL", "ExecRefused", "ProjectExec"),
    "planning.log_options": ("LogOptions",),
    "project.flags": ("Flags",),
    "services.forward": ("ForwardEvent", "ForwardedPort", "Forwarding"),
    "services.logs": ("LogReading",),
    "services.one_off": ("OneOff",),
    "services.progress": (
        "NoticeGiven", "NullProgress", "Phase", "PhaseEnded", "PhaseKind", "PhaseOutput", "Phases",
        "PhaseStarted", "Progress", "ProgressEvent",
    ),
    "services.pull": ("PullResult",),
    "services.results": (
        "EngineReport", "ImagesResult", "NetworkResult", "ProjectResult", "ProjectsResult",
        "VolumesResult",
    ),
    "services.status": ("Snapshot",),
    "services.sync": ("SyncEvent", "Syncing"),
}  # fmt: skip
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"debughost_cli.{_PLACES[name]}"), name)
