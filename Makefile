# `make` alone lists the targets. Two of them do all the set-up: `make run` and `make test`.
SWIFT ?= swift
CONFORMANCE_DIR ?= ../shared/conformance
BUILD_FLAGS = --explicit-target-dependency-import-check error
# Swift's own libraries are part of the release program: it starts sooner and runs where no Swift is installed.
RELEASE_FLAGS = -c release --static-swift-stdlib

.PHONY: help packages test-packages build release run test lint fmt unit e2e kill-test rules conformance fuzz sim sim-long bench bench-tools soak demo man clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

packages: ## install the Debian packages a build needs, where they are missing
	@.ci/install-packages build

test-packages: ## install what the tests need besides
	@.ci/install-packages test

build: packages ## debug build; undeclared imports are errors
	$(SWIFT) build $(BUILD_FLAGS)

release: packages ## release build of the program
	$(SWIFT) build $(RELEASE_FLAGS) --product tocsin

run: release ## build and start the daemon: http://127.0.0.1:9190
	exec .build/release/tocsin run

lint: ## formatting and house rules
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

fmt: ## format in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

unit: build ## unit tests
	$(SWIFT) test $(BUILD_FLAGS)

rules: build ## the shipped rules and examples: checked and tested
	.build/debug/tocsin check rules rules/database.yml rules/self.yml examples/db-pool/rules.yml
	.build/debug/tocsin test rules rules/*.test.yml

e2e: build ## real processes on loopback: exporter, Alertmanager, Prometheus, the demo
	python3 -m unittest discover --start-directory Tests/EndToEnd --pattern '*_test.py' --verbose

kill-test: build ## the daemon is killed a hundred times under load
	cd Tests/EndToEnd && KILLS=100 python3 -m unittest --verbose kill_test

test: test-packages lint unit rules e2e ## everything

conformance: packages ## cases from CONFORMANCE_DIR against the committed numbers
	$(SWIFT) run -c release conformance $(CONFORMANCE_DIR) --failures 3 --baseline Tests/conformance.json

fuzz: packages ## a million generated and damaged inputs for every parser and the engine
	$(SWIFT) run -c release fuzz --rounds 1000000

sim: packages ## one simulated world, event by event: make sim SEED=7
	$(SWIFT) run sim $(or $(SEED),1) --verbose

sim-long: packages ## ten thousand simulated worlds
	$(SWIFT) run -c release sim 0 --count 10000 --shrink

bench: packages ## nanoseconds of the hot paths, and what sealed rows take up
	$(SWIFT) run -c release benchmarks

bench-tools: release ## check and test beside Debian's promtool: processor time, start, memory
	@.ci/peers
	python3 Benchmarks/tools/tools.py --tocsin .build/release/tocsin --promtool .build/peers/usr/bin/promtool --cases $(CONFORMANCE_DIR)

soak: release ## half an hour at 100,000 series with churn; draws docs/benchmarks/soak.svg
	python3 Benchmarks/soak/soak.py --tocsin .build/release/tocsin

demo: release ## a real application runs out of connections, is told, and recovers
	python3 examples/db-pool/demo.py --tocsin .build/release/tocsin

man: build ## manual pages, one for every command, into .build/man
	@mkdir -p .build/man
	.build/debug/tocsin manual .build/man

clean: ## remove what builds made
	rm -rf .build
