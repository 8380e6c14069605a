.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# Without bytecode, every command takes three times as long to start.
export UV_COMPILE_BYTECODE := 1

PROJECT := {{cookiecutter.project_slug}}
PYTHON := .venv/bin/python
INSTALLED := .venv/.installed

.PHONY: help
help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: bake
bake: build/my_service ## a project with the defaults, its database up and migrated: build/my_service
	@$(MAKE) -C build/my_service db-up migrate
	@printf '%s\n' '' 'build/my_service is baked and migrated. Next:' '' '  cd build/my_service' \
		'  make run        # serve on http://127.0.0.1:8000' '  make test' '  make help'

.PHONY: test
test: $(INSTALLED) ## all tests, on as many workers as there are processors
	@$(PYTHON) -m pytest -n auto --dist loadgroup

# The generated project is plain code, so it is checked where it is. Caches stay outside of it, because a bake
# would copy them.
.PHONY: check
check: $(INSTALLED) ## lint, format check and types, of the template and of the generated project in place
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy hooks/pre_gen_project.py
	@$(PYTHON) -m mypy hooks/post_gen_project.py local_extensions.py tests proofs $(wildcard benchmarks)
	@cd '$(PROJECT)' && ../$(PYTHON) -m ruff check --cache-dir ../.cache/ruff
	@cd '$(PROJECT)' && ../$(PYTHON) -m ruff format --check --cache-dir ../.cache/ruff
	@cd '$(PROJECT)' && ../$(PYTHON) -m mypy --cache-dir ../.cache/mypy-project

.PHONY: prove
prove: $(INSTALLED) ## take each guard out of a copy, and see the tests named with it fail: proofs/guards.toml
	@$(PYTHON) -m proofs.prove $(PROOF)

.PHONY: bench
bench: $(INSTALLED) ## benchmarks, side by side with bare Alembic and cookiecutter
	@$(PYTHON) -m benchmarks

# A project that is there is kept, with its database. To bake it anew, type `rm -r build/my_service` first.
build/my_service: | $(INSTALLED)
	@$(PYTHON) -m cookiecutter --no-input --default-config --output-dir build .

$(INSTALLED): pyproject.toml
	@if ! command -v uv >/dev/null; then \
		test -x $(PYTHON) || python3 -m venv .venv; \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check uv; \
	fi
	@if command -v uv >/dev/null; then uv sync --quiet; else $(PYTHON) -m uv sync --quiet; fi
	@touch $(INSTALLED)
