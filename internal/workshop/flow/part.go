package flow

import (
	"context"
	"fmt"
	"net/http"
)

// Part is one service, without the others.
type Part struct {
	URL    string
	Client *http.Client
}

func (p Part) shop() Shop { return Shop{Gateway: p.URL, Users: p.URL, Client: p.Client} }

// LogIn signs up with user-svc, and logs in.
func (p Part) LogIn(ctx context.Context, email string) error {
	return p.shop().logIn(ctx, email, &Receipt{})
}

// Find looks for products with product-svc.
func (p Part) Find(ctx context.Context) error {
	for _, path := range []string{"", "/L9ECAV7KIM", "/search/sunglas"} {
		if _, err := p.shop().call(ctx, http.MethodGet, p.URL+"/products"+path, "", "", http.StatusOK); err != nil {
			return err
		}
	}
	return nil
}

// Order makes an order with orders-svc, and returns its id.
func (p Part) Order(ctx context.Context) (id string, err error) {
	answer, err := p.shop().call(ctx, http.MethodPost, p.URL+"/orders", "", `{"user_id": "ada", "product_ids": ["L9ECAV7KIM"]}`, http.StatusOK)
	if err != nil {
		return "", err
	}
	if id, err = answer.text("id"); err != nil {
		return "", err
	}
	answer, err = p.shop().call(ctx, http.MethodGet, fmt.Sprintf("%s/orders/%s", p.URL, id), "", "", http.StatusOK)
	if err != nil {
		return "", err
	}
	return id, answer.want(map[string]string{"id": id, "status": "pending"})
}
