PYTHON ?= python3
READY := .venv/.ready
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MEASURE := $(BIN)/python benchmarks
DATA ?= data

.DEFAULT_GOAL := help
.PHONY: help app demo test test-slow torture lint format bench results docs links wheel clean

help:
	@echo "app demo test test-slow torture lint format bench results docs links wheel clean"

app: $(READY)
	$(BIN)/ign app

demo: $(READY)
	$(BIN)/ign demo --out runs/demo --force

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --ignore tests/torture --cov --cov-report=term

test-slow: $(READY)
	$(INSTALL) --editable '.[bench]'
	$(BIN)/python -m pytest -m slow

# Kills, full disks, hostile files, forged requests, odd names: docs/reliability.md, in minutes.
torture: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" tests/torture tests/app/test_attacks.py \
		--ignore tests/torture/test_page.py --full --record docs/results/reliability.json; \
	status=$$?; $(BIN)/python benchmarks/reliability.py; exit $$status

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Speed and memory, from data in DATA/mnist and DATA/celeba where they are there.
bench: $(READY)
	$(MEASURE)/step.py
	$(MEASURE)/where.py
	$(MEASURE)/inference.py
	$(MEASURE)/pipeline.py $(if $(wildcard $(DATA)/mnist),--mnist $(DATA)/mnist) $(if $(wildcard $(DATA)/celeba),--celeba $(DATA)/celeba)

# The tables of docs/results.md, from data in DATA/mnist and DATA/celeba: hours.
results: $(READY)
	$(INSTALL) --editable '.[bench]'
	test -d runs/mnist/model || $(BIN)/ign train mnist --data $(DATA)/mnist --out runs/mnist
	test -d runs/celeba/model || $(BIN)/ign train celeba --data $(DATA)/celeba --network.width 24 --learning_rate 0.001 --steps 8000 --out runs/celeba
	$(MEASURE)/restore.py runs/mnist --data $(DATA)/mnist --out docs/results/restore.json
	$(MEASURE)/restore.py runs/celeba --data $(DATA)/celeba --features faces --out docs/results/restore-faces.json
	$(MEASURE)/faces.py runs/celeba --data $(DATA)/celeba --out docs/results/faces.json
	$(MEASURE)/grid.py mnist --data $(DATA)/mnist --out docs/results/grid.json
	$(MEASURE)/grid.py runs/celeba --data $(DATA)/celeba -n 1000 --picture docs/pictures/iterates.png --out docs/results/grid-faces.json
	$(MEASURE)/anomaly.py --data $(DATA)/mnist --model runs/mnist --out docs/results/anomaly.json
	$(MEASURE)/inspection.py --data $(DATA)/tiles/tiles.zip --out docs/results/inspection.json
	$(MEASURE)/stability.py --data $(DATA)/mnist --out docs/results/stability.json
	$(MEASURE)/roles.py runs/mnist --data $(DATA)/mnist --out docs/results/roles.json
	$(MEASURE)/features.py mnist --data $(DATA)/mnist --measure --out docs/results/features.json
	$(MEASURE)/features.py faces --data $(DATA)/celeba --measure --out docs/results/features.json
	$(MEASURE)/mnist_methods.py --data $(DATA)/mnist --out docs/results/mnist_methods.json
	$(MEASURE)/recipes/run.py --data $(DATA)/mnist
	$(BIN)/python -m examples.theory
	$(MEASURE)/digits.py --out docs/results/digits.json
	$(MEASURE)/step.py --out docs/results/step.json
	$(MEASURE)/scaling.py --out docs/results/scaling.json
	$(MEASURE)/where.py --out docs/results/where.json
	$(MEASURE)/inference.py --out docs/results/inference.json
	$(MEASURE)/pipeline.py --mnist $(DATA)/mnist --celeba $(DATA)/celeba --out docs/results/pipeline.json
	$(MEASURE)/large.py --out docs/results/large.json
	$(MEASURE)/report.py
	$(BIN)/ign sample runs/mnist -n 64 --out runs/mnist/first --force
	cp runs/mnist/first/grid.png docs/pictures/mnist.png
	$(BIN)/ign figures runs/mnist --data $(DATA)/mnist --out runs/mnist/figures --force
	cp runs/mnist/figures/fig-05.png docs/pictures/projection.png
	cp runs/mnist/figures/fig-09.png docs/pictures/masks.png
	$(BIN)/ign figures runs/celeba --data $(DATA)/celeba --out runs/celeba/figures --force
	cp runs/celeba/figures/fig-06.png docs/pictures/faces.png
	cp runs/celeba/figures/fig-05.png docs/pictures/faces-projection.png
	$(BIN)/python -m ign.figures docs/pictures
	$(BIN)/python -m examples.toy2d --out runs/toy2d
	cp runs/toy2d/toy2d.png docs/pictures/toy2d.png
	$(BIN)/python -m examples.plain_loop --out runs/plain-loop
	cp runs/plain-loop/samples.png docs/pictures/plain-loop.png
	$(BIN)/python -m examples.own_network --out runs/own-network
	cp runs/own-network/samples.png docs/pictures/own-network.png
	$(BIN)/python -m examples.tabular --out docs/results

# The site, in site/. It opens from disk, search included, and needs no network.
docs: $(READY)
	$(BIN)/python tools/quotes.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo 'The site is built: open site/index.html in a browser.'
	@echo 'While you write, serve it with: $(BIN)/mkdocs serve'

# Asks every address in the pages; needs a network.
links: $(READY)
	$(BIN)/python tools/links.py

wheel: $(READY)
	$(BIN)/python -m build --no-isolation --outdir dist

clean:
	rm -rf .venv dist site

# One environment for all targets, rebuilt when what it is made from changes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[dev]'
	touch $@
