# `make demo` and `make test` do all their own set-up; see README.md.
.PHONY: demo test check setup clean

demo:
	@scripts/demo

test:
	@scripts/test

# What needs no engine: style, types, import rules, and the fast tests.
check: setup
	@scripts/check
	@.venv/bin/pytest -q tests/unit tests/cli

setup:
	@scripts/setup

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
