# Each target is a line or two that you could type yourself; on Windows see the README.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python

.PHONY: lab test notebooks full lock links handout

## lab: open the course in JupyterLab (the first call installs it)
lab: $(VENV)/.ready
	$(RUN) -m jupyterlab $(COURSE_LAB_ARGS) notebooks/00_start_here.ipynb

## test: style, types, package, every notebook, every exercise, a real JupyterLab
test: $(VENV)/.ready
	$(RUN) -m ruff check . && $(RUN) -m mypy
	$(RUN) -m pytest --numprocesses auto --dist loadfile --nbval-lax --nbval-current-env

## notebooks: execute the sources that changed and write what learners open
notebooks: $(VENV)/.ready
	$(RUN) tools/build.py $(NN)

## full: run one notebook in the full profile and keep its figures, make full NN=13
full: $(VENV)/.ready
	$(RUN) tools/build.py --full $(NN)

## lock: resolve pyproject.toml's dependencies into requirements.lock and environment.yml
lock: $(VENV)/.ready
	$(RUN) tools/lock.py

## links: point every Colab, Binder and repository link elsewhere, make links REPO=owner/name
links: $(VENV)/.ready
	$(RUN) tools/links.py $(REPO)

## handout: notebooks without solutions, for a workshop, in build/handout
handout: $(VENV)/.ready
	$(RUN) tools/handout.py

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) tools/setup_env.py $(VENV)
