# make demo: the main job on the embedded sample.  make test: everything CI checks.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo example test soak lint browser servers clean

demo: .venv/installed
	@$(BIN)/discourse demo -o reports/demo

test: .venv/installed-dev lint browser servers
	HF_HUB_OFFLINE=1 $(BIN)/pytest -n 2 --dist loadfile -m "not soak"

# The example report, its findings, and its picture in the README; a test compares them with what a run gives.
example: .venv/installed-dev browser
	rm -rf .demo/example
	$(BIN)/discourse run data/raw/lamp-posts.toml --author-key data/raw/lamp-posts.key -o .demo/example
	$(BIN)/discourse report .demo/example -o reports/example.html
	$(BIN)/discourse report .demo/example -o reports/example.json
	@mkdir -p docs/images
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1180,1300 \
	  --screenshot=docs/images/report.png "file://$(CURDIR)/reports/example.html"

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Long counts of kills and draws; not part of CI.
soak: .venv/installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/pytest -m soak --timeout 3600

# The report is tested in a real browser; where none can be installed those tests say so and are skipped.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	  || echo "no chromium here and none can be installed: browser tests will be skipped"

# Collecting is tested on real comment servers: WordPress with MariaDB, Isso and django-comments-xtd.
servers: .venv/installed-dev
	@sh tests/servers/install.sh $(PYTHON)

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv reports/demo dist
