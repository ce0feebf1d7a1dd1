"""Projects of languages for which there is no base image."""

from __future__ import annotations

from debughost_cli.models import NoCommand
from debughost_cli.project.reader import Folder

_LANGUAGES = (
    (("go.mod",), "Go", "golang:1", "go run ."),
    (("Cargo.toml",), "Rust", "rust:1", "cargo run"),
    (("hugo.toml", "hugo.yaml", "hugo.json", "archetypes/default.md"), "Hugo",
     "hugomods/hugo:exts", "sh -c 'hugo server --bind 0.0.0.0 --port $PORT'"),
    (("Gemfile", "_config.yml"), "Ruby", "ruby:3",
     "sh -c 'bundle install && exec bundle exec rackup --host 0.0.0.0 --port $PORT'"),
    (("mix.exs",), "Elixir", "elixir:1", "mix phx.server"),
    (("pom.xml",), "Java", "maven:3-eclipse-temurin-21", "mvn spring-boot:run"),
    (("build.gradle", "build.gradle.kts"), "Java", "gradle:jdk21", "gradle bootRun"),
    (("Package.swift",), "Swift", "swift:6", "swift run"),
)  # fmt: skip
"""Files, the language, an image that has it, and how a program is usually run."""


def unsupported(folder: Folder) -> NoCommand | None:
    """The message for a project of another language, None where it is none of a known one."""
    for files, language, image, command in _LANGUAGES:
        file = folder.first(*files)
        if file:
            return NoCommand(
                f"{folder.root} is a {language} project ({file}), and there is no base image for "
                f"{language}: the types are node, python, php and static",
                hint=f"Give an image and a command: debughost up --image {image} -- {command}",
                details={"workspace": str(folder.root), "file": file, "language": language},
            )
    return None
