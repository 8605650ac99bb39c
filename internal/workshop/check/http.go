package check

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/workshop/flow"
)

// patience bounds one request of a check.
const patience = 10 * time.Second

// greet says hello to a service, and returns the host name of the pod or laptop
// that answers.
func greet(ctx context.Context, client *http.Client, url string) (host string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 200)) // What there is of it.
		return "", fmt.Errorf("GET %s/healthz: status %d, want 201: %s", url, response.StatusCode, body)
	}
	return response.Header.Get("X-Served-By"), nil
}

// shop is where a customer of the cluster's shop goes.
func (l *look) shop(client *http.Client) flow.Shop {
	return flow.Shop{Gateway: l.cluster.URL("api-gateway"), Users: l.cluster.URL("user-svc"), Client: client}
}

// customer is an e-mail address that no shop knows yet.
func customer() string { return "workshop-" + uuid.NewString() + "@example.com" }
