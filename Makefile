# The commands of this project. `make help` lists them; CI runs `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOOLS := $(CURDIR)/.tools
VENV := $(TOOLS)/venv
MDBOOK_VERSION := 0.5.4
MDBOOK := $(TOOLS)/mdbook/$(MDBOOK_VERSION)/bin/mdbook
export ROLLOUT_SANDBOX_MINISTACK := $(VENV)/bin/ministack
export LAMBDA_ROLLOUT_ROOT := $(CURDIR)
# The AWS SDK for JavaScript announces the end of its support for Node 20 at every start.
export NODE_NO_WARNINGS := 1

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

.PHONY: demo
demo: build tools ## See it: a rollout, a rollback and a recovery, on this machine
	@PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" node $(TOOLS)/js/demo/story.js

.PHONY: screenshots
screenshots: build tools ## Record the demo from a real run, and draw its rollback for the README
	@PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" $(VENV)/bin/python demo/record.py docs/media/demo.cast node $(TOOLS)/js/demo/story.js
	$(VENV)/bin/python demo/picture.py docs/media/demo.cast "error occurred" "version 2 serves again" docs/media/demo.svg

.PHONY: book
book: $(TOOLS)/js.stamp $(MDBOOK) ## The guides as HTML in target/book, every link checked; builds mdBook once
	$(MDBOOK) build
	node $(TOOLS)/js/book/links.js target/book

.PHONY: test
test: check unit sdk-test hooks-test docs-test e2e examples dist-check ## Run every test

.PHONY: build
# With the tests, so that everything is compiled once with one set of features.
build: ## Build the provider, the sandbox and the tests' stand-in for the AWS provider
	cargo build --workspace --all-targets --locked

.PHONY: check
check: ## Formatting, lints, and whether what is generated is fresh
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	tools/check-fresh.sh
	cd tools && go vet ./sdkgen && go test ./sdkgen
	tools/check-sources.sh
	python3 tools/version.py check
	"$$(tools/pulumi.sh)" schema check schema.json

.PHONY: audit
audit: ## Licences, banned crates, sources and known vulnerabilities of the crates; builds cargo-deny once
	tools/audit.sh

.PHONY: unit
unit: build tools ## Unit tests, and the protocol and the sandbox from outside
	cargo test --workspace --locked

.PHONY: sdk
sdk: ## Generate the SDKs from schema.json
	cd tools && go run ./sdkgen ../schema.json ../sdk-gen

.PHONY: messages
messages: build ## Write docs/messages.md: the messages that a person sees, as they look
	WRITE_MESSAGES=1 cargo test --workspace --locked --test messages

.PHONY: sdk-test
sdk-test: ## Pack each generated SDK, and use the package in an empty project
	tools/check-sdks.sh

.PHONY: e2e
e2e: build tools ## The real CLI, the real plugin and the sandbox, in TypeScript and Go
	PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" node --test --test-concurrency=3 $(TOOLS)/js/tests/e2e/
	PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" tests/go/run.sh

.PHONY: example
example: build tools $(TOOLS)/examples.stamp ## Run one example in the sandbox: make example NAME=canary
	@PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" node $(TOOLS)/js/tests/examples/run.js $(or $(NAME),$(error say which one: make example NAME=canary))

.PHONY: examples
examples: build tools $(TOOLS)/examples.stamp ## Run every example in the sandbox
	@PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" node $(TOOLS)/js/tests/examples/run.js

.PHONY: hooks-test
hooks-test: build tools $(TOOLS)/hooks.stamp ## Pack the hook SDKs, and test what users install, also in the sandbox
	hooks/python/check.sh $(TOOLS)/hooks/venv $(TOOLS)/hooks/python & hooks/typescript/check.sh $(TOOLS)/hooks/typescript && wait $$!
	$(VENV)/bin/python hooks/sandbox_test.py target/debug/rollout-sandbox $(TOOLS)/hooks

.PHONY: docs-test
docs-test: tools $(TOOLS)/examples.stamp ## Check every program, command, link and path in the guides, the READMEs and the schema
	node --test --test-concurrency=2 $(TOOLS)/js/tests/docs/

.PHONY: dist
# A release build of the AWS SDK takes a quarter of an hour, once.
dist: ## Build the provider as it is shipped, for this machine, and pack it with SBOM and checksums into dist/
	tools/dist.sh

