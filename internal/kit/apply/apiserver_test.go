//go:build apiserver

package apply_test

import (
	"os"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

func TestMain(m *testing.M) { os.Exit(apitest.Main(m)) }

// newCluster is the real one.
func newCluster(t testing.TB) *kube.Cluster { return apitest.Cluster(t) }

// oneIn is of how many requests one is broken: here every one is, in its turn.
const oneIn = 1
