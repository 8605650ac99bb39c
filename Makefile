# `make help` lists the targets.
#
# Which cluster a target works on: the context named in CONTEXT, else the one of
# `make cluster` if that is up and KUBECONFIG is not set, else kubectl's current one.
# NAMESPACE moves what is deployed or removed to that namespace.

CLUSTER_DIR ?= .cluster
override CLUSTER_DIR := $(abspath $(CLUSTER_DIR))
CONTEXT     ?=
SVC         ?=
NAMESPACE   ?=
OVERLAY      = dev
PORT         = 8080
FUZZTIME     = 30000x
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0
KUSTOMIZE   := v5.8.1
# Not asked of the manifests: a NetworkPolicy, because the overlays of the workshop
# have none, and the tests of kustomize compare those of the others with the shop's
# picture; pull policies and host names, because digests and topology spread do what
# these are for; ephemeral storage, because the root is read-only and volumes have
# limits; a second replica for one developer.
KUBE_SCORE  := go run github.com/zegl/kube-score/cmd/kube-score@v1.20.0 score --kubernetes-version=v1.34 --exit-one-on-warning \
  --min-replicas-deployment=1 --ignore-test=pod-networkpolicy,container-image-pull-policy,container-ephemeral-storage-request-and-limit,deployment-has-host-podantiaffinity

KO         := bin/ko
INTERCEPT  := bin/intercept
# Programs and tests are compiled as ko compiles images, so that all of them share
# what is compiled of Go's own packages and of the modules. go vet is part of lint.
AS_IMAGES  := CGO_ENABLED=0 GOFLAGS="$$GOFLAGS -trimpath"
GO_BUILD   := $(AS_IMAGES) sh internal/gobuild/gobuild.sh
GO_TEST    := $(AS_IMAGES) go test -vet=off
# The commands of the documentation do not see it: they print some of the environment.
GO_TEST_E2E := CGO_ENABLED=0 go test -trimpath -exec='env -u CGO_ENABLED' -vet=off -tags=e2e -count=1
KO_FLAGS    = $(if $(CONTEXT),--context=$(CONTEXT)) $(if $(NAMESPACE),--namespace=$(NAMESPACE))
SELECT      = $(if $(SVC),--selector=app.kubernetes.io/name=$(SVC))
# The race detector needs cgo, and with it a C compiler.
RACE        = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
# Reads KUBECONFIG, KO_DOCKER_REPO and KO_DEFAULTBASEIMAGE of `make cluster`.
USE_CLUSTER = $(if $(CONTEXT)$(KUBECONFIG),,if [ -f $(CLUSTER_DIR)/env ]; then . $(CLUSTER_DIR)/env; fi;)

.DEFAULT_GOAL := help
.NOTPARALLEL: # "make cluster deploy-dev" means one after the other.
.PHONY: help up intercept install deploy-dev deploy-workshop undeploy-dev undeploy-workshop test test-all test-slow test-apiserver test-prune test-record test-reloads chaos mutants e2e bench bench-up bench-shop fuzz lint vuln cluster cluster-down $(KO) $(INTERCEPT)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(KO) $(INTERCEPT):
	@$(GO_BUILD) $@ build -o $@ ./cmd/$(@F)

up: $(KO) ## Run the dev overlay on this machine, without a cluster; SVC=payments-svc for one service
	@$(KO) up -k kustomize/overlays/dev $(SVC)

intercept: $(KO) $(INTERCEPT) ## Run SVC=payments-svc here and lead the cluster's requests to it; OVERLAY=workshop, PORT=8081, HEADER=baggage=attendee=ada
	@$(INTERCEPT) --ko $(KO) -k kustomize/overlays/$(OVERLAY) --port $(PORT) $(if $(HEADER),--header '$(HEADER)') $(or $(SVC),$(error SVC is not set: name the service to intercept, as in make intercept SVC=payments-svc))

