"""``config show``, ``config validate`` and ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from debughost_cli.characters import clean_all
from debughost_cli.cli.options import TYPES, Workspace, command, group
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage
from debughost_cli.project.companions import CompanionSettings
from debughost_cli.project.config_edit import to_toml
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.settings import Settings, Source
from debughost_cli.render import human
from debughost_cli.render.streams import inline
from debughost_cli.render.text import size
from debughost_cli.specs import Limits


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("init")(command(init))
    made = group(app, "config", "The configuration of the project in a folder.")
    made.command("show")(command(show))
    made.command("validate")(command(validate))
    made.command("set")(command(set_))


def show(session: Session, workspace: Workspace = None) -> Output:
    """Show the configuration in force, each value with where it came from."""
    resolved = session.host.config.show(workspace)
    rows = _rows(resolved)
    version, place = session.host.config.runtime(resolved)
    if version and not resolved.settings.runtime:
        rows = sorted([*rows, ("runtime", version, place or Source.DEFAULT.value)])
    return Output(
        data={
            "file": str(resolved.settings.file) if resolved.settings.file else None,
            "workspace": str(resolved.workspace),
            "settings": [{"name": n, "value": clean_all(v), "source": s} for n, v, s in rows],
        },
        show=lambda: human.table(
            session.streams,
            ("SETTING", "VALUE", "SOURCE"),
            [(name, _shown(name, value), source) for name, value, source in rows],
        ),
    )


def _rows(resolved: ResolvedProject) -> list[tuple[str, object, str]]:
    """Values of variables stay secret: only their names are shown."""
    settings, found = resolved.settings, resolved.detection
    given = {
        name: (_plain(_value(settings, name)), source)
        for name, source in settings.sources.items()
        if name not in ("env", "env_file", "ports", "hooks", "services")
    }
    hooks = {f"hooks.{name}": (text, Source.FILE) for name, text in settings.hooks.items()}
    detected: dict[str, tuple[object, Source]] = {
        "type": (found.type.value, Source.DETECTED),
        "command": (list(resolved.command or found.command), Source.DETECTED),
        "framework": (found.framework, Source.DETECTED),
    }
    if not found.framework:  # Nothing was recognised.
        detected = {}
    detected["project"] = (resolved.project, Source.WORKSPACE)
    limits = {f"limits.{k}": (n, Source.USER) for k, n in settings.project_limits.items()}
    env = {f"env.{name}": ("(set)", Source.FILE) for name in resolved.environment}
    services = {
        f"services.{service.name}.{key}": (value, settings.sources["services"])
        for service in settings.services
        for key, value in _service_facts(service).items()
    }
    rows = detected | given | limits | hooks | env | services
    return [(name, value, source.value) for name, (value, source) in sorted(rows.items())]


def _value(settings: Settings, name: str) -> object:
    """Ports have a source each."""
    table, _, port = name.partition(".")
    return settings.ports.get(port) if table == "ports" else getattr(settings, name)


def _service_facts(service: CompanionSettings) -> dict[str, object]:
    """What was set of a service; of variables the names."""
    publish, limits, usual = service.publish, service.limits, Limits()
    facts = {
        "image": service.image,
        "port": service.port,
        "volume": service.volume,
        "ready": list(service.ready),
        "command": list(service.command),
        "publish": publish.host_port if publish else None,
        "memory": limits.memory_bytes if limits.memory_bytes != usual.memory_bytes else None,
        "cpus": limits.cpus if limits.cpus != usual.cpus else None,
        "pids": limits.pids if limits.pids != usual.pids else None,
        "shm_size": limits.shm_bytes,
        **{f"env.{name}": "(set)" for name in service.env},
    }
    return {key: value for key, value in facts.items() if value}


def _plain(value: object) -> object:
    """As JSON has it."""
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _shown(name: str, value: object) -> str:
    """For people: as ``debughost.toml`` has it, sizes in units."""
    if value is None or isinstance(value, str):
        return value or ""
    if name.rpartition(".")[2] in ("memory", "shm_size") and isinstance(value, int):
        return size(value)
    whole = isinstance(value, float) and value.is_integer()
    return to_toml(int(value) if whole else value)  # type: ignore[call-overload]


def validate(session: Session, workspace: Workspace = None) -> Output:
    """Check the configuration; exit code 2 with a list of everything that is wrong in it."""
    resolved = session.host.config.validate(workspace)
    file, group_file = resolved.settings.file, session.host.config.group_file(workspace)
    files = dict.fromkeys(f for f in (file, group_file) if f)
    lines = [f"{f} is valid" for f in files]
    lines = lines or [f"{resolved.workspace} has no configuration file"]
    data = {
        "file": str(file) if file else None,
        "group_file": str(group_file) if group_file else None,
        "valid": True,
    }
    return Output(
        data=data, show=lambda: session.streams.out("\n".join(inline(line) for line in lines))
    )


def set_(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The setting, or env.NAME.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value.")],
    workspace: Workspace = None,
) -> Output:
    """Write a setting into debughost.toml; comments and all else in it stay."""
    done = session.host.config.set(key, value, workspace)
    return Output(
        data={"file": str(done.file), "key": done.key, "value": clean_all(done.value)},
        changed=done.changed,
        show=lambda: session.streams.out(inline(f"{done.key} is set in {done.file}")),
        next=["debughost up"] if done.changed else (),
    )


def init(
    session: Session,
    workspace: Workspace = None,
    type_: Annotated[
        str | None,
        typer.Option(
            "--type", metavar=TYPES, help="What it is, instead of detection.",
            show_default=False,
        ),
    ] = None,
    from_compose: Annotated[
        bool, typer.Option("--from-compose", help="From the compose file, or from FILE.")
    ] = False,
    from_devcontainer: Annotated[
        bool, typer.Option("--from-devcontainer", help="From the devcontainer.json, or from FILE.")
    ] = False,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="A compose file, or a devcontainer.json.", show_default=False
        ),
    ] = None,
) -> Output:  # fmt: skip
    """Write a commented debughost.toml from what is detected."""
    config = session.host.config
    if from_compose and from_devcontainer:
        raise Usage(
            "--from-compose and --from-devcontainer exclude each other",
            hint="A devcontainer.json that names a compose file has its services translated too",
        )
    if file and not from_compose and not from_devcontainer:
        raise Usage(
            f"{file!r} is no option of init",
            hint="Use --from-compose or --from-devcontainer before a file",
        )
    if from_compose or from_devcontainer:
        kind = "COMPOSE" if from_compose else "DEVCONTAINER"
        translate = config.import_compose if from_compose else config.import_devcontainer
        made = translate(workspace, file=file, type_=type_)
        for note in made.notes:
            session.progress.warn(f"{kind}_NOT_TRANSLATED", note)
        path, text = made.path, made.text
    else:
        path, text = config.init(workspace, type_=type_)
        _mention_importer(session, workspace)
    return Output(
        data={"path": str(path), "content": text},
        changed=True,
        show=lambda: session.streams.out(inline(f"Wrote {path}")),
        next=["debughost up"],
    )


def _mention_importer(session: Session, workspace: Path | None) -> None:
    other, option = session.host.config.importable(workspace)
    if other:
        session.progress.warn(
            "NOT_IMPORTED",
            f"{other} was not read: 'debughost init {option}' translates it, where there is no"
            " debughost.toml",
        )
