// Package flow walks a user's way through a running shop, over HTTP and with
// nothing of the shop's own code: sign up, log in, look for products, order,
// pay, look at the payment. Its requests are the workshop's.
package flow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Shop says where the two services that face users are.
type Shop struct {
	Gateway string       // base URL of api-gateway
	Users   string       // base URL of user-svc
	Client  *http.Client // nil for one that finds them by DNS
}

// Receipt is what a customer keeps of a walk.
type Receipt struct {
	Token     string // a JWT, good for an hour
	OrderID   string
	PaymentID string
}

// Amount is what loafers and sunglasses cost together, as JSON writes it.
const Amount = "109.08"

// step is one step of a walk. The receipt grows on the way.
type step struct {
	name string
	do   func(context.Context, string, *Receipt) error
}

// Walk signs up a customer of that e-mail address, buys something, and tries
// what must not work. The error names the step.
func (s Shop) Walk(ctx context.Context, email string) (Receipt, error) {
	steps := append(s.buying(), step{"pay again", s.payAgain})
	return walk(ctx, email, append(steps, s.looking()...))
}

// Buy is Walk without paying twice.
func (s Shop) Buy(ctx context.Context, email string) (Receipt, error) {
	return walk(ctx, email, append(s.buying(), s.looking()...))
}

func (s Shop) buying() []step {
	return []step{
		{"sign up and log in", s.logIn},
		{"look for products", s.browse},
		{"create an order", s.order},
		{"pay a wrong amount", s.payWrong},
		{"pay", s.pay},
	}
}

func (s Shop) looking() []step {
	return []step{
		{"look at order and payment", s.look},
		{"go without a token", s.goWithoutToken},
	}
}

func walk(ctx context.Context, email string, steps []step) (Receipt, error) {
	var r Receipt
	for _, step := range steps {
		if err := step.do(ctx, email, &r); err != nil {
			return r, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return r, nil
}

// Check looks again at what a walk bought.
func (s Shop) Check(ctx context.Context, r Receipt) error {
	return s.look(ctx, "", &r)
}

func (s Shop) logIn(ctx context.Context, email string, r *Receipt) error {
	body := fmt.Sprintf(`{"name": "Ada", "email": %q, "password": "correct horse"}`, email)
	if _, err := s.call(ctx, http.MethodPost, s.Users+"/users", "", body, 200); err != nil {
		return err
	}
	answer, err := s.call(ctx, http.MethodPost, s.Users+"/login", "", body, 200)
	if err != nil {
		return err
	}
	r.Token, err = answer.text("access_token")
	return err
}

func (s Shop) browse(ctx context.Context, _ string, _ *Receipt) error {
	for _, path := range []string{"", "/L9ECAV7KIM", "/category/kitchen", "/search/sunglas", "/search/lofers"} {
		if _, err := s.call(ctx, http.MethodGet, s.Gateway+"/api/v1/products"+path, "", "", 200); err != nil {
			return err
		}
	}
	_, err := s.call(ctx, http.MethodGet, s.Gateway+"/api/v1/products/search/submarine", "", "", 404)
	return err
}

func (s Shop) order(ctx context.Context, _ string, r *Receipt) error {
	answer, err := s.call(ctx, http.MethodPost, s.Gateway+"/api/v1/order/create", r.Token,
		`{"product_ids": ["L9ECAV7KIM", "OLJCESPC7Z"]}`, 200)
	if err != nil {
		return err
	}
	if r.OrderID, err = answer.text("order", "id"); err != nil {
		return err
	}
	return answer.want(map[string]string{"order.status": "pending", "amount": Amount})
}

func (s Shop) payWrong(ctx context.Context, _ string, r *Receipt) error {
	answer, err := s.payment(ctx, r, "109.07", 400)
	if err != nil {
		return err
	}
	return answer.want(map[string]string{"detail": "Invalid Amount"})
}

func (s Shop) pay(ctx context.Context, _ string, r *Receipt) error {
	answer, err := s.payment(ctx, r, Amount, 200)
	if err != nil {
		return err
	}
	if r.PaymentID, err = answer.text("id"); err != nil {
		return err
	}
	return answer.want(map[string]string{"order_id": r.OrderID, "amount": Amount, "status": "paid"})
}

func (s Shop) payAgain(ctx context.Context, _ string, r *Receipt) error {
	second, err := s.PayAgain(ctx, *r)
	if err == nil && second != "" {
		err = fmt.Errorf("there are two payments, %s and %s, want the second one refused", r.PaymentID, second)
	}
	return err
}

// PayAgain pays for an order that is paid, and returns the second payment, or
// nothing if that is refused as the contract wants it.
func (s Shop) PayAgain(ctx context.Context, r Receipt) (payment string, err error) {
	answer, err := s.payment(ctx, &r, Amount, http.StatusForbidden)
	if err == nil {
		return "", answer.want(map[string]string{"detail": "Already Paid"})
	}
	if answer.status != http.StatusOK {
		return "", err
	}
	return answer.text("id")
}

// PayAtOnce makes an order, pays for it n times at the same moment, and returns how
// many of the payments were taken. The contract wants one.
func (s Shop) PayAtOnce(ctx context.Context, r Receipt, n int) (taken int, err error) {
	if err := s.order(ctx, "", &r); err != nil {
		return 0, fmt.Errorf("create an order: %w", err)
	}
	type result struct {
		answer answer
		err    error
	}
	results := make(chan result)
	for range n {
		go func() {
			answer, err := s.payment(ctx, &r, Amount, http.StatusOK)
			results <- result{answer, err}
		}()
	}
	for range n {
		switch result := <-results; {
		case result.err == nil:
			taken++
		case result.answer.status != http.StatusForbidden:
			err = errors.Join(err, result.err)
		}
	}
	return taken, err
}

func (s Shop) payment(ctx context.Context, r *Receipt, amount string, status int) (answer, error) {
	body := fmt.Sprintf(`{"order_id": %q, "amount": %s}`, r.OrderID, amount)
	return s.call(ctx, http.MethodPost, s.Gateway+"/api/v1/payments/pay", r.Token, body, status)
}

func (s Shop) look(ctx context.Context, _ string, r *Receipt) error {
	order, err := s.call(ctx, http.MethodGet, s.Gateway+"/api/v1/order/"+r.OrderID, r.Token, "", 200)
	if err != nil {
		return err
	}
	if err := order.want(map[string]string{"id": r.OrderID, "status": "paid", "amount": Amount}); err != nil {
		return err
	}
	payment, err := s.call(ctx, http.MethodGet, s.Gateway+"/api/v1/payments/status/"+r.PaymentID, r.Token, "", 200)
	if err != nil {
		return err
	}
	return payment.want(map[string]string{"id": r.PaymentID, "order_id": r.OrderID, "amount": Amount, "status": "paid"})
}

func (s Shop) goWithoutToken(ctx context.Context, _ string, r *Receipt) error {
	_, err := s.call(ctx, http.MethodGet, s.Gateway+"/api/v1/order/"+r.OrderID, "", "", 401)
	return err
}
