package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// Both ends say which protocol they speak, and what to do if the other speaks another.
func TestOtherProtocols(t *testing.T) {
	digest := wire.DigestBytes(nil)
	for _, protocol := range []int{0, wire.Protocol + 1} {
		header := wire.Header{Protocol: protocol, Build: wire.Build{Executable: digest}, Size: 1}
		want := fmt.Sprintf("this pod speaks protocol %d of live reload, and the ko that sends speaks %d: deploy the pod again with that ko", wire.Protocol, protocol)
		if err := header.Check(); err == nil || err.Error() != want {
			t.Errorf("the pod says %v, want %s", err, want)
		}
	}
	for offer, want := range map[string]string{
		`{"have":[]}`:              "the pod speaks protocol 0 of live reload, and this ko speaks 3: deploy the pod again with this ko",
		`{"protocol":1,"have":[]}`: "the pod speaks protocol 1 of live reload, and this ko speaks 3: deploy the pod again with this ko",
	} {
		if _, err := wire.ReadOffer(strings.NewReader(offer)); err == nil || err.Error() != want {
			t.Errorf("to %s: %v, want %s", offer, err, want)
		}
	}
}