install: ## Install ko into GOBIN
	@$(GO_BUILD) ko install ./cmd/ko

deploy-dev: $(KO) ## Build and deploy the dev overlay; SVC=payments-svc for one service
	@$(USE_CLUSTER) $(KO) apply -k kustomize/overlays/dev $(SELECT) --wait $(KO_FLAGS)

deploy-workshop: $(KO) ## Build and deploy the workshop overlay; SVC=... for one service
	@$(USE_CLUSTER) $(KO) apply -k kustomize/overlays/workshop $(SELECT) --wait $(KO_FLAGS)

undeploy-dev: $(KO) ## Delete what deploy-dev made, its data included
	@$(USE_CLUSTER) $(KO) delete -k kustomize/overlays/dev $(SELECT) --ignore-not-found $(KO_FLAGS)

undeploy-workshop: $(KO) ## Delete what deploy-workshop made, its data included
	@$(USE_CLUSTER) $(KO) delete -k kustomize/overlays/workshop $(SELECT) --ignore-not-found $(KO_FLAGS)

cluster: ## Start a single-node Kubernetes and a registry on this machine (Linux, root)
	@cd cmd/cluster && go run . up --dir $(CLUSTER_DIR)

cluster-down: ## Stop it and leave nothing behind
	@cd cmd/cluster && go run . down --dir $(CLUSTER_DIR)

# Other words for go test go into ARGS, such as ARGS=-v.
test: ## Run the tests that take little time; they need no cluster
	$(GO_TEST) -short -timeout=30m $(ARGS) ./...

test-all: test test-slow ## Run all tests that need no cluster

test-slow: ## Run those of test-all that are not in test: slow ones, the race detector, the local node's module
	go test -vet=off -timeout=1h $(RACE) $(ARGS) $$(go list ./... | grep -v -e /internal/kit/layouts -e /internal/kit/reload/supervisor)
	RACE=$(RACE) $(GO_TEST) -timeout=1h $(ARGS) ./internal/kit/layouts ./internal/kit/reload/supervisor # Mostly the go tool, and a program that is compiled with the race detector.
	cd cmd/cluster && $(GO_TEST) -timeout=30m $(ARGS) ./...

chaos: ## Break the shop during 100,000 payments on each database and compare what it says; CHAOS_SEED, CHAOS_ATTEMPTS
	CHAOS_ATTEMPTS=$(or $(CHAOS_ATTEMPTS),100000) $(GO_TEST) -count=1 -timeout=6h -v -run=TestFaults $(ARGS) ./internal/shop/chaos

mutants: ## Run the tests of payments and orders, and the faults, on mistakes that they must find; takes an hour
	MUTANTS=1 $(GO_TEST) -count=1 -timeout=6h -v -run='^Test(TheSuiteFindsMutants|MutantsOfTheMoneyRules)$$' $(ARGS) ./internal/shop/chaos

test-apiserver: $(CLUSTER_DIR)/bin/kube-apiserver ## Run those tests that take a real API server, without a node
	KUBEBUILDER_ASSETS=$(CLUSTER_DIR)/bin $(GO_TEST) -tags=apiserver -timeout=2h -parallel=6 $(ARGS) ./internal/kit/apply/... ./internal/kit/registry

test-prune: $(CLUSTER_DIR)/bin/kube-apiserver ## Edit overlays 1,000 times at random and apply them with --prune; PRUNE_EDITS
	KUBEBUILDER_ASSETS=$(CLUSTER_DIR)/bin PRUNE_EDITS=$(or $(PRUNE_EDITS),1000) $(GO_TEST) -tags=apiserver -count=1 -timeout=3h -v -run='^TestRandomEdits$$' $(ARGS) ./internal/kit/apply

test-record: ## Edit a module 10,000 times at random and compare what its record says with a build; RECORD_EDITS, RECORD_SEED
	RECORD_EDITS=$(or $(RECORD_EDITS),10000) RECORD_SEED=$(or $(RECORD_SEED),$(shell date +%s)) $(GO_TEST) -count=1 -timeout=6h -v -run='^TestRandomEdits$$' $(ARGS) ./internal/kit/record

