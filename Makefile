# The registry's two commands, `make run` and `make test`, and what stands beside them. `make help` lists all.
.DEFAULT_GOAL := help
.PHONY: help run build check test proof bench conformance mutants lint audit clean

# rustup's own place, for shells whose profile doesn't name it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## install what is missing, build, start the service; ARGS="…" goes to `serve`
	@scripts/setup
	@cargo build --release
	@exec "$${CARGO_TARGET_DIR:-target}/release/agent-registry" serve $(ARGS)

build: ## build the service, optimised
	@scripts/setup
	@cargo build --release

check: ## the quick answer while you write, in seconds: rustfmt, types, layers, prose, commit subjects
	@scripts/setup lint
	@scripts/check

test: ## install what is missing; the lints, and every test
	@scripts/step "set-up" scripts/setup test
	@scripts/test

proof: ## what `make test` proves with few requests, with many: half an hour or so, and prints figures
	@scripts/step "set-up" scripts/setup test
	@PROOF=full cargo test --test api canary -- --nocapture --skip canary::alike
	@PROOF=full cargo test --test api canary::alike -- --nocapture --test-threads=1
	@PROOF=full cargo test --test api gateway::map -- --nocapture
	@PROOF=full cargo test --test api soak::a_watch -- --nocapture
	@PROOF=full cargo test --test api -- --nocapture --test-threads=1 hangup:: linear:: rolling:: silent:: socket::stuck::

conformance: ## what others' tools say of the service, at length: minutes, and prints figures
	@scripts/step "set-up" scripts/setup test
	@scripts/conformance

bench: ## how fast it is beside what else there is, into docs/performance.md; the parts, the worst documents, attackers; ARGS=--big for a million versions
	@scripts/setup
	@cargo bench --bench speed -- --write $(ARGS)
	@cargo bench --bench parts
	@cargo bench --bench worst
	@cargo bench --bench bystander

mutants: ## plants mistakes in the most delicate files and says which of them no test notices; FILES="…" chooses files
	@scripts/setup
	@FILES="$(FILES)" ARGS="$(ARGS)" scripts/mutants

lint: ## rustfmt, clippy, rustdoc, prose and commit subjects
	@scripts/setup lint
	@scripts/lint

audit: ## the dependencies' licences, duplicates, sources and advisories
	@scripts/audit

clean: ## remove what was built; the data folder stays
	@cargo clean
	@rm -rf tests/node_modules tests/.venv
