# `make demo`, `make demo-remote` and `make test` do all their own set-up; see README.md.
.PHONY: demo demo-remote test test-engines check check-lowest check-newest docs reference dist bench lock setup
.PHONY: test-remote clean

demo:
	@scripts/demo

# The same on an engine that does not see this machine's files, reached by ssh.
demo-remote:
	@scripts/demo-remote

test:
	@scripts/test

# The engine's tests once more, on two newer engines; part of `make test`.
test-engines:
	@scripts/test-engines

# All of tests/e2e on an engine that does not see this machine's files; half an hour.
test-remote:
	@DEBUGHOST_TEST_ENGINES=remote scripts/test-engines --all

# What needs no engine: style, types, import rules, and the fast tests with their coverage.
check: setup
	@scripts/check
	@.venv/bin/pytest -q -n auto --cov tests/unit tests/cli tests/pages

# The same tests with the oldest and the newest dependencies that pyproject.toml allows.
check-lowest: setup
	@scripts/check-versions lowest

check-newest: setup
	@scripts/check-versions newest

# The site, in docs/_build; what Sphinx warns of is an error.
docs: setup
	@.venv/bin/sphinx-build -qW --keep-going docs docs/_build

# The pages, the man page and the completion that are written from the program.
reference: setup
	@.venv/bin/python docs/reference.py
	@scripts/completions

# The packages, in dist/: the wheel, the source archive, and one file with all that it needs, for CI.
dist: setup
	@.venv/bin/python -m build --no-isolation --outdir dist
	@.venv/bin/python scripts/zipapp

# Side by side with docker and docker compose, on a newer engine as well; some minutes.
bench:
	@scripts/bench

# The locked versions of dependencies and development tools, all moved to their newest.
lock: setup
	@scripts/lock --upgrade

setup:
	@scripts/setup

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache docs/_build
