# It keeps to GNU make 3.81, which macOS has. With -j, too, targets run in the order in which they are typed.
.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# What you type is data, as it is in a project: see its Makefile.
$(foreach name,$(filter-out PYTHON SHELL,$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))

# Without bytecode, every command takes three times as long to start.
export UV_COMPILE_BYTECODE := 1

PYTHON ?= python3
override PROJECT := {{cookiecutter.project_slug}}
override PY := .venv/bin/python
override INSTALLED := .venv/.installed
override UV := $(shell command -v uv 2>/dev/null)
# An environment is made again with a Python that the command line names, and if its own Python is gone.
override AGAIN := $(filter command,$(origin PYTHON))$(if $(realpath $(PY)),,broken)

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
	@$(PY) -m pytest -n auto --dist loadgroup

# The generated project is plain code, so it is checked where it is. Caches stay outside of it, because a bake
# would copy them.
.PHONY: check
check: $(INSTALLED) ## lint, format check and types, of the template and of the generated project in place
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy hooks/pre_gen_project.py
	@$(PY) -m mypy hooks/post_gen_project.py local_extensions.py tests proofs $(wildcard benchmarks)
	@cd '$(PROJECT)' && ../$(PY) -m ruff check --cache-dir ../.cache/ruff
	@cd '$(PROJECT)' && ../$(PY) -m ruff format --check --cache-dir ../.cache/ruff
	@cd '$(PROJECT)' && ../$(PY) -m mypy --cache-dir ../.cache/mypy-project

.PHONY: prove
prove: $(INSTALLED) ## take each guard out of a copy, and see the tests named with it fail: proofs/guards.toml
	@$(PY) -m proofs.prove $${PROOF:+"$$PROOF"}

.PHONY: bench
bench: $(INSTALLED) ## benchmarks, side by side with bare Alembic and cookiecutter
	@$(PY) -m benchmarks

# A project that is there is kept, with its database. To bake it anew, type `rm -r build/my_service` first.
build/my_service: | $(INSTALLED)
	@$(PY) -m cookiecutter --no-input --default-config --output-dir build .

$(INSTALLED): pyproject.toml $(if $(AGAIN),again)
ifneq ($(UV),)
	@"$(UV)" sync --quiet $(if $(filter command environment,$(origin PYTHON)),--python "$(PYTHON)")
else
	@test -z "$(AGAIN)" && test -x .venv/bin/uv || { "$(PYTHON)" -m venv --clear .venv && $(PY) -m pip install --quiet --disable-pip-version-check uv; }
	@.venv/bin/uv sync --quiet
endif
	@touch $@

.PHONY: again
again:
