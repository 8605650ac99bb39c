package cli_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/koshop/koshop/internal/kit/cli"
)

// asKo makes this test program behave as ko, for what only a process of its own can
// show.
const asKo = "KOSHOP_TEST_AS_KO"

func TestMain(m *testing.M) {
	if os.Getenv(asKo) == "" {
		os.Exit(m.Run())
	}
	if err := cli.New(os.Args[1:]).Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(cli.ExitCode(err))
	}
}
