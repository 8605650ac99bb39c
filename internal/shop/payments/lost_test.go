package payments

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// lossy stands before PostgreSQL, and breaks a connection instead of passing on one
// answer.
type lossy struct {
	url    string
	loses  atomic.Pointer[[]byte] // the answer that contains this text, once
	server string                 // the server's socket
	copies sync.WaitGroup
}

// The answers of PostgreSQL to a statement that changed one row.
const (
	inserted = "INSERT 0 1\x00"
	updated  = "UPDATE 1\x00"
)

func newLossy(t *testing.T, database string) *lossy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := shoptest.URL(t, database)
	query := u.Query()
	l := &lossy{server: filepath.Join(query.Get("host"), ".s.PGSQL.5432")}
	for name, value := range map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(ln.Addr().(*net.TCPAddr).Port), "sslmode": "disable"} {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	l.url = u.String()
	l.copies.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return // It was closed.
			}
			l.copies.Go(func() { l.serve(t, client) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		l.copies.Wait()
	})
	return l
}

func (l *lossy) serve(t *testing.T, client net.Conn) {
	server, err := net.Dial("unix", l.server)
	if err != nil {
		t.Error(err)
		client.Close()
		return
	}
	l.copies.Go(func() {
		io.Copy(server, client) // ends when the client or this connection is closed
		server.Close()
	})
	defer client.Close()
	defer server.Close()
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		if text := l.loses.Load(); text != nil && bytes.Contains(answer[:n], *text) && l.loses.CompareAndSwap(text, nil) {
			return
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

// lose makes the next answer with the text lost.
func (l *lossy) lose(text string) {
	loses := []byte(text)
	l.loses.Store(&loses)
}

// lossyBooks are payments in a database behind a lossy, and orders.
type lossyBooks struct {
	*cashier
	db        *lossy
	ordersURL string
	log       *logBuffer
}

func newLossyBooks(t *testing.T, first ...step) *lossyBooks {
	database := databasetest.Postgres(t)
	ordersURL := startOrders(t, databasetest.SQLite(t))
	b := &lossyBooks{db: newLossy(t, database), ordersURL: ordersURL, log: &logBuffer{}}
	s := &store{databasetest.Open(t, b.db.url, schema, migrations)}
	b.cashier = newCashier(t, s, newBetween(t, ordersURL, steps(first...)).url, b.log)
	return b
}

func (b *lossyBooks) wantLoss(t *testing.T) {
	t.Helper()
	if b.db.loses.Load() != nil {
		t.Error("no answer was lost")
	}
}

// TestAPaymentWhoseStatementIsRepeatedIsAuditedOnce loses the answer to one statement of a
// payment: PostgreSQL has carried it out, and it is repeated.
func TestAPaymentWhoseStatementIsRepeatedIsAuditedOnce(t *testing.T) {
	for name, answer := range map[string]string{"recorded": inserted, "settled": updated} {
		t.Run(name, func(t *testing.T) {
			b := newLossyBooks(t, odd) // An odd answer is followed by another attempt, but not if the payment is taken for left over.
			order := newOrderOf109(t, b.ordersURL)
			b.db.lose(answer)
			p, err := b.pay(t.Context(), api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908})
			if err != nil || p.Status != paid {
				t.Errorf("%+v, %v", p, err)
			}
			b.wantLoss(t)
			b.log.wantAudit(t, p.ID, paid)
		})
	}
}

func TestAWithdrawalThatIsRepeatedIsAnsweredAndAuditedOnce(t *testing.T) {
	b := newLossyBooks(t, stray)
	order := newOrderOf109(t, b.ordersURL)
	p := api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908}
	b.db.lose(updated)
	if _, err := b.pay(t.Context(), p); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want the refusal of orders-svc", err)
	}
	b.wantLoss(t)
	b.log.wantAudit(t, p.ID, refused)
	if got, err := b.store.get(t.Context(), p.ID); err != nil || got.Status != refused {
		t.Errorf("%+v, %v; want it refused", got, err)
	}
}

func TestARestoredPaymentIsAuditedOnce(t *testing.T) {
	b := newLossyBooks(t)
	order := newOrderOf109(t, b.ordersURL)
	p := api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908}
	if _, err := b.orders.MarkPaid(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	b.db.lose(inserted)
	for range 2 {
		if got, err := b.find(t.Context(), p.ID); err != nil || got.ID != p.ID || got.Amount != p.Amount {
			t.Errorf("%+v, %v", got, err)
		}
	}
	b.wantLoss(t)
	b.log.wantAudit(t, p.ID, paid)
}
