"""Names, labels and ids of the contract."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from debughost_cli import names
from debughost_cli.errors import InvalidProject
from debughost_cli.models import ProjectType
from debughost_cli.specs import as_port

PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@pytest.mark.parametrize("good", ["a", "0", "shop", "my_shop-2", "a" * 63, "a-", "a_"])
def test_good_ids(good: str) -> None:
    assert names.check_project(good) == good


@pytest.mark.parametrize(
    ("bad", "suggestion"),
    [
        ("", None),
        ("Shop", "shop"),
        ("my shop", "my-shop"),
        ("-shop", "shop"),
        ("_shop", "shop"),
        ("shop\n", "shop"),
        ("süß", "s"),
        ("a" * 64, "a" * 63),
        ("../etc", "etc"),
        ("\x1b[31m", "31m"),
        ("\u017fhop", "hop"),
        ("中文", None),
    ],
)
def test_bad_ids_are_refused_with_a_good_one(bad: str, suggestion: str | None) -> None:
    with pytest.raises(InvalidProject) as caught:
        names.check_project(bad)
    assert caught.value.details == {"suggestion": suggestion}
    if suggestion:
        assert f"--project {suggestion}" in caught.value.hint


def test_a_very_long_id_is_not_shown_in_full() -> None:
    with pytest.raises(InvalidProject) as caught:
        names.check_project("A" * 10_000)
    assert len(caught.value.message) < 200


@given(st.text())
def test_an_id_made_from_a_name_is_good_or_empty(text: Any) -> None:
    made = names.project_id_from(text)
    assert made == "" or PATTERN.fullmatch(made)


@given(st.from_regex(PATTERN, fullmatch=True))
def test_any_text_is_an_id_or_refused(text: Any) -> None:
    assert names.check_project(text) == text


@given(st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9_])?", fullmatch=True))
def test_a_good_id_is_kept_as_it_is(text: Any) -> None:
    assume(not text.startswith("project-"))
    assert names.project_id_from(text) == text
    assert names.check_new_project(text) == text


@pytest.mark.parametrize(
    ("folder", "made"),
    [
        ("project-web", "web"),
        ("Project Web", "web"),
        ("project-project--_web", "web"),
        ("project-", "project"),
        ("project---", "project"),
        ("project", "project"),
        ("project_web", "project_web"),
        ("projects-web", "projects-web"),
        ("project-" * 10_000 + "x", "project"),
    ],
)
def test_no_folder_gives_an_id_that_is_an_alias(folder: str, made: str) -> None:
    assert names.project_id_from(folder) == made
    assert names.check_new_project(made) == made


@given(st.from_regex(r"(project[-_ ]{0,3}){1,9}[a-z0-9_-]{0,70}", fullmatch=True))
def test_an_id_made_from_any_such_name_is_not_refused(folder: Any) -> None:
    assert names.check_new_project(names.project_id_from(folder))


@given(st.from_regex(PATTERN, fullmatch=True), st.from_regex(PATTERN, fullmatch=True))
def test_the_aliases_of_two_projects_differ(one: Any, other: Any) -> None:
    one, other = names.project_id_from(one) or "a", names.project_id_from(other) or "b"
    assume(one != other)
    assert not set(names.aliases(one)) & set(names.aliases(other))


def test_the_name_of_a_container() -> None:
    moment = datetime(2026, 11, 23, 10, 15, 0, 123456, tzinfo=UTC)
    assert names.container_name("shop", moment) == "debug-host-shop-20261123T101500123Z"
    berlin = moment.astimezone(timezone(timedelta(hours=1)))
    assert names.container_name("shop", berlin) == "debug-host-shop-20261123T101500123Z"


@pytest.mark.parametrize(
    ("type_", "volume", "target"),
    [
        (ProjectType.NODE, "debug-host-shop-node_modules", "/app/node_modules"),
        (ProjectType.PYTHON, "debug-host-shop-venv", "/app/.venv"),
        (ProjectType.PHP, "debug-host-shop-vendor", "/app/vendor"),
        (ProjectType.STATIC, None, None),
    ],
)
def test_dependency_volumes(type_: Any, volume: str | None, target: str | None) -> None:
    assert (names.volume_name("shop", type_), names.volume_target(type_)) == (volume, target)


@pytest.mark.parametrize(
    ("uid", "volume"),
    [
        (None, "debug-host-cache"),
        (1000, "debug-host-cache-1000"),
        (0, "debug-host-cache-0"),
    ],
)
def test_every_owner_has_a_cache_of_their_own(uid: int | None, volume: str) -> None:
    assert names.shared_cache_name(uid) == volume
    assert names.is_shared_cache(volume)


@given(st.from_regex(PATTERN, fullmatch=True), st.sampled_from(list(ProjectType)))
def test_no_project_ever_has_the_caches_name(project: Any, type_: Any) -> None:
    assert not names.is_shared_cache(names.port_note_name(project))
    volume = names.volume_name(project, type_)
    assert volume is None or not names.is_shared_cache(volume)
    assert not names.is_shared_cache(names.cache_name(project))


ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)


@given(ids, ids)
def test_two_projects_never_share_a_name(one: Any, two: Any) -> None:
    def all_names(project: Any) -> Any:
        volumes = {names.volume_name(project, t) for t in ProjectType} - {None}
        return volumes | {names.port_note_name(project)}

    assert one == two or not all_names(one) & all_names(two)


def test_labels_that_everything_carries() -> None:
    moment = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    assert names.base_labels("1.2.3", moment) == {
        "debug-host.managed": "true",
        "debug-host.created": "2026-11-23T10:15:00.000Z",
        "debug-host.version": "1.2.3",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (names.PROJECT, "debug-host.project"),
        (names.TYPE, "debug-host.type"),
        (names.WORKSPACE, "debug-host.workspace"),
        (names.PORT, "debug-host.port"),
        (names.CONFIG_HASH, "debug-host.config-hash"),
    ],
)
def test_labels_of_the_contract(name: Any, value: str) -> None:
    assert name == value


@pytest.mark.parametrize(
    ("text", "port"), [("3000", 3000), ("", 0), (None, 0), ("x", 0), ("-1", 0), ("²", 0), ("٣", 0)]
)
def test_a_port_in_a_label(text: str | None, port: int) -> None:
    assert as_port(text) == port
