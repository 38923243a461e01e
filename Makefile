# The targets a newcomer needs; each makes the environment first where it is missing.
PYTHON ?= python3
VENV := .venv
SCRIPTS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(SCRIPTS)
READY := $(VENV)/ready
# Slicer's stable line beside the newest: the two cores cannot stand in one environment.
STABLE := .venv-5.12
STABLE_READY := $(STABLE)/ready
LIBS := SpinalStrutDesigner/SpinalStrutDesignerLib LatticeGenerator/LatticeGeneratorLib

.PHONY: demo test test-all lint types screenshots icons bench quality accuracy fit clean

# Exit status 2 is a verdict, not an error: the files are written, and a finding forbids manufacture.
demo: $(READY)
	@$(BIN)/spinal-strut demo --out out/demo || { status=$$?; \
	  test $$status -eq 2 || exit $$status; \
	  echo "The demo ended well. The phantom's strut was designed, measured and found wanting, as told above:"; \
	  echo "every file is marked NOT FOR MANUFACTURE, and the command by itself ends with exit status 2."; }

# Two at a time, a file's tests in one process, since they share what was made for the first; the long ones first.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

test: $(READY)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-all: test $(STABLE_READY)
	$(STABLE)/$(SCRIPTS)/python -m pytest $(SIDE_BY_SIDE) Testing/Python/scene Testing/Python/host Testing/Python/panel

lint: $(READY)
	$(BIN)/python -m ruff check .

types: $(READY)
	$(BIN)/python -m mypy $(LIBS)

# What the README shows, made from real steps in the test host.
screenshots: $(READY)
	$(BIN)/python Testing/Host/make_screenshots.py

icons: $(READY)
	$(BIN)/python Testing/Host/draw_icons.py

bench: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python Testing/Benchmarks/bench_design.py
	$(BIN)/python Testing/Benchmarks/bench_anatomy.py
	-$(BIN)/python Testing/Benchmarks/bench_fit.py
	$(BIN)/python Testing/Benchmarks/bench_guides.py
	$(BIN)/python Testing/Benchmarks/bench_insertion.py
	$(BIN)/python Testing/Benchmarks/bench_lattice.py
	$(BIN)/python Testing/Benchmarks/bench_preview.py
	$(BIN)/python Testing/Benchmarks/bench_screws.py

# How near what is found in a CT comes to the truth of the test cases, how near axes and sections come to brute force,
# and whether implants can be brought in, with the limits: half an hour.
accuracy: $(READY)
	$(BIN)/python Testing/Accuracy/accuracy.py

# Axes, sections and ways in alone.
fit: $(READY)
	$(BIN)/python Testing/Accuracy/accuracy.py fit
	$(BIN)/python Testing/Accuracy/accuracy.py ways

# Every cell in fifty domains, and the table of what cells are like: a quarter of an hour.
quality: $(READY)
	$(BIN)/python Testing/Benchmarks/lattice_quality.py
	$(BIN)/python Testing/Benchmarks/lattice_table.py

$(READY): EXTRAS := test,slicer,speed
$(STABLE_READY): EXTRAS := test,slicer-5-12,speed
$(READY) $(STABLE_READY): pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 10) <= sys.version_info < (3, 14), 'Python 3.10 to 3.13 is needed, found %s; give another with PYTHON=' % sys.version.split()[0]"
	$(PYTHON) -m venv $(@D)
	$(@D)/$(SCRIPTS)/python -m pip install --quiet --upgrade pip
	$(@D)/$(SCRIPTS)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	$(@D)/$(SCRIPTS)/python -c "open('$@', 'w').close()"

clean:
	rm -rf $(VENV) $(STABLE) out build *.egg-info
