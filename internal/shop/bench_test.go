package shop_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

const (
	// samples is how often each variant of an operation is asked for.
	samples = 500
	// warmUp is how many of those, the first ones, do not count.
	warmUp = 50
	// turn is how long the throughput of a variant is measured at a time.
	turn = 500 * time.Millisecond
	// turns is how often.
	turns = 6
	// many is how many clients ask at once where one is compared with many.
	many = 32
)

// addsAims is how many milliseconds the gateway should add to an operation, at most.
var addsAims = map[string]string{"list": "≤ 0.5", "order": "≤ 0.7", "payment": "≤ 1.0"}

// shareAims is what part of product-svc's throughput should get through the gateway, by
// the number of clients.
var shareAims = map[int]string{many: "≥ 0.50"}

// BenchmarkShop prints what the gateway adds: an operation through it, against the same
// of the service behind it, and against a bare handler that answers the same bytes. The
// variants are measured in turn, so that whatever else the machine does hits all alike.
// What counts is their ratios in one run.
func BenchmarkShop(b *testing.B) {
	for _, kind := range []struct {
		name     string
		database func(testing.TB) string
	}{{"sqlite", databasetest.SQLite}, {"postgres", databasetest.Postgres}} {
		b.Run(kind.name, func(b *testing.B) {
			rig := newRig(b, kind.database(b))
			var table strings.Builder
			fmt.Fprintf(&table, "\n%-9s%9s%9s%9s%9s%9s%9s%9s%9s%9s%10s%10s", "ms", "gateway", "p99", "direct", "p99", "bare", "p99", "adds", "aim", "p99", "× direct", "× bare")
			for _, op := range rig.operations(b) {
				rowOf(&table, op.name, op.measure(b))
			}
			fmt.Fprintf(&table, "\n\n%-9s%9s%9s%9s%10s%9s%10s", "list/s", "gateway", "direct", "bare", "of direct", "aim", "of bare")
			list := rig.list()
			for _, clients := range []int{1, many} {
				n := list.throughput(b, clients)
				fmt.Fprintf(&table, "\nc=%-7d%9.0f%9.0f%9.0f%10.2f%9s%10.2f", clients, n[0], n[1], n[2], n[0]/n[1], shareAims[clients], n[0]/n[2])
			}
			b.Log(table.String())
			b.ReportMetric(0, "ns/op") // The table says it all.
		})
	}
}

// variant makes the i-th request of one way to ask for an operation.
type variant func(i int) *http.Request

// compared is an operation with its variants: gateway, direct and bare.
type compared struct {
	name     string
	variants [3]variant
}

// measure returns how long each variant takes, in order of time.
func (c compared) measure(b *testing.B) (took [3][]time.Duration) {
	clients := [3]*http.Client{newClient(1), newClient(1), newClient(1)}
	for i := range samples {
		for j := range c.variants {
			v := (i + j) % len(c.variants) // each comes after each other one
			request := c.variants[v](i)
			begin := time.Now()
			if err := ask(clients[v], request); err != nil {
				b.Fatalf("%s, variant %d: %v", c.name, v, err)
			}
			if i >= warmUp {
				took[v] = append(took[v], time.Since(begin))
			}
		}
	}
	for v := range took {
		slices.Sort(took[v])
		clients[v].CloseIdleConnections()
	}
	return took
}

// rowOf writes the median and the 99th percentile of the variants, and how they differ.
func rowOf(w io.Writer, name string, took [3][]time.Duration) {
	var p50, p99 [3]float64
	for v, all := range took {
		p50[v], p99[v] = ms(all[len(all)/2]), ms(all[len(all)*99/100])
	}
	fmt.Fprintf(w, "\n%-9s%9.2f%9.2f%9.2f%9.2f%9.2f%9.2f%9.2f%9s%9.2f%10.2f%10.2f", name,
		p50[0], p99[0], p50[1], p99[1], p50[2], p99[2], p50[0]-p50[1], addsAims[name], p99[0]-p99[1], p50[0]/p50[1], p50[0]/p50[2])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// throughput returns how many requests a second each variant answers to so many clients.
func (c compared) throughput(b *testing.B, clients int) (perSecond [3]float64) {
	for range turns {
		for v := range c.variants {
			perSecond[v] += c.turn(b, v, clients) / turns
		}
	}
	return perSecond
}

func (c compared) turn(b *testing.B, v, clients int) float64 {
	var (
		all  sync.WaitGroup
		done atomic.Int64
	)
	client := newClient(clients)
	defer client.CloseIdleConnections()
	begin := time.Now()
	for range clients {
		all.Go(func() {
			for time.Since(begin) < turn {
				if err := ask(client, c.variants[v](0)); err != nil {
					b.Errorf("%s, variant %d: %v", c.name, v, err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}

func newClient(connections int) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
}

// ask makes a request, whose answer has to be 200.
func ask(client *http.Client, request *http.Request) error {
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return err
}
