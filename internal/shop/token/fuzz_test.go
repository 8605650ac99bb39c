package token_test

import (
	"encoding/json"
	"testing"

	"github.com/koshop/koshop/internal/shop/token"
)

// Of the keys in a document, those of our kind are read as they are published, and no
// others.
func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"k1","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","alg":"EdDSA"}]}`))
	f.Add([]byte(`{"keys":[{"kid":"k1","kty":"RSA","n":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":"AA"},{"x":"!"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		var set token.KeySet
		if json.Unmarshal(document, &set) != nil {
			return
		}
		for _, key := range set.Keys {
			public, err := key.Public()
			if err != nil {
				continue
			}
			if key.Type != "OKP" || key.Curve != "Ed25519" || len(public) != 32 {
				t.Fatalf("%+v is taken", key)
			}
			again, err := token.NewKey(key.ID, public).Public()
			if err != nil || !again.Equal(public) {
				t.Errorf("%+v is published as %v, %v", key, again, err)
			}
		}
	})
}
