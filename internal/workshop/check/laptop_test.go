package check_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/report"
)

// frontDoor serves as whatever stands where `ko up` should, and returns the first
// thing that the check says about it.
func frontDoor(t *testing.T, handler http.HandlerFunc) report.StepResult {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	sections := check.Sections(check.Place{FrontDoor: strings.TrimPrefix(server.URL, "http://")}, "laptop")
	return report.Run(t.Context(), sections[0], report.Quiet{}).Steps[0]
}

// Another program may have the port, or lead it to a pod as Tilt does.
func TestFrontDoorOfOthers(t *testing.T) {
	page := frontDoor(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("It works!")) })
	if page.Status != report.Failed || !strings.Contains(page.Saw, "status 200, want 201: It works!") {
		t.Errorf("%+v", page)
	}
	pod := frontDoor(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Served-By", "api-gateway-7645745c9b-n5tgg")
		w.WriteHeader(http.StatusCreated)
	})
	if pod.Status != report.Failed || !strings.Contains(pod.Saw, `"api-gateway-7645745c9b-n5tgg"`) || !strings.Contains(pod.Next, "stop what listens there") {
		t.Errorf("%+v", pod)
	}
}
