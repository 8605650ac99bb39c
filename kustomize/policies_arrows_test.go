package kustomize_test

import (
	"path"
	"slices"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

const agentLabel = "telepresence.io/workloadEnabled"

// arrow is a connection that is allowed. Without from, the pod that it leads to takes it
// from everybody; whether a pod of the shop may open it, another arrow says.
type arrow struct {
	from, to func(endpoint) bool
	port     string
}

func (a arrow) allows(end networkingv1.PolicyType, from, to endpoint, port string) bool {
	return a.port == port && a.to(to) && (a.from == nil && end == takes || a.from != nil && a.from(from))
}

var (
	// The picture in README.md, and what every pod needs.
	shopArrows = []arrow{
		{nil, shop("api-gateway", "user-svc"), "http"},
		{shop("api-gateway"), shop("user-svc", "product-svc", "orders-svc", "payments-svc"), "http"},
		{shop("payments-svc"), shop("orders-svc"), "http"},
		{shop(), called("DNS"), "dns"},
		{shop(), called("DNS"), "dns-tcp"},
	}
	postgresArrows = []arrow{
		{shop("user-svc", "orders-svc", "payments-svc"), shop("postgres"), "postgres"},
		// To the API server, wherever that is.
		{shop("postgres"), everything, "443"},
		{shop("postgres"), everything, "6443"},
		{shop("postgres"), everything, "8443"},
	}
	telepresenceArrows = []arrow{
		{called("traffic manager"), shop(), "http"},
		{called("traffic manager"), shop(), "postgres"},
		{withAgent, called("traffic manager"), "8081"},
		{withAgent, shop(), "http"},
		{withAgent, shop(), "postgres"},
	}
	monitoringArrows = []arrow{
		{called("monitoring"), shop(services...), "metrics"},
		{shop(services...), called("monitoring"), "4317"},
		{shop(services...), called("monitoring"), "4318"},
	}
)

func everything(endpoint) bool { return true }

// shop tells the shop's pods of some workloads, or all of them.
func shop(workloads ...string) func(endpoint) bool {
	return func(e endpoint) bool {
		return e.ours() && (len(workloads) == 0 || slices.Contains(workloads, e.labels[nameLabel]))
	}
}

func called(name string) func(endpoint) bool { return func(e endpoint) bool { return e.name == name } }

func withAgent(e endpoint) bool { return e.ours() && e.labels[agentLabel] == "true" }

// ours reports whether it is a pod of the shop that the test is about.
func (e endpoint) ours() bool { return e.namespace == "api" && e.labels[partOfLabel] == "koshop" }

// TestPoliciesAreTheArrows moves every overlay to namespace api and compares, for every
// pod of the shop, what it may open and take with what it should. An attendee of the
// workshop may not make policies: the overlays for them have none.
func TestPoliciesAreTheArrows(t *testing.T) {
	for _, dir := range kustomizations(t, "overlays/*") {
		t.Run(path.Base(dir), func(t *testing.T) {
			arrows, known := map[string][]arrow{
				"dev":      nil,
				"workshop": nil,
				"staging":  slices.Concat(shopArrows, postgresArrows),
				"preview":  slices.Concat(shopArrows, telepresenceArrows),
			}[path.Base(dir)]
			if !known {
				t.Fatal("a new overlay: say here which connections it allows")
			}
			objects := inNamespaceAPI(t, dir)
			policies := only[*networkingv1.NetworkPolicy](objects)
			if arrows == nil {
				if len(policies) > 0 {
					t.Errorf("it has %d network policies, want none", len(policies))
				}
				return
			}
			for difference := range differences(t, policies, scene(t, objects), arrows) {
				t.Error(difference)
			}
		})
	}
}

// TestEveryPartOfAPolicyCounts changes the policies, one thing at a time: a connection
// is then missing, or there is one too many.
func TestEveryPartOfAPolicyCounts(t *testing.T) {
	objects := inNamespaceAPI(t, "overlays/staging", "components/network-policies/telepresence", "components/network-policies/monitoring")
	policies := only[*networkingv1.NetworkPolicy](objects)
	endpoints := scene(t, objects)
	arrows := slices.Concat(shopArrows, postgresArrows, telepresenceArrows, monitoringArrows)
	for difference := range differences(t, policies, endpoints, arrows) {
		t.Error(difference)
	}
	for _, c := range changes(policies) {
		noticed := false
		for range differences(t, c.policies, endpoints, arrows) {
			noticed = true
			break
		}
		if !noticed {
			t.Errorf("%s: the same is allowed", c.what)
		}
	}
}

// inNamespaceAPI renders an overlay with more components in namespace api.
func inNamespaceAPI(t *testing.T, overlay string, components ...string) []object {
	t.Helper()
	files := tree(t)
	parent := "namespace: api\nresources: [../" + overlay + "]\ncomponents:\n"
	for _, component := range components {
		parent += "- ../" + component + "\n"
	}
	if err := files.WriteFile("/parent/kustomization.yaml", []byte(parent)); err != nil {
		t.Fatal(err)
	}
	return decode(t, build(t, files, "parent"))
}
