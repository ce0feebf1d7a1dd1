# `make demo` and `make test` do all their own set-up; see README.md.
.PHONY: demo test test-engines check bench setup clean

demo:
	@scripts/demo

test:
	@scripts/test

# The engine's tests once more, on a newer engine; part of `make test`.
test-engines:
	@scripts/test-engines

# What needs no engine: style, types, import rules, and the fast tests.
check: setup
	@scripts/check
	@.venv/bin/pytest -q -n auto tests/unit tests/cli

# Side by side with docker and docker compose, on a newer engine as well; some minutes.
bench:
	@scripts/bench

setup:
	@scripts/setup

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
