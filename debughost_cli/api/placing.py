"""``up --engine auto``: the engine for a project that is on none yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.api.across import having_workspace
from debughost_cli.api.engine_source import EngineSource
from debughost_cli.api.fleet import Answer, Fleet
from debughost_cli.errors import LimitReached
from debughost_cli.planning.placement import Candidate, Placement, place, why_none
from debughost_cli.services.engine_load import EngineLoad, load_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debughost_cli.engine.port import Engine
    from debughost_cli.project.engines import EngineEntry
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.services.progress import Progress


def choose_engine(
    fleet: Fleet,
    entries: Mapping[str, EngineEntry],
    resolved: ResolvedProject,
    progress: Progress,
) -> tuple[EngineSource, Placement]:
    """The engine that has the project, else that with most free memory.

    Raises WorkspaceConflict where two have it, LimitReached where all that answer are full, and
    the error of the engines where none answers.
    """
    known = having_workspace(fleet, resolved.project, Path(resolved.workspace))
    if known:
        return known, Placement(known.name, "the project is there already")

    def work(_: EngineSource, engine: Engine) -> EngineLoad:
        return load_of(engine)

    answers = {answer.source.name: answer for answer in fleet.ask(work)}
    candidates = [_candidate(a, entries[name].capacity) for name, a in answers.items()]
    needed = needed_memory(resolved)
    placement = place(candidates, needed)
    if placement is None:
        raise _none(answers, candidates)
    if not placement.fits:
        progress.warn(
            "MEMORY_SHORT",
            f"the limits of {resolved.project} are {needed / 1024**3:.1f} GiB, and "
            f"{placement.chosen} has less left; no engine has more",
        )
    return answers[placement.chosen].source, placement


def needed_memory(resolved: ResolvedProject) -> int:
    """The limits of the project and of its services together, in bytes."""
    settings = resolved.settings
    return settings.memory + sum(s.limits.memory_bytes for s in settings.services)


def _candidate(answer: Answer[EngineLoad], capacity: int | None) -> Candidate:
    load = answer.value
    if load is None:
        message = answer.error.message if answer.error else ""
        return Candidate(answer.source.name, message or "no answer", capacity=capacity)
    return Candidate(
        answer.source.name, "", load.memory_bytes, load.free_bytes, load.running, capacity
    )


def _none(answers: Mapping[str, Answer[EngineLoad]], candidates: list[Candidate]) -> Exception:
    errors = [a.error for a in answers.values() if a.error]
    if len(errors) == len(answers):
        return errors[0]
    why = {c.name: why_none(c) for c in candidates}
    return LimitReached(
        "no engine can take another project: "
        + "; ".join(f"{name}: {text}" for name, text in why.items()),
        hint="Stop a project there, raise 'capacity' in your own file, or name an engine",
        details={"engines": why},
    )
