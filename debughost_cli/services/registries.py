"""Whether a container reaches the package registries: their names, their addresses, their TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DebughostError, NameConflict
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.project.certificates import CaBundle
from debughost_cli.services.images import ImageService
from debughost_cli.services.network import NetworkService
from debughost_cli.services.progress import NullProgress
from debughost_cli.specs import Limits, ServiceSpec

REGISTRIES = (
    "https://registry.npmjs.org/-/ping",
    "https://pypi.org/simple/pip/",
    "https://repo.packagist.org/packages.json",
)
_NAME = "debug-host-doctor"
# An error is an answer too. All at once, so that doctor stays quick.
_ASK = """\
for url; do
    {
        said=$(curl --silent --show-error --output /dev/null --max-time 4 "$url" 2>&1)
        echo "$? $url $said"
    } &
done
wait
"""
_LINE = re.compile(r"^(\d{1,3}) (https://\S+) (.*)$", re.MULTILINE)
COMMAND = ("sh", "-c", _ASK, "sh", *REGISTRIES)


def unreachable(engine: Engine, bundle: CaBundle | None) -> list[str] | None:
    """What curl said for each registry that it did not reach; None where there is no image.

    A container is created for it, on the projects' network where that exists, and removed.
    """
    entries = ImageService(engine, NullProgress()).list_all().images
    image = next((e.ref for e in entries if e.image), None)
    if image is None:
        return None
    with _container(engine, image, bundle) as ref:
        found = engine.exec.run(ref, COMMAND).stdout.decode("utf-8", "replace")
    # Of what curl explains in several lines, the first one says what happened.
    return [f"{url}: {said}" for code, url, said in _LINE.findall(found) if code != "0"]


@contextmanager
def _container(engine: Engine, image: str, bundle: CaBundle | None) -> Iterator[str]:
    """One that ends by itself, should nobody come to remove it."""
    network = NetworkService(engine, NullProgress()).usable()
    spec = ServiceSpec(
        project="doctor", type=ProjectType.STATIC, workspace="", image=image, image_id="",
        command=("sleep", "60"), ports=(), mounts=(), limits=Limits(), user=None,
        restart=RestartPolicy(), network=network.name if network else "bridge", network_id="",
        environment={"CURL_CA_BUNDLE": names.CA_FILE} if bundle else {}, aliases=(), labels={},
    )  # fmt: skip
    try:
        ref = engine.containers.create(_NAME, spec)
    except NameConflict:
        # An earlier one was killed before it could remove it.
        engine.containers.remove(_NAME, force=True)
        ref = engine.containers.create(_NAME, spec)
    try:
        files = control_files(spec, None, 0, 0, ca_bundle=bundle.pem if bundle else b"")
        engine.containers.put_files(ref, files)
        engine.containers.start(ref)
        yield ref
    finally:
        with suppress(NotFound, DebughostError):
            engine.containers.remove(ref, force=True)
