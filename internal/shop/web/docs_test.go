package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDocumentation(t *testing.T) {
	url, _ := service(t, nil)
	_, doc := send(t, "GET", url+"/openapi.json", "")
	var parsed struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(doc), &parsed); err != nil || !strings.HasPrefix(parsed.OpenAPI, "3.1") || parsed.Paths["/people"] == nil {
		t.Errorf("openapi.json: %v, version %q", err, parsed.OpenAPI)
	}
	res, page := send(t, "GET", url+"/docs", "")
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("docs: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	for _, want := range []string{"/people", "Add a person", "How to call them", "string, email"} {
		if !strings.Contains(page, want) {
			t.Errorf("docs lack %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "//") {
		t.Error("docs load something from elsewhere")
	}
}
