// Command walk runs inside a cluster: it walks the user flow at the names that
// the workshop's requests use, through cluster DNS and ClusterIPs.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/workshop/flow"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
	fmt.Println("walked the user flow")
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	namespace := os.Getenv("SHOP_NAMESPACE")
	shop := flow.Shop{Gateway: "http://api-gateway." + namespace, Users: "http://user-svc." + namespace}
	_, err := shop.Walk(ctx, "walk-"+uuid.NewString()+"@example.com")
	return err
}
