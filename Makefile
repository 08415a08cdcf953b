# make run    the daemon on this machine, data in ./imd-data       make bench  measured speed, beside bare Twisted
# make test   everything that must hold before a change goes in    make soak   the long runs of the same;
#                                                                   make soak SECTION=powerloss: one of tests/rigs;
#                                                                   SECTION=wire: random tests of tests/wire alone
PYTHON ?= python3
BIN := .venv/bin
TOOLS := openssl=openssl ncat=ncat socat=socat gnutls-cli=gnutls-bin tmux=tmux systemd-analyze=systemd curl=curl strace=strace faketime=faketime age=age

.PHONY: run test bench soak clean

run: .venv/.for-running
	@$(BIN)/imd run --data-dir imd-data

test: .venv/.for-work .venv/scan/bin/sslyze
	@.ci/apt $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit -q -c pyproject.toml -r imd client twisted imd.tac
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile

bench: .venv/.for-work
	$(BIN)/python -m bench

soak: .venv/.for-work
	@.ci/apt $(TOOLS)
	@.ci/environment $(PYTHON) -e '.[soak]' || echo "No atheris for this Python: the readers are not fuzzed by coverage."
	$(if $(filter wire,$(SECTION)),,$(BIN)/pytest -m soak -rP $(if $(SECTION),-k $(SECTION)))
	$(if $(filter-out wire,$(SECTION)),,$(BIN)/pytest tests/wire --hypothesis-profile=soak)

clean:
	rm -rf .venv dist build .coverage* .hypothesis .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name dropin.cache -delete

# The environment: made once, and again when pyproject.toml changes.
.venv/.for-running: pyproject.toml
	@.ci/environment $(PYTHON) -e '.[console]'
	@touch $@

# The scanner of tests/live/test_tls_scan.py: it wants an older `cryptography` than imd. AGPL: run here, shipped nowhere.
.venv/scan/bin/sslyze: .venv/.for-work
	@$(BIN)/python -m venv .venv/scan
	@.venv/scan/bin/pip install --quiet --disable-pip-version-check 'sslyze >= 6.3'
	@touch $@

.venv/.for-work: pyproject.toml
	@.ci/environment $(PYTHON) -e '.[dev]'
	@touch $@ .venv/.for-running
