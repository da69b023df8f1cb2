# What can be asked of this tree. `make` alone lists it. Needs python3 (3.11 or newer) and make.
.DEFAULT_GOAL := help
.PHONY: help demo dev test test-long coverage check lock bench catalogues routes
UV_VERSION := 0.13.8
UV  := VIRTUAL_ENV=.venv .venv/bin/uv
RUN := .venv/bin/
TESTS := $(RUN)pytest -n 3
# In CI the first run says what it covers. Measuring doubles the time of a test, so the slow ones are
# left out of it there; `make coverage` has them all.
COVER := $(if $(CI),--cov --cov-report=term)

help:  ## list what can be asked
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: .venv/ready  ## show it on real input: a roll of 500, a newsletter sent and received, the admin area
	@$(RUN)rollcall demo

dev: .venv/ready  ## the web server, restarted when a file changes
	@$(RUN)rollcall migrate
	@$(RUN)uvicorn --factory web.asgi:serve --reload --reload-dir mailer --reload-dir web --reload-dir templates

test: .venv/ready  ## tests on SQLite and, where it is installed, on PostgreSQL
	@$(TESTS) $(COVER) -m "not story"

test-long: .venv/ready  ## the slow ones: stories with real processes, every page in every theme, pages on PostgreSQL
	@$(TESTS) -m story --shots=shots

coverage: .venv/ready  ## what all tests together cover
	@$(TESTS) --cov --cov-report=term

check: .venv/ready  ## style, types, floors
	@$(RUN)ruff format --check .
	@$(RUN)ruff check .
	@$(RUN)mypy
	@$(RUN)lint-imports

bench: .venv/ready  ## how fast and how safe, the short version: under eight minutes
	@$(RUN)python -m bench

catalogues: .venv/ready  ## add new sentences to the message catalogues, take out those that are gone
	@$(RUN)python -m tests.house.catalogues

routes: .venv/ready  ## write the table of every way in, with its gate
	@$(RUN)python -m tests.house.routes

lock:  ## renew requirements.lock (versions with hashes, no addresses) from pyproject.toml
	@$(UV) pip compile --quiet --universal --group dev --extra demo --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock

# Everything lives in .venv, uv itself too; nothing is installed outside the tree.
.venv/ready: pyproject.toml requirements.lock
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x .venv/bin/python || python3 -m venv .venv
	@test -x .venv/bin/uv && .venv/bin/uv --version | grep -qF " $(UV_VERSION) " \
	  || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) pip sync --quiet --require-hashes requirements.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@
