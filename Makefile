# Every command sets up what it needs on Debian 12 and can be run again at no cost.
.DEFAULT_GOAL := help
.PHONY: help run build test test-browser demo bench fuzz format clean packages packages-run packages-test packages-browser packages-bench

run: packages-run build ## build Doctor and start it on ./data
	@echo "In another terminal, for example:"
	@echo "  mosquitto_sub -v -t '#'"
	@echo "  curl --json '{\"id\": \"1\", \"name\": \"vm1\"}' localhost:3000/entities/vm"
	@echo "  curl localhost:3000/entities/vm"
	@echo "  build/release/doctor --help"
	@exec build/release/doctor serve --data-dir data

build: packages ## build/release/doctor
	@cmake --preset release >/dev/null
	@cmake --build build/release -- doctor

test: packages-test ## every test; one step: make test-layers, -format, -unit, -scenarios, -asan, -fuzz, -tsan
	@tests/run

test-%: packages-test
	@tests/run $*

test-browser: packages-browser ## mqtt.js and the API in a real Chromium; not part of make test
	@tests/run browser

demo: packages-test build ## real data, queries and pushed changes, in a minute
	@scripts/demo

bench: packages-bench build ## measure, and write the table of ratios
	@cmake --preset bench >/dev/null
	@cmake --build build/bench -- bare_epoll raw_fdatasync updates push_latency event_latency mqtt_load stomp_load in_process events_bench client_bench
	@bench/run.py $(BENCH)

fuzz: packages-test build ## look for mistakes until interrupted: decoders, and queries against the naive model
	@tests/fuzz

format: packages-test ## lay out the C++ sources
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

clean: ## remove what was built; ./data stays
	rm -rf build

packages:
	@scripts/install-packages build

packages-run:
	@scripts/install-packages build run

packages-test:
	@scripts/install-packages build run test

packages-browser:
	@scripts/install-packages build run test browser

packages-bench:
	@scripts/install-packages build run test bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
