# make app: install and open the dashboard.  make test: install and run every test.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: app test docs api dist lock audit monkey fuzz kill lint check install browser clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q torch==2.13.0
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

install: $(VENV)/.installed

# What the dashboard needs and no more; an environment that has everything is used as it is.
$(VENV)/.app: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[search,server]'
	touch $@

app: $(if $(wildcard $(VENV)/.installed),,$(VENV)/.app)
	$(BIN)/crowdselect serve

# The browser tests drive the system's Chromium; where it cannot be installed they skip, and say so.
browser:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	  echo "Chromium is not installed and cannot be installed here: the browser tests will be skipped."

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install browser
	$(MAKE) lint
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

# The documentation as a site in site/; its packages are fetched once, building needs no network.
docs: install
	$(BIN)/python -c "import material" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict -q
	@echo "Open site/index.html"

# The wheel in dist/, then in an environment of its own outside this folder: version, demo, dashboard.
# PYTHON=python3.13 make dist tries another interpreter.
dist: install
	$(BIN)/python -c "import build" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt build
	rm -rf dist && $(BIN)/python -m build -q --outdir dist .
	$(BIN)/python scripts/try_wheel.py dist/*.whl --python $(PYTHON)

# Known holes of what is installed (asks PyPI), and what bandit finds in our own code.
audit: install
	$(BIN)/python -c "import pip_audit, bandit" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt pip-audit bandit
	$(BIN)/python -m bandit -q -c pyproject.toml -r crowdselect app.py pages
	$(BIN)/python -m pip_audit --strict --no-deps --disable-pip -r constraints.txt

# pylock.toml: constraints.txt with what every extra needs on every system, and the hash of each file.
lock: install
	$(BIN)/python -c "import uv" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt uv
	$(BIN)/python -m uv pip compile -q --no-config --universal --python-version 3.11 --no-header \
	  --extra all -c constraints.txt --format pylock.toml -o pylock.toml pyproject.toml

# Every control of every page in random order; SEED=n for another order, COUNT=n for other lengths.
monkey: install browser
	$(BIN)/python -m tests.dashboard.monkey --steps $(or $(COUNT),500) --seed $(or $(SEED),0)

# Ten thousand mangled files through every reader, a thousand through ingest; the suite takes 320.
fuzz: install
	CROWDSELECT_FUZZ=$(or $(COUNT),10000) $(BIN)/python -m pytest -q -n 2 tests/attack/test_mangled.py tests/attack/test_mangled_ingest.py

# Every writer killed two hundred times at seeded moments; the suite kills each four times.
kill: install
	folder=$$(mktemp -d) && $(BIN)/python -m tests.attack.killing $$folder $(or $(COUNT),200) $(or $(SEED),0) && rm -rf $$folder

clean:
	rm -rf $(VENV)
