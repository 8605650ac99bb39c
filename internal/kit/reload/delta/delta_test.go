package delta_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/koshop/koshop/internal/kit/reload/delta"
)

// program is what a linker might write: functions of random code, which refer to
// one another by distance.
func program(functions int, inserted ...int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var starts []int
	var text []byte
	for i := range functions {
		for _, at := range inserted {
			if at == i {
				text = append(text, bytes.Repeat([]byte{0x90}, 96)...)
			}
		}
		starts = append(starts, len(text))
		for range 8 {
			code := make([]byte, 12)
			binary.LittleEndian.PutUint64(code, random.Uint64())
			callee := starts[random.IntN(len(starts))]
			binary.LittleEndian.PutUint32(code[8:], uint32(callee-len(text)))
			text = append(text, code...)
		}
	}
	return text
}

func TestTheNewVersionComesOutOfTheOldOne(t *testing.T) {
	old := program(1000)
	for name, after := range map[string][]byte{
		"the same":       old,
		"nothing":        {},
		"one byte":       {7},
		"other content":  bytes.Repeat([]byte("koshop"), 1000),
		"an insertion":   program(1000, 500),
		"more functions": program(1001, 3, 200, 999),
		"a shorter one":  old[32:5000],
		"twice as long":  append(bytes.Clone(old), old...),
		"other order":    append(bytes.Clone(old[48000:]), old[:48000]...),
	} {
		for direction, pair := range map[string][2][]byte{"forth": {old, after}, "back": {after, old}} {
			var steps bytes.Buffer
			if err := delta.Write(&steps, pair[0], pair[1]); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(delta.NewReader(&steps, bytes.NewReader(pair[0])))
			if err != nil || !bytes.Equal(got, pair[1]) {
				t.Errorf("%s, %s: %d bytes come out, expected %d (error %v)", name, direction, len(got), len(pair[1]), err)
			}
		}
	}
}

// What has moved costs nothing, and what refers to it is a small number.
func TestDifferencesAreMostlyZero(t *testing.T) {
	old := program(1000)
	var steps bytes.Buffer
	if err := delta.Write(&steps, old, program(1000, 500)); err != nil {
		t.Fatal(err)
	}
	zeros := bytes.Count(steps.Bytes(), []byte{0})
	if others := steps.Len() - zeros; others > len(old)/20 {
		t.Errorf("%d of %d bytes are not zero", others, steps.Len())
	}
}

func TestDamageIsAnError(t *testing.T) {
	old := program(100)
	var steps bytes.Buffer
	if err := delta.Write(&steps, old, program(100, 50)); err != nil {
		t.Fatal(err)
	}
	read := func(steps, before []byte) error {
		_, err := io.ReadAll(delta.NewReader(bytes.NewReader(steps), bytes.NewReader(before)))
		return err
	}
	if err := read(steps.Bytes()[:steps.Len()-1], old); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
	if err := read(steps.Bytes(), old[:100]); err == nil {
		t.Error("a version before that is too short is no error")
	}
	for name, damaged := range map[string][]byte{
		"a number without an end":    bytes.Repeat([]byte{0xff}, 20),
		"a length beyond any":        {0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"a place before the version": {0, 1, 1, 0},
	} {
		if err := read(damaged, old); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func FuzzReader(f *testing.F) {
	old := program(10)
	var steps bytes.Buffer
	if err := delta.Write(&steps, old, program(10, 5)); err != nil {
		f.Fatal(err)
	}
	f.Add(steps.Bytes())
	f.Fuzz(func(t *testing.T, steps []byte) {
		read := io.LimitReader(delta.NewReader(bytes.NewReader(steps), bytes.NewReader(old)), 1<<20)
		io.Copy(io.Discard, read) // It returns, and does not panic.
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(program(10), program(10, 5))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		var steps bytes.Buffer
		if err := delta.Write(&steps, before, after); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(delta.NewReader(&steps, bytes.NewReader(before)))
		if err != nil || !bytes.Equal(got, after) {
			t.Errorf("%x comes out of %x, expected %x (error %v)", got, before, after, err)
		}
	})
}
