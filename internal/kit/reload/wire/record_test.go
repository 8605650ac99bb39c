package wire_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// What is split is what comes together again, and parts of two versions do not.
func TestRecords(t *testing.T) {
	record := func(name string) wire.Record {
		digest := wire.DigestBytes([]byte(name))
		return wire.Record{Header: wire.Header{Protocol: wire.Protocol, Build: wire.Build{Executable: digest}, Size: 1}, Image: wire.DigestBytes(nil)}
	}
	for _, size := range []int{0, 1, wire.PartSize, wire.PartSize + 1, wire.RecordParts * wire.PartSize} {
		body := bytes.Repeat([]byte{7}, size)
		parts, err := record("a").Split(body)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]byte{}
		for _, part := range parts {
			if n := len(slices.Concat(slices.Collect(maps.Values(part))...)); n > 1<<20 {
				t.Errorf("a part of %d bytes is too long for a ConfigMap", n)
			}
			maps.Copy(all, part)
		}
		got, joined, err := wire.Join(reader(all))
		if err != nil || got.Executable != record("a").Executable || !bytes.Equal(joined, body) {
			t.Errorf("%d bytes come back as %d, error %v", size, len(joined), err)
		}
		others, err := record("b").Split(body)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, others[0])
		if len(parts) > 1 {
			if _, _, err := wire.Join(reader(all)); err == nil {
				t.Error("parts of two versions are joined")
			}
		}
	}
	_, err := record("a").Split(make([]byte, wire.RecordParts*wire.PartSize+1))
	if want := "ConfigMaps hold 7680 kB"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, expected %s", err, want)
	}
}

func reader(all map[string][]byte) func(string) ([]byte, error) {
	return func(key string) ([]byte, error) {
		data, found := all[key]
		if !found {
			return nil, fs.ErrNotExist
		}
		return data, nil
	}
}
