package check_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// All chapters need the cluster, and ask it once: who has to wait for nothing does
// not wait for it nine times.
func TestClusterIsAskedOnce(t *testing.T) {
	var connected int
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "it is Sunday", http.StatusForbidden)
	}))
	defer server.Close()
	place := check.Place{FrontDoor: "localhost:1", Connect: func() (*cluster.Shop, error) {
		connected++
		return cluster.New(&rest.Config{Host: server.URL}, "api")
	}}
	for _, section := range check.Sections(place, "") {
		if section.Name != "laptop" {
			wantFinding(t, report.Run(t.Context(), section, report.Quiet{}).Steps[0].Finding, report.Failed, server.URL+" forbids it: ")
		}
	}
	if connected != 1 || asked.Load() != 1 {
		t.Errorf("connected %d times, and asked %d times", connected, asked.Load())
	}
}
