# Needs Debian 12's python3, python3-venv and make; no root, no service, no variable.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PORT ?= 8000
PYTHON ?= python3
PYTEST ?= -n auto --dist loadgroup
VAR := $(or $(FACTCHECK_VAR),var)
BIN := .venv/bin

# A stamp is newer than all it was made from, or its step is done again.
STATIC_FILES := $(shell find factcheck -path '*/static/*' -type f 2>/dev/null)
MIGRATIONS := $(shell find factcheck -path '*/migrations/*.py' 2>/dev/null)

# What somebody removed by hand is made again, whatever the stamps say.
$(shell test -e $(BIN)/python || rm -rf .venv)
$(shell test -d $(VAR)/static || rm -f $(VAR)/.collected)
$(shell test -e $(VAR)/factcheck.sqlite3 || rm -f $(VAR)/.migrated)

.PHONY: help
help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

.PHONY: setup
setup: $(BIN)/.installed $(VAR)/.migrated $(VAR)/.collected ## environment, locked dependencies, database, static files

.PHONY: demo
demo: setup ## run the sample newsroom until Ctrl-C; PORT=8000 moves it
	@exec $(BIN)/python manage.py demo --port $(PORT) --end-with-parent

.PHONY: test
test: setup $(BIN)/.installed-dev ## every test that this machine can run in 10 minutes, on SQLite
	@exec $(BIN)/python -m pytest -m "not full and not interop" $(PYTEST)

.PHONY: test-full
test-full: setup $(BIN)/.installed-dev ## the rest: what takes longer than 10 minutes
	@tests/interop/environment.sh
	@exec $(BIN)/python -m pytest -m "full or interop"

.PHONY: interop
interop: setup $(BIN)/.installed-dev ## other people's tools read what we write; installs them in .interop
	@tests/interop/environment.sh
	@exec $(BIN)/python -m pytest -m interop

.PHONY: bench-archive
bench-archive: $(BIN)/.installed ## the archiver beside GNU wget on a made-up site; ARGS="--write" into docs/benchmarks.md
	@exec $(BIN)/python -m benchmarks.archive $(ARGS)

.PHONY: bench-words
bench-words: $(BIN)/.installed ## quotes and anchors, how right and how fast, beside likeness alone; ARGS="--write" into docs/words.md
	@exec $(BIN)/python -m benchmarks.words $(ARGS)

.PHONY: bench-suggestions
bench-suggestions: $(BIN)/.installed ## how well suggestions rank judged sentences; FILE=sentences.jsonl
	@exec $(BIN)/python -m benchmarks.suggestions $(FILE)

.PHONY: check
check: $(BIN)/.installed-dev ## format, lint, types, import contracts, missing migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	FACTCHECK_VAR=$$(mktemp -d) sh -ec 'trap "rm -rf $$FACTCHECK_VAR" EXIT; \
		$(BIN)/python manage.py makemigrations --check --dry-run; \
		$(BIN)/python manage.py check --fail-level WARNING'

.PHONY: fix
fix: $(BIN)/.installed-dev ## format, and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: ## choose dependencies anew after a change of pyproject.toml (needs uv)
	@UV=$$(command -v uv || command -v $(BIN)/uv) || { echo "make lock needs uv: $(BIN)/pip install uv" >&2; exit 1; }; set -ex; \
	compile() { $$UV pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header pyproject.toml "$$@"; }; \
	compile -o requirements.txt; \
	compile -c requirements.txt --all-extras -o requirements-services.txt; \
	compile -c requirements-services.txt --all-extras --group dev -o requirements-dev.txt

.PHONY: clean
clean: ## remove the environment and what the tools left; the database stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results $(VAR)/.migrated $(VAR)/.collected

$(BIN)/python:
	@echo "Making the environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Factcheck needs Python 3.11 or newer: make PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "The environment could not be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The checksum decides and not the time, which a checkout or a copy changes.
define install
	@if ! sha256sum --check --status $@.sha256 2>/dev/null; then \
		echo "Installing $(1)"; \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(1) && sha256sum $(1) > $@.sha256; \
	fi
	@touch $@
endef

$(BIN)/.installed: requirements.txt | $(BIN)/python
	$(call install,requirements.txt)

$(BIN)/.installed-dev: requirements-dev.txt | $(BIN)/.installed
	$(call install,requirements-dev.txt)

$(VAR)/.migrated: $(BIN)/.installed $(MIGRATIONS)
	@echo "Setting up the database"
	@$(BIN)/python manage.py migrate --verbosity 0
	@touch $@

# Another database than the folder's own may change behind the stamp's back.
ifdef DATABASE_URL
.PHONY: always
$(VAR)/.migrated: always
endif

$(VAR)/.collected: $(BIN)/.installed $(STATIC_FILES)
	@echo "Collecting static files"
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@touch $@
