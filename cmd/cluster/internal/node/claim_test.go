package node

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADirectoryWithOtherFilesStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	thesis := filepath.Join(dir, "log", "thesis.txt")
	if err := os.MkdirAll(filepath.Dir(thesis), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(thesis, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := &Node{Options: Options{Dir: dir, Out: io.Discard}}
	if err := n.claim(); err == nil || !strings.Contains(err.Error(), "holds other files, such as log") {
		t.Errorf("claimed: %v", err)
	}
	if err := n.Down(t.Context(), true); err != nil && os.Getuid() == 0 {
		t.Error(err)
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}

func TestAClaimHolds(t *testing.T) {
	n := &Node{Options: Options{Dir: filepath.Join(t.TempDir(), "new"), Out: io.Discard}}
	for range 2 {
		if err := n.claim(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(n.path("kubeconfig"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.removeFiles(false); err != nil {
		t.Fatal(err)
	}
	if claimed, err := n.claimed(); !claimed || err != nil {
		t.Errorf("without the marker, what was built cannot be used again: %v", err)
	}
	if _, err := os.Stat(n.path("kubeconfig")); err == nil {
		t.Error("the kubeconfig is left")
	}
}