.PHONY: packages
packages: ## Make the npm and PyPI packages that a release publishes, in dist/packages
	tools/packages.sh dist/packages

.PHONY: dist-test
dist-test: ## Install what `make dist` has packed with the real CLI, and ask it for its schema
	tools/check-dist.sh dist

.PHONY: dist-check
dist-check: build ## The same for the debug build: whether what is packed can be installed
	tools/dist.sh --debug $(TOOLS)/dist
	tools/check-dist.sh $(TOOLS)/dist --debug

.PHONY: soak
soak: build tools ## The long run: kill the provider at every call, lose calls, send it a million bad requests; print a table
	LAMBDA_ROLLOUT_SOAK=1 cargo test --workspace --no-fail-fast --locked --test reliability --test fuzz -- --nocapture > target/soak.log 2>&1 || (cat target/soak.log; exit 1)
	@tools/reliability-figures.sh target/soak.log docs/reliability.md

.PHONY: nightly
nightly: build tools ## A thousand random stories, others each night; a story that goes wrong is cut down to what matters
	LAMBDA_ROLLOUT_SEQUENCES=$${SEQUENCES:-1000} LAMBDA_ROLLOUT_SEED=$${SEED:-$$(date +%Y%m%d)} \
		cargo test --workspace --locked --test reliability whatever_happens -- --nocapture

.PHONY: bench
# A release build of the AWS SDK takes a quarter of an hour, once; the measurement takes another twenty-five minutes.
bench: tools ## What the provider costs as a process and in waiting, next to others; BENCH_REPEATS=1 for a quick look
	bench/build.sh
	target/release/rollout-bench
	@case "$(BENCH_ONLY)" in ""|many) \
		PATH="$$(dirname "$$(tools/pulumi.sh)"):$$PATH" node $(TOOLS)/js/bench/many/many.js;; esac

.PHONY: sandbox-conformance
sandbox-conformance: build tools ## Drive the sandbox with botocore and its guide; print operations and outcomes
	$(VENV)/bin/python sandbox/conformance/run.py target/debug/rollout-sandbox

.PHONY: sandbox-load
sandbox-load: build tools ## Run 300 deployments at once in the sandbox, and tell the memory that it takes
	$(VENV)/bin/python sandbox/conformance/load.py target/debug/rollout-sandbox

.PHONY: tools
tools: $(TOOLS)/venv.stamp $(TOOLS)/node.stamp $(TOOLS)/js.stamp ## Install what the demo and the tests need besides Rust, Go, Node and Python
	@tools/pulumi.sh > /dev/null

$(TOOLS)/venv.stamp: requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement requirements.txt
	touch $@

$(TOOLS)/node.stamp: package.json package-lock.json $(wildcard sdk-gen/nodejs/*.ts sdk-gen/nodejs/*/*.ts sdk-gen/nodejs/*.json)
	npm ci --no-audit --no-fund --ignore-scripts --loglevel error
	tools/install-node-sdk.sh
	touch $@

$(TOOLS)/js.stamp: $(TOOLS)/node.stamp tsconfig.json $(wildcard bench/many/*.ts book/*.ts demo/*.ts tests/support/*.ts tests/docs/*.ts tests/e2e/*.ts tests/examples/*.ts)
	npx --no-install tsc
	touch $@

$(MDBOOK):
	cargo install --quiet --locked --root $(TOOLS)/mdbook/$(MDBOOK_VERSION) --version $(MDBOOK_VERSION) \
		--no-default-features --features search mdbook

$(TOOLS)/hooks.stamp: hooks/typescript/package.json hooks/typescript/package-lock.json hooks/python/requirements.txt
	cd hooks/typescript && npm ci --no-audit --no-fund --ignore-scripts --loglevel error
	python3 -m venv $(TOOLS)/hooks/venv
	$(TOOLS)/hooks/venv/bin/pip install --quiet --disable-pip-version-check --requirement hooks/python/requirements.txt
	touch $@

$(TOOLS)/examples.stamp: $(TOOLS)/node.stamp $(TOOLS)/hooks.stamp tests/examples/requirements.txt $(wildcard hooks/typescript/src/*.ts hooks/typescript/src/*/*.ts sdk-gen/python/*/*.py)
	tests/examples/install.sh
	touch $@
