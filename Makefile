PYTHON ?= python3
READY := .venv/.ready
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MEASURE := $(BIN)/python -m benchmarks
DATA ?= data
# The tests of reliability of which a small part is tried with the others: full disks, kills, damaged images.
QUICK := $(addprefix --ignore tests/torture/test_,configs.py models.py names.py page.py special.py)

.DEFAULT_GOAL := help
.PHONY: help app demo test test-slow coverage torture mutants lint format bench gpu results docs links wheel try-wheel clean

help:
	@echo "app demo test test-slow coverage torture mutants lint format bench gpu results docs links wheel try-wheel clean"

app: $(READY)
	$(BIN)/ign app

demo: $(READY)
	$(BIN)/ign demo --out runs/demo --force

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" $(QUICK)

# Which lines the tests run. Counting them takes half as long again.
coverage: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" $(QUICK) --cov --cov-report=term

test-slow: $(READY)
	$(INSTALL) --editable '.[bench]'
	$(BIN)/python -m pytest -m slow

# Kills, full disks, hostile files, forged requests, odd names: docs/reliability.md, in minutes.
torture: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" tests/torture tests/app/test_attacks.py \
		--ignore tests/torture/test_page.py --full --record docs/results/reliability.json; \
	status=$$?; $(MEASURE).use.reliability; exit $$status

# Changes one expression at a time and runs the tests: docs/mutants.md, in hours. MUTANTS names modules to test,
# such as "ign.core.random*". A second run continues the first.
mutants: $(READY)
	$(BIN)/mutmut run $(if $(MUTANTS),"$(MUTANTS)")
	$(BIN)/python tools/mutants.py --record

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
	$(MEASURE).speed.step
	$(MEASURE).speed.presets
	$(MEASURE).speed.where
	$(MEASURE).speed.inference
	$(MEASURE).speed.pipeline $(if $(wildcard $(DATA)/mnist),--mnist $(DATA)/mnist) $(if $(wildcard $(DATA)/celeba),--celeba $(DATA)/celeba)

# Everything that needs a GPU, in ten minutes, with faces from DATA/celeba where they are there.
gpu: $(READY)
	$(MEASURE).gpu $(if $(wildcard $(DATA)/celeba/celeba64-train.zip),--faces $(DATA)/celeba/celeba64-train.zip)

# The tables of docs/results.md, from data in DATA/mnist and DATA/celeba: hours.
results: $(READY)
	$(INSTALL) --editable '.[bench]'
	$(MEASURE).quality.restore mnist --data $(DATA)/mnist --out docs/results/restore.json
	$(MEASURE).quality.grid mnist --data $(DATA)/mnist --out docs/results/grid.json
	$(MEASURE).quality.anomaly --data $(DATA)/mnist --foreign --out docs/results/anomaly.json
	$(MEASURE).quality.inspection --data $(DATA)/tiles/tiles.zip --out docs/results/inspection.json
	$(MEASURE).quality.stability --data $(DATA)/mnist --out docs/results/stability.json
	$(MEASURE).quality.roles mnist --data $(DATA)/mnist --out docs/results/roles.json
	$(MEASURE).quality.features mnist --data $(DATA)/mnist --measure --out docs/results/features.json
	$(MEASURE).quality.features faces --data $(DATA)/celeba --measure --out docs/results/features.json
	$(MEASURE).quality.mnist_methods --data $(DATA)/mnist --out docs/results/mnist_methods.json
	$(MEASURE).use.parity mnist digits --out docs/results/parity.json
	$(MEASURE).quality.recipes.run --data $(DATA)/mnist
	$(BIN)/python -m examples.theory
	$(MEASURE).quality.digits --out docs/results/digits.json
	$(MEASURE).speed.step --out docs/results/step.json
	$(MEASURE).speed.presets --out docs/results/presets.json
	$(MEASURE).speed.scaling --out docs/results/scaling.json
	$(MEASURE).speed.where --out docs/results/where.json
	$(MEASURE).speed.inference --out docs/results/inference.json
	$(MEASURE).speed.pipeline --mnist $(DATA)/mnist --celeba $(DATA)/celeba --out docs/results/pipeline.json
	$(MEASURE).speed.large --out docs/results/large.json
	$(MEASURE).report
	$(BIN)/ign sample mnist -n 64 --out runs/pictures/first --force
	cp runs/pictures/first/grid.png docs/pictures/mnist.png
	$(BIN)/ign figures mnist --data $(DATA)/mnist --out runs/pictures/figures --force
	cp runs/pictures/figures/fig-05.png docs/pictures/projection.png
	cp runs/pictures/figures/fig-09.png docs/pictures/masks.png
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

# Installs the wheel in a new environment and runs it there, without this folder.
try-wheel: wheel
	rm -rf dist/env dist/tried && mkdir dist/tried
	$(PYTHON) -m venv dist/env
	dist/env/bin/python -m pip install --quiet --constraint constraints.txt "$$(ls dist/*.whl)[train,export]"
	cd dist/tried && ../env/bin/ign sample mnist -n 4 --out samples
	cd dist/tried && ../env/bin/ign train digits --steps 20 --every 20 --out run
	cd dist/tried && ../env/bin/ign export run --out digits.onnx
	cd dist/tried && ../env/bin/python -c "import ign; print(ign.__version__, ign.__file__)"

clean:
	rm -rf .venv dist site

# One environment for all targets, rebuilt when what it is made from changes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[dev]'
	touch $@
