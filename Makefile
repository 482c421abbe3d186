# Each target is a line or two that you could type yourself; on Windows see the README.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python

PYTEST := $(RUN) -m pytest --nbval-lax --nbval-current-env
SPREAD := --numprocesses auto --dist loadscope --no-loadscope-reorder

.PHONY: lab test test-slow notebooks full new lock links handout update

## lab: open the course in JupyterLab (the first call installs it)
lab: $(VENV)/.ready
	$(RUN) -m jupyterlab $(COURSE_LAB_ARGS) notebooks/00_start_here.ipynb

## test: style, types, package, every notebook, a real JupyterLab; make test NN=06 for one notebook and its exercises
test: $(VENV)/.ready
ifdef NN
	$(PYTEST) $(SPREAD) -k "$(NN)_" tests/test_notebooks.py tests/test_exercises.py notebooks/$(NN)_*.ipynb
else
	$(RUN) -m ruff check . && $(RUN) -m mypy
	$(PYTEST) $(SPREAD) -m "not slow"
endif

## test-slow: every exercise with right and wrong answers, every cell twice in a row, every notebook twice in one
##   kernel, one of each part in a real JupyterLab
test-slow: $(VENV)/.ready
	$(PYTEST) $(SPREAD) -m slow $(if $(NN),-k "$(NN)_") tests

## notebooks: execute what changed and write what learners open; NN=14 for one, PROFILE=quick for a look
notebooks: $(VENV)/.ready
	$(RUN) tools/build.py $(NN) $(if $(PROFILE),--profile $(PROFILE))

## full: run one notebook in the full profile and keep its figures, make full NN=13
full: $(VENV)/.ready
	$(RUN) tools/build.py --full $(NN)

## new: begin a notebook, make new NN=14 STEM=project_cifar10
new: $(VENV)/.ready
	$(RUN) tools/new.py $(NN) $(STEM)

## lock: resolve pyproject.toml's dependencies into requirements.lock and environment.yml
lock: $(VENV)/.ready
	$(RUN) tools/lock.py

## links: point every Colab, Binder and repository link elsewhere, make links REPO=owner/name
links: $(VENV)/.ready
	$(RUN) tools/links.py $(REPO)

## handout: notebooks with packed solutions, for a workshop, in build/handout
handout: $(VENV)/.ready
	$(RUN) tools/handout.py

## update: fetch the newest course and carry your answers over
update:
	$(if $(wildcard $(RUN)),$(RUN),$(PYTHON)) tools/update.py

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) tools/setup_env.py $(VENV)
