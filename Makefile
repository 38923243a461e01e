# The targets a newcomer needs; each makes the environment first where it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
LIBS := SpinalStrutDesigner/SpinalStrutDesignerLib LatticeGenerator/LatticeGeneratorLib

.PHONY: demo test lint types bench clean

# Exit status 2 is a verdict, not an error: the files are written, and a finding forbids manufacture.
demo: $(READY)
	@$(BIN)/spinal-strut demo --out out/demo || { status=$$?; \
	  test $$status -eq 2 || exit $$status; \
	  echo "The demo ended well. The phantom's strut was designed, measured and found wanting, as told above:"; \
	  echo "every file is marked NOT FOR MANUFACTURE, and the command by itself ends with exit status 2."; }

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/python -m ruff check .

types: $(READY)
	$(BIN)/python -m mypy $(LIBS)

bench: $(READY)
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python Testing/Benchmarks/bench_design.py
	$(BIN)/python Testing/Benchmarks/bench_lattice.py

$(READY): pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 10) <= sys.version_info < (3, 14), 'Python 3.10 to 3.13 is needed, found %s; give another with PYTHON=' % sys.version.split()[0]"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test,slicer,speed]"
	$(BIN)/python -c "open('$(READY)', 'w').close()"

clean:
	rm -rf $(VENV) out build *.egg-info
