# The work is done in tools/, which needs nothing but Python and explains itself.
# PYTHON=python3.12 make lab       chooses the interpreter
# LLAMA_WHEELS=cu124 make lab      takes a ready-made llama.cpp instead of compiling
# CMAKE_ARGS=-DGGML_CUDA=on make lab   compiles it for an accelerator

PYTHON ?= python3
BOOTSTRAP = @$(PYTHON) -m tools.bootstrap

.DEFAULT_GOAL := help
.PHONY: help lab install test test-gpu fuzz lint format bench screenshots guide clean

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\): ## \(.*\)/make \1 \t\2/p' Makefile | expand -t 16

lab: ## install everything into .venv and open JupyterLab on the demo notebook
	$(BOOTSTRAP) lab $(ARGS)

install: ## install everything into .venv
	$(BOOTSTRAP) install

test: ## run every check and test (ARGS are pytest's)
	$(BOOTSTRAP) test $(ARGS)

test-gpu: ## run the tests that need a GPU; makes one of the processor if need be
	$(BOOTSTRAP) test-gpu $(ARGS)

fuzz: ## ask a server 2,000 things that its OpenAPI file allows or forbids
	$(BOOTSTRAP) fuzz $(ARGS)

lint: ## run the checks that read the code
	$(BOOTSTRAP) lint

format: ## repair what the checks can repair
	$(BOOTSTRAP) format

bench: ## measure the engine against other servers; ARGS=responsiveness: the server meanwhile
	$(BOOTSTRAP) bench $(ARGS)

screenshots: ## take pictures of every state of the panels, into .screenshots
	$(BOOTSTRAP) screenshots $(ARGS)

guide: ## train the demo model anew, about 40 minutes (ARGS=--minutes=90)
	$(BOOTSTRAP) guide $(ARGS)

clean: ## remove what was installed and built, but not compiled llama.cpp wheels
	rm -rf .venv build dist llm_ext/labextension labextension/node_modules \
		labextension/lib labextension/.yarn labextension/*.tsbuildinfo \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
