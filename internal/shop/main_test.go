package shop_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(bareAddress); address != "" {
		if err := serveBare(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := databasetest.Main(m)
	if err := removePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
