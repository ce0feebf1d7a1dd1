"""PHP projects: Composer, the frameworks, and PHP's own web server.

``php -S`` serves files that exist, and runs ``index.php`` of the document root for any other
path, unless that path has a dot in it: ``/feed.xml`` and ``/users/jane.doe`` are answered with
404 although the application may have a route for them. A router script fixes that, but then
every request goes through it, also for images and style sheets, and it has to return false for
those. So ``index.php`` is passed as the router only where it is written to be one, which means that
it checks for the name of the server, ``cli-server``. Laravel has its own in ``artisan serve``.

It would also serve ``/.env`` and ``/.git``. A script of ours answers 404 there, before that router
or as the only one; for everything else it returns false, and the server goes on. With any router,
it also runs ``index.php`` for paths with a dot that are no files.
"""

from __future__ import annotations

from debughost_cli.models import Dependencies, Detection, ProjectType
from debughost_cli.names import PHP_PRIVATE
from debughost_cli.project.detect.shell import install_script
from debughost_cli.project.detect.wordpress import missing_database
from debughost_cli.project.reader import Folder, table_in

FILE = "composer.json"
LOCK = "composer.lock"
DOCUMENT_ROOTS = (
    *("public", "web", "webroot", "htdocs", "docroot", "www", "public_html", "html", "httpdocs"),
)
_WORDPRESS = ("wp-load.php", "wp-settings.php", "wp-config.php", "wp-config-sample.php")

_INSTALL = """\
composer install --no-interaction --no-progress --no-ansi
"""
# Without a lock file Composer writes one beside the manifest, so it gets a copy of that.
_UNLOCKED = """\
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for file in composer.json auth.json; do [ ! -f "$file" ] || cp "$file" "$copy"/; done
export COMPOSER="$copy/composer.json"
composer update --no-interaction --no-progress --no-ansi
"""


def is_laravel(folder: Folder) -> bool:
    """Whether Laravel's command line exists."""
    return folder.has("artisan") and folder.has(FILE)


def is_symfony(folder: Folder) -> bool:
    """Whether Symfony's command line exists."""
    return folder.has("bin/console") and folder.has(FILE)


def is_wordpress(folder: Folder) -> bool:
    """Whether WordPress is in the workspace itself."""
    return folder.first(*_WORDPRESS) is not None


def front_controller(folder: Folder) -> str | None:
    """The ``index.php`` that takes the requests: a document root's before the workspace's own."""
    return folder.first(*(f"{root}/index.php" for root in DOCUMENT_ROOTS), "index.php")


def has_script(folder: Folder) -> bool:
    """Whether there are PHP files in the workspace itself."""
    return bool(folder.files(".php"))


def detect_php(folder: Folder) -> Detection:
    """A PHP project's detection. Without an ``index.php`` the workspace itself is served."""
    framework, command, entry = _command(folder)
    return Detection(
        type=ProjectType.PHP,
        command=command,
        framework=framework,
        evidence=folder.present(*entry, FILE, LOCK),
        dependencies=_dependencies(folder),
        warnings=missing_database(folder) if is_wordpress(folder) else (),
    )


def _command(folder: Folder) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The framework's name, the command and the files that decided."""
    if is_laravel(folder):
        # Without --no-reload it hides the container's environment from the application.
        serve = ("php", "artisan", "serve", "--host=0.0.0.0", "--port={port}", "--no-reload")
        return "Laravel", serve, ("artisan",)
    index = front_controller(folder) or "index.php"
    return _framework(folder), _built_in(folder, index), (index,)


def _framework(folder: Folder) -> str:
    if is_symfony(folder):
        return "Symfony"
    if is_wordpress(folder):
        return "WordPress"
    return "Slim" if "slim/slim" in table_in(folder.json(FILE), FILE, "require") else "PHP"


def _built_in(folder: Folder, index: str) -> tuple[str, ...]:
    root = index.rpartition("/")[0]
    serve = ("-S", "0.0.0.0:{port}", *(("-t", root) if root else ()))
    if "cli-server" in folder.source(index):
        return ("php", "-d", f"auto_prepend_file={PHP_PRIVATE}", *serve, index)
    return ("php", *serve, PHP_PRIVATE)


def _dependencies(folder: Folder) -> Dependencies | None:
    data = folder.json(FILE)
    required = [*table_in(data, FILE, "require"), *table_in(data, FILE, "require-dev")]
    # A project that only has classes of its own needs a vendor/autoload.php, too.
    loads = data.get("autoload") or data.get("autoload-dev")
    if not loads and not any("/" in name for name in required):
        return None
    locked = folder.has(LOCK)
    script = install_script("vendor", "composer", _INSTALL if locked else _UNLOCKED)
    return Dependencies("composer", (FILE, LOCK) if locked else (FILE,), script)
