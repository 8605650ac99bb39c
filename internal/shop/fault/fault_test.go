package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/koshop/koshop/internal/shop/fault"
)

func TestCodes(t *testing.T) {
	cause := errors.New("connection refused")
	wrapped := fmt.Errorf("get order 7: %w", fault.Wrap(cause, fault.Upstream, "%s failed", "orders-svc"))
	if fault.CodeOf(nil) != "" || fault.CodeOf(cause) != fault.Internal || !fault.Is(wrapped, fault.Upstream) || fault.Is(wrapped, fault.Timeout) {
		t.Errorf("codes %q, %q, %q", fault.CodeOf(nil), fault.CodeOf(cause), fault.CodeOf(wrapped))
	}
	if !errors.Is(wrapped, cause) || wrapped.Error() != "get order 7: orders-svc failed: connection refused" {
		t.Errorf("error %v", wrapped)
	}
	if got := fault.New(fault.NotFound, "No order %d", 7).Error(); got != "No order 7" {
		t.Errorf("error %q", got)
	}
}
