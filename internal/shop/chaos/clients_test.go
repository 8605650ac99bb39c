//go:build linux

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/money"
)

// answerWithin is how long a client waits: longer than the gateway needs.
const answerWithin = 8 * time.Second

var httpClient = &http.Client{Timeout: answerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 2 * time.Second}}

// answer is what a client learns. The zero answer is none.
type answer struct {
	status int
	body   []byte
}

// send sends a request. A client whose ctx ends hangs up.
func send(ctx context.Context, method, url, token, key, body string) answer {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		panic(err) // The URL is ours.
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return answer{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}
	}
	return answer{res.StatusCode, text}
}

// payment returns the payment of an answer, as the client reads it.
func (a answer) payment() (p api.Payment, err error) {
	if err := json.Unmarshal(a.body, &p); err != nil {
		return p, fmt.Errorf("the answer %s: %w", a.body, err)
	}
	return p, nil
}

// paymentID returns the payment that the answer names, or "".
func (a answer) paymentID() string {
	var named struct {
		PaymentID string `json:"payment_id"`
	}
	if json.Unmarshal(a.body, &named) != nil {
		return ""
	}
	return named.PaymentID
}

// client is one of many that order and pay at the same time.
type client struct {
	*shop
	ledger *ledger
	habits habits
	random *rand.Rand
	user   user
	other  user   // somebody else
	paid   string // a key that paid for the client's order before
}

// habits are how clients behave.
type habits struct {
	most    int           // attempts to pay for an order
	within  time.Duration // in which these begin
	hangUp  float64       // how often a client hangs up
	patient time.Duration // how long such a client waits at most
	strange bool          // attempts that must not succeed
}

// order creates an order, or returns nil if the client never learns of it.
func (c *client) order(ctx context.Context) *order {
	products, key := c.choose()
	list, err := json.Marshal(products)
	if err != nil {
		panic(err)
	}
	tries, asked := 1, time.Now()
	if key != "" {
		tries = 4 // Only with a key it can be repeated.
	}
	for range tries {
		a := send(ctx, http.MethodPost, c.gateway.url()+"/api/v1/order/create", c.user.token, key, fmt.Sprintf(`{"product_ids":%s}`, list))
		if a.status != http.StatusOK {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		var created struct {
			Order  api.Order
			Amount money.Amount
		}
		if err := json.Unmarshal(a.body, &created); err != nil {
			c.ledger.wrong(answerWrong, "", "the answer %s: %v", a.body, err)
			return nil
		}
		return c.ledger.open(&order{id: created.Order.ID, user: c.user, amount: created.Amount, asked: asked, opened: time.Now()})
	}
	return nil
}

// choose chooses what is ordered, and the Idempotency-Key of the request or "".
func (c *client) choose() (products []string, key string) {
	products = []string{"6E92ZMYYFZ", "L9ECAV7KIM", "OLJCESPC7Z", "1YMWWN1N4O"}[:1+c.random.IntN(4)]
	if c.random.IntN(2) == 0 {
		key = c.newKey()
	}
	return products, key
}

func (c *client) newKey() string { return fmt.Sprintf("%016x", c.random.Uint64()) }

// plan chooses how the attempts to pay for an order are made.
func (c *client) plan(o *order) (plans []attempt) {
	shared := c.newKey()
	for range 1 + c.random.IntN(c.habits.most) {
		a := attempt{user: c.user, amount: o.amount, direct: c.random.IntN(5) == 0, begin: time.Duration(c.random.Int64N(int64(c.habits.within)))}
		switch c.random.IntN(3) {
		case 0:
			a.key = shared
		case 1:
			a.key = c.newKey()
		}
		if c.habits.strange {
			c.makeStrange(&a)
		}
		if a.key != "" && a.direct {
			a.key += "-direct" // The gateway's requests are other ones.
		}
		if c.random.Float64() < c.habits.hangUp {
			a.hangUp = 1 + time.Duration(c.random.Int64N(int64(c.habits.patient)))
		}
		plans = append(plans, a)
	}
	return plans
}

// makeStrange makes some attempts such that they must not succeed.
func (c *client) makeStrange(a *attempt) {
	switch c.random.IntN(20) {
	case 0:
		a.key, a.amount, a.strange = "", a.amount+1, "another amount"
	case 1:
		a.key, a.user, a.strange, a.direct = "", c.other, "another user", true
	case 2:
		if c.paid != "" {
			a.key, a.direct, a.strange = c.paid, false, "a key of another order"
		}
	}
}

// pay sends the request of an attempt.
func (s *shop) pay(ctx context.Context, o *order, a attempt) answer {
	if a.direct {
		body := fmt.Sprintf(`{"user_id":%q,"order_id":%q,"amount":%s}`, a.user.id, o.id, a.amount)
		return send(ctx, http.MethodPost, s.payments.url+"/payments", "", a.key, body)
	}
	body := fmt.Sprintf(`{"order_id":%q,"amount":%s}`, o.id, a.amount)
	return send(ctx, http.MethodPost, s.gateway.url()+"/api/v1/payments/pay", a.user.token, a.key, body)
}

// attempt makes an attempt and notes its answer.
func (c *client) attempt(ctx context.Context, o *order, a attempt) {
	if a.hangUp > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.hangUp)
		defer cancel()
	}
	got := c.pay(ctx, o, a)
	a.status = got.status
	if a.status == http.StatusOK {
		p, err := got.payment()
		if err != nil {
			c.ledger.wrong(answerWrong, o.id, "%v", err)
			return
		}
		a.payment = p
	}
	c.ledger.note(o, a)
}
