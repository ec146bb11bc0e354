# What people type. `make` alone prints what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build website up simulate test test-website test-browser lint bench check-template sam-build clean

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/freshet
# Outside the clone, so that another clone of the project starts warm.
export CARGO_TARGET_DIR ?= $(CACHE)/target
# As an absolute path: cargo would take a relative one from its own folder.
override CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
RELEASE := $(CARGO_TARGET_DIR)/release
# The website is built again when one of these has changed.
SITE := website/dist/index.html
SITE_PACKAGES := website/node_modules/.package-lock.json
SITE_SOURCES := $(shell find website -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/e2e/*' 2>/dev/null)
# Arguments of the command: make up ARGS='--port 3101', make bench ARGS=latency
ARGS ?=

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check that all tools are there; install or name what is missing
	@scripts/setup

build: setup $(SITE) ## Build functions, command and website, optimised
	cargo build --release --locked --bins

website: setup $(SITE) ## Build the website alone, into website/dist

$(SITE_PACKAGES): website/package.json website/package-lock.json website/client/package.json
	cd website && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(SITE): $(SITE_PACKAGES) $(SITE_SOURCES)
	cd website && npm run --silent build

up: build ## Build and run everything on this machine; Ctrl-C stops it
	@exec "$(RELEASE)/freshet" up $(ARGS)

simulate: build ## Shoppers who have tastes, for what `make up` runs in another terminal
	@exec "$(RELEASE)/freshet" simulate $(ARGS)

test: ## Every test, and the checks of template.yaml
	@scripts/setup --with-python --with-browser
	@scripts/localstack >/dev/null
	cargo build --workspace --bins --locked
	cargo test --workspace --locked
	@$(MAKE) --no-print-directory test-website test-browser
	scripts/check-template

test-website: $(SITE) ## The website's own tests
	cd website && npm test --silent

test-browser: $(SITE) ## The shop in a real browser, on a running system of its own
	@scripts/setup --with-browser
	cargo build --workspace --bins --locked
	scripts/test-in-browser "$(CARGO_TARGET_DIR)/debug"

lint: setup $(SITE_PACKAGES) ## Formatting and lints, as in CI
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cd website && npm run --silent lint

bench: build ## Measure everything, or one thing: ARGS=latency, throughput, cold-start, push
	@for what in $(if $(ARGS),"$(ARGS)",latency throughput cold-start push); do \
		"$(RELEASE)/freshet" bench $$what; \
	done

check-template: ## Check template.yaml with SAM's own tools, without an AWS account
	@scripts/setup --with-python
	@scripts/check-template

sam-build: ## Build what a deployment would upload, into .aws-sam/build; no Docker
	@scripts/setup --with-python
	scripts/sam-build

clean: ## Remove what was built in this clone (the shared target folder stays)
	rm -rf .aws-sam website/dist website/node_modules
