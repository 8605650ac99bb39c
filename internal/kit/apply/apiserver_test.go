//go:build apiserver

package apply_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

func TestMain(m *testing.M) {
	if text := os.Getenv("ONE_IN"); text != "" {
		var err error
		if oneIn, err = strconv.Atoi(text); err != nil || oneIn < 1 {
			fmt.Fprintf(os.Stderr, "ONE_IN=%s: expected a number from 1 on\n", text)
			os.Exit(1)
		}
	}
	os.Exit(apitest.Main(m))
}

// newCluster is the real one.
func newCluster(t testing.TB) *kube.Cluster { return apitest.Cluster(t) }

// oneIn says how many requests there are for each one that is broken, by chance. With ONE_IN=1,
// each request is broken once.
var oneIn = 3
