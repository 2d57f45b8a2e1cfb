# The two main targets are `make run` and `make test`. `make help` lists all targets.
.DEFAULT_GOAL := help
.PHONY: help run build check test proof bench conformance mutants lint audit clean

# Adds rustup's folder, for shells that don't have it in PATH yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## install missing dependencies, build, start the service; ARGS="…" passes arguments to `serve`
	@scripts/setup
	@cargo build --release
	@exec "$${CARGO_TARGET_DIR:-target}/release/agent-registry" serve $(ARGS)

build: ## build the service with optimisations
	@scripts/setup
	@cargo build --release

check: ## run rustfmt, cargo check and the tests that read the sources; takes seconds
	@scripts/setup lint
	@scripts/check

test: ## install missing dependencies, run all lints and all tests
	@scripts/step "set-up" scripts/setup test
	@scripts/test

proof: ## run the property tests of `make test` with many more requests; takes half an hour, prints statistics
	@scripts/step "set-up" scripts/setup test
	@PROOF=full cargo test --test api canary -- --nocapture --skip canary::alike
	@PROOF=full cargo test --test api canary::alike -- --nocapture --test-threads=1
	@PROOF=full cargo test --test api gateway::map -- --nocapture
	@PROOF=full cargo test --test api soak::a_watch -- --nocapture
	@PROOF=full cargo test --test api -- --nocapture --test-threads=1 hangup:: linear:: rolling:: silent:: socket::stuck::

conformance: ## run the conformance tests of other projects' tools at full length; takes minutes, prints statistics
	@scripts/step "set-up" scripts/setup test
	@scripts/conformance

bench: ## run all benchmarks and write docs/performance.md; ARGS=--big adds a database with a million versions
	@scripts/setup
	@cargo bench --bench speed -- --write $(ARGS)
	@cargo bench --bench parts
	@cargo bench --bench worst
	@cargo bench --bench bystander

mutants: ## run mutation tests on the most critical files; FILES="…" selects files
	@scripts/setup
	@FILES="$(FILES)" ARGS="$(ARGS)" scripts/mutants

lint: ## run rustfmt, clippy, rustdoc, the prose lint and the check of commit subjects
	@scripts/setup lint
	@scripts/lint

audit: ## check the dependencies' licences, duplicates, sources and advisories
	@scripts/audit

clean: ## remove build outputs; keeps the data folder
	@cargo clean
	@rm -rf tests/node_modules console/node_modules tests/.venv
