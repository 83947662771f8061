# make run    the main job on a local cluster, from raw file to versioned tables
# make test   everything that must pass (what continuous integration runs)
# make bench  millrace and its peers on the same files in one run
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
export CGO_ENABLED := 0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X millrace/cluster.Version=$(VERSION)
CACHE := $(CURDIR)/.cache
PYTHON ?= python3
CLIENTS := 4.0.4 4.1.3 4.2.0
VENV := $(CACHE)/venv-4.2.0
PYDEPS := pandas==2.3.3 pyarrow==26.0.1 grpcio-status==1.85.1 matplotlib==3.11.2

.PHONY: build run test bench bench-commits lint unit race sim e2e conformance generate check-generated clean venvs peers

build:
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

run: build $(CACHE)/venv-run/ready
	@$(CACHE)/venv-run/bin/python examples/run.py

test: build lint check-generated unit race e2e conformance
	@echo "all of make test passed"

# -- tests -------------------------------------------------------------------------------------------------------------
unit: venvs duckdb
	go vet ./...
	MILLRACE_SUITES=all go test -timeout 25m ./...

# The race detector needs cgo; the packages here are those whose goroutines share state.
RACE := ./scheduler/... ./shuffle/... ./txn/... ./delta/... ./storage/... ./memory/... ./session/... ./cluster/... ./worker/... \
  ./gateway/... ./engine/... ./stream/... ./state/... ./cache/... ./jobs/... ./ml/...
race:
	CGO_ENABLED=1 go test -race -short -timeout 25m $(RACE)

# Spark reads what millrace wrote where there are a JDK and Maven to set it up.
e2e: build venvs duckdb $(CACHE)/venv-run/ready $(CACHE)/bin/versitygw browser
	@if command -v java >/dev/null && command -v mvn >/dev/null; then bench/setup.sh spark; else echo "no JDK with Maven: what asks Spark is skipped"; fi
	MILLRACE_E2E=1 go test -count=1 -timeout 50m ./e2e/...

conformance: build $(VENV)/ready
	@e2e/conformance.sh

lint: $(CACHE)/bin/golangci-lint
	$(CACHE)/bin/golangci-lint run ./...

# -- generated code ----------------------------------------------------------------------------------------------------
generate: $(CACHE)/bin/protoc-gen-go $(CACHE)/venv-tools/ready
	PATH=$(CACHE)/bin:$(CACHE)/venv-tools/bin:$$PATH go generate ./...

check-generated: generate
	@test -z "$$(git status --porcelain -- '*.pb.go' '*_gen.go')" || { git status --short -- '*.pb.go' '*_gen.go'; \
	  echo "generated code is not current: run make generate and commit" >&2; exit 1; }

# -- tools, each pinned and fetched once -------------------------------------------------------------------------------
$(CACHE)/bin/golangci-lint: tools/go.mod
	@mkdir -p $(CACHE)/bin
	cd tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(CACHE)/bin/protoc-gen-go: tools/go.mod
	@mkdir -p $(CACHE)/bin
	cd tools && go build -o $(CACHE)/bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

# A real browser for the page's test, where there is one or can be; without it that test is skipped.
PLAYWRIGHT := playwright-core@1.65.1
.PHONY: browser
browser:
	@if ! command -v npm >/dev/null; then echo "no npm: the page is not tested in a browser"; \
	elif ! [ -e $(CACHE)/playwright/$(PLAYWRIGHT) ]; then mkdir -p $(CACHE)/playwright && \
	  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --silent --no-audit --no-fund --prefix $(CACHE)/playwright $(PLAYWRIGHT) && touch $(CACHE)/playwright/$(PLAYWRIGHT); fi
	@command -v chromium chromium-browser google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get install -qq -y --no-install-recommends chromium >/dev/null; } || echo "no Chromium: the page is not tested in a browser"

# An S3 server for the end-to-end tests.
$(CACHE)/bin/versitygw:
	GOBIN=$(CACHE)/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

$(CACHE)/venv-tools/ready: Makefile
	$(PYTHON) -m venv $(CACHE)/venv-tools
	$(CACHE)/venv-tools/bin/pip install -q grpcio-tools==1.85.1 pyspark-client==4.2.0 $(PYDEPS)
	$(CACHE)/venv-tools/bin/pip install -q --no-deps delta-spark==4.4.1
	@touch $@

venvs: $(foreach v,$(CLIENTS),$(CACHE)/venv-$(v)/ready)

$(CACHE)/venv-%/ready: Makefile
	$(PYTHON) -m venv $(CACHE)/venv-$*
	$(CACHE)/venv-$*/bin/pip install -q pyspark-client==$* $(PYDEPS) deltalake==1.6.6
	$(CACHE)/venv-$*/bin/pip install -q --no-deps delta-spark==4.4.1
	@touch $@

# A peer for answers: DuckDB with the data and queries of TPC. What needs it is skipped where it cannot be set up.
.PHONY: duckdb
duckdb:
	@$(MAKE) -s $(CACHE)/venv-duckdb/ready || echo "DuckDB is not set up: what is held against it is skipped"

$(CACHE)/venv-duckdb/ready: Makefile
	$(PYTHON) -m venv $(CACHE)/venv-duckdb
	$(CACHE)/venv-duckdb/bin/pip install -q duckdb==1.4.4 duckdb-ext duckdb-ext-tpch duckdb-ext-tpcds
	@touch $@

# What the scenario needs: a client, MLflow, and what draws the plots.
$(CACHE)/venv-run/ready: Makefile
	$(PYTHON) -m venv $(CACHE)/venv-run
	$(CACHE)/venv-run/bin/pip install -q pyspark-client==4.2.0 pandas==2.3.3 pyarrow==25.0.1 grpcio-status==1.85.1 deltalake==1.6.6 mlflow==3.17.2 matplotlib==3.11.2
	@touch $@

peers:
	bench/setup.sh

bench: build
	bench/setup.sh
	$(CACHE)/venv-bench/bin/python bench/bench.py
	$(CACHE)/venv-bench/bin/python bench/tpch.py
	$(CACHE)/venv-bench/bin/python bench/tpch.py --spread 1,2,4 --runs 2
	$(CACHE)/venv-bench/bin/python bench/changes.py
	$(CACHE)/venv-bench/bin/python bench/commits.py

# Only the commits: small appends by many writers.
bench-commits: build
	bench/setup.sh
	$(CACHE)/venv-bench/bin/python bench/commits.py

clean:
	rm -rf bin .run
