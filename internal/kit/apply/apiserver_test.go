//go:build apiserver

package apply_test

import (
	"cmp"
	"os"
	"strconv"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

func TestMain(m *testing.M) { os.Exit(apitest.Main(m)) }

// newCluster is the real one.
func newCluster(t testing.TB) *kube.Cluster { return apitest.Cluster(t) }

// oneIn is of how many requests one is broken, by chance: ONE_IN=1 breaks each in its turn.
var oneIn = cmp.Or(number(os.Getenv("ONE_IN")), 3)

// number returns 0 for what is none.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
