package api

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/shop/recent"
)

const (
	// maxCatalogues is for how many different baggages a catalogue is stored.
	maxCatalogues = 100
	// maxFresh limits how long a catalogue is used without asking again, whatever
	// product-svc says: orders are priced by it.
	maxFresh = time.Second
)

// catalogues stores decoded answers of product-svc. An intercept may lead requests with
// some baggage to another product-svc, so a catalogue and its ETag are for one baggage only.
type catalogues struct{ stored *recent.Map[storedCatalogue] }

type catalogue struct {
	etag     string
	products []Product
}

type storedCatalogue struct {
	*catalogue
	until time.Time
}

func newCatalogues() *catalogues {
	return &catalogues{recent.NewMap[storedCatalogue](maxCatalogues)}
}

// fresh returns the products for a baggage, if they are stored and fresh.
func (c *catalogues) fresh(baggage string, now time.Time) (products []Product, ok bool) {
	stored, ok := c.stored.Get(keyOf(baggage))
	if !ok || !now.Before(stored.until) {
		return nil, false
	}
	return stored.products, true
}

// last returns the catalogue that is stored for a baggage, fresh or not. It returns one
// without products and ETag if there is none.
func (c *catalogues) last(baggage string) *catalogue {
	if stored, ok := c.stored.Get(keyOf(baggage)); ok {
		return stored.catalogue
	}
	return &catalogue{}
}

// put stores a catalogue that is fresh for a baggage until the time. Later it is of use
// only if it has an ETag.
func (c *catalogues) put(baggage string, given *catalogue, until time.Time) {
	if given.etag != "" || time.Now().Before(until) {
		c.stored.Put(keyOf(baggage), storedCatalogue{given, until})
	}
}

// keyOf returns a short key, because baggage may have 8 KiB.
func keyOf(baggage string) string {
	if baggage == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(baggage))
	return string(sum[:])
}

// freshFor returns how long an answer may be used without asking again
// (https://www.rfc-editor.org/rfc/rfc9111#section-4.2), counted from the time of the
// request. It returns 0 for an answer without Cache-Control, and at most maxFresh.
func freshFor(header http.Header) time.Duration {
	var maxAge uint64
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-cache", "no-store", "private": // A private answer is for one client, and all orders share this one.
			return 0
		case "max-age":
			maxAge, _ = strconv.ParseUint(strings.Trim(value, `"`), 10, 31) // 0 for what is no number
		}
	}
	age, _ := strconv.ParseUint(header.Get("Age"), 10, 31) // 0 if no cache lies in between
	return min(max(0, time.Duration(maxAge)-time.Duration(age))*time.Second, maxFresh)
}