$(CLUSTER_DIR)/bin/kube-apiserver:
	$(MAKE) cluster cluster-down

e2e: $(KO) $(if $(CONTEXT)$(KUBECONFIG),,cluster) ## Deploy the overlays for real and walk the user flow
	@$(USE_CLUSTER) KO=$(CURDIR)/$(KO) CONTEXT=$(CONTEXT) $(GO_TEST_E2E) -timeout=3h -parallel=6 -v ./internal/e2e

test-reloads: $(KO) $(if $(CONTEXT)$(KUBECONFIG),,cluster) ## Reload a hundred times in pods, under traffic and after edits; RELOADS
	@$(USE_CLUSTER) KO=$(CURDIR)/$(KO) CONTEXT=$(CONTEXT) RELOADS=$(or $(RELOADS),100) $(GO_TEST_E2E) -timeout=2h -v -run='^Test(ReloadsUnderTraffic|ManyEditsInAPod)$$' $(ARGS) ./internal/e2e

bench: $(KO) $(if $(CONTEXT)$(KUBECONFIG),,cluster) ## Compare deploys of nothing new, edits until served and a fresh clone with upstream ko, in one table
	@$(USE_CLUSTER) KO=$(CURDIR)/$(KO) CONTEXT=$(CONTEXT) $(GO_TEST_E2E) -timeout=40m -run='^$$' -bench=. -benchtime=1x ./internal/e2e

bench-up: $(KO) ## Measure ko up: requests during a hundred reloads, memory
	@KO=$(CURDIR)/$(KO) $(GO_TEST_E2E) -timeout=40m -run='^$$' -bench='^BenchmarkUp$$' -benchtime=1x ./internal/e2e

bench-shop: ## Measure what the gateway adds to a request, as ratios, on SQLite and on PostgreSQL
	$(GO_TEST) -timeout=20m -run='^$$' -bench='^BenchmarkShop$$' -benchtime=1x $(ARGS) ./internal/shop

# A few at a time, since a good part of each run is compiling, linking and starting it.
# FUZZTIME counts inputs: at the end of a time, go test reports some inputs that
# it stopped as failures ("context deadline exceeded", go.dev/issue/75804, mended in Go 1.27).
fuzz: ## Fuzz every decoder of the shop with FUZZTIME inputs each; FUZZTIME=3000x for a quick look
	@set -e; found=$$($(GO_TEST) -list='^Fuzz' ./internal/shop/...); \
	echo "$$found" | awk '/^Fuzz/ {names[n++] = $$1} $$1 == "ok" {while (n) print $$2, names[--n]}' | \
	$(AS_IMAGES) xargs -P 4 -L 1 sh -c 'out=$$(go test -vet=off -parallel=1 -run="^$$" -fuzz="^$$1\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=100x "$$0" 2>&1) && \
	  echo "$${0##*/shop/} $$1: $$(echo "$$out" | grep -o "execs: [0-9]*" | tail -n 1)" || { echo "$$out"; exit 1; }'

lint: ## Lint the code and the manifests
	@! gofmt -l $$(git ls-files '*.go') | grep .
	go vet -tags=e2e,apiserver ./...
	GOOS=windows go build -o /dev/null ./cmd/ko && GOOS=windows go build -o /dev/null ./cmd/workshop
	go run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) -tags=e2e,apiserver ./...
	cd cmd/cluster && export $(AS_IMAGES) && go vet ./... && go run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) ./...
	@set -e; for overlay in kustomize/overlays/*/; do manifests=$$(go run sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE) build $$overlay); echo "$$manifests" | $(KUBE_SCORE) -; done

vuln: ## Look for known vulnerabilities (needs the Go vulnerability database)
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./...
