# make run    the daemon on this machine, data in ./imd-data       make bench  measured speed, beside bare Twisted
# make test   everything that must hold before a change goes in    make soak   the long runs of the same;
# make lock   requirements/*.txt anew: today's versions            make soak SECTION=powerloss: one of tests/rigs;
#                                                                  SECTION=wire: random tests of tests/wire alone
PYTHON ?= python3
BIN := .venv/bin
TOOLS := openssl=openssl ncat=ncat socat=socat gnutls-cli=gnutls-bin tmux=tmux systemd-analyze=systemd curl=curl strace=strace faketime=faketime age=age

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --system-certs \
	--custom-compile-command 'make lock'

.PHONY: run test bench soak lock clean

run: .venv/.for-running
	@$(BIN)/imd run --data-dir imd-data

# Last come the quick tests with other versions than the lock's. The newest may fail by no change of ours: it is told, and ignored.
test: .venv/.for-work .venv/scan/bin/sslyze
	@.ci/apt $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit -q -c pyproject.toml -r imd client twisted imd.tac
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile
	@$(BIN)/python -m tests.versions lowest
	-@$(BIN)/python -m tests.versions newest

bench: .venv/.for-work
	$(BIN)/python -m bench

soak: .venv/.for-work
	@.ci/apt $(TOOLS)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/soak.txt || echo "No atheris for this Python: the readers are not fuzzed by coverage."
	$(if $(filter wire,$(SECTION)),,$(BIN)/pytest -m soak -rP $(if $(SECTION),-k $(SECTION)))
	$(if $(filter-out wire,$(SECTION)),,$(BIN)/pytest tests/wire --hypothesis-profile=soak)

lock: .venv/.for-work
	$(LOCK) --extra dev --output-file requirements/work.txt pyproject.toml
	echo hatchling | $(LOCK) --extra all -c requirements/work.txt --output-file requirements/run.txt pyproject.toml -
	$(LOCK) --extra test --resolution lowest-direct --output-file requirements/lowest.txt pyproject.toml
	echo 'sslyze >= 6.3' | $(LOCK) --output-file requirements/scan.txt -
	$(LOCK) --extra soak -c requirements/work.txt --output-file requirements/soak.txt pyproject.toml

clean:
	rm -rf .venv dist build .coverage* .hypothesis .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name dropin.cache -delete

# The environments hold what requirements/*.txt says; they follow when it changes.
.venv/.for-running: pyproject.toml requirements/run.txt
	@.ci/environment $(PYTHON) .venv requirements/run.txt
	@touch $@

.venv/.for-work: pyproject.toml requirements/work.txt
	@.ci/environment $(PYTHON) .venv requirements/work.txt
	@touch $@ .venv/.for-running

# The scanner of tests/live/test_tls_scan.py: it wants an older `cryptography` than imd. AGPL: run here, shipped nowhere.
.venv/scan/bin/sslyze: .venv/.for-work requirements/scan.txt
	@$(BIN)/python -m venv .venv/scan
	@.venv/scan/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/scan.txt
	@touch $@
