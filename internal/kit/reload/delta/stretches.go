package delta

import "bytes"

const (
	// block is the length in bytes of what must be the same for a stretch to be
	// found. Go aligns functions to 32 bytes on amd64, and to 16 on arm64.
	block = 32
	// patience is how many bytes more must differ than be the same, since it was
	// longest, for a stretch to be at its end.
	patience = 96
)

// stretch is a part of the new version that resembles one of the old.
type stretch struct {
	at     int // in the new version
	from   int // in the old version
	length int
}

// stretches returns the stretches of after, in order.
func stretches(before, after []byte) []stretch {
	search := finder{before: before, after: after}
	var found []stretch
	var shift int // of the stretch before: from - at
	end := 0      // of it, in after
	for at := 0; at+block <= len(after); at++ {
		from := search.find(at, at+shift)
		if from < 0 {
			continue
		}
		s := extend(before, after, stretch{at: at, from: from}, end)
		if s.length < 2*block {
			continue
		}
		found = append(found, s)
		end, shift = s.at+s.length, s.from-s.at
		at = end - 1
	}
	return found
}

// extend makes a stretch as long as it pays, back to the end of the one before
// it and on to the end of the versions.
func extend(before, after []byte, s stretch, end int) stretch {
	length := longest(min(len(before)-s.from, len(after)-s.at), func(i int) int { return sameFrom(before[s.from+i:], after[s.at+i:]) })
	back := longest(min(s.from, s.at-end), func(i int) int {
		if before[s.from-1-i] == after[s.at-1-i] {
			return 1
		}
		return 0
	})
	return stretch{at: s.at - back, from: s.from - back, length: back + length}
}

// longest returns the number of bytes, up to a limit, of which most are the same. How
// many are from the i-th on, same says.
func longest(limit int, same func(i int) int) int {
	best, bestScore, score := 0, 0, 0
	for i := 0; i < limit && score > bestScore-patience; {
		n := same(i)
		if n == 0 {
			score--
			i++
			continue
		}
		i += n
		if score += n; score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}

// sameFrom returns how many bytes are the same at the beginning of a and b. Nearly all
// of a program is as it was, and comparing its pages as a whole takes no time.
func sameFrom(a, b []byte) (n int) {
	limit := min(len(a), len(b))
	for _, step := range []int{1 << 16, 1 << 9, 1 << 4, 1} {
		for n+step <= limit && bytes.Equal(a[n:n+step], b[n:n+step]) {
			n += step
		}
	}
	return n
}

// finder finds blocks of the new version in the old one.
type finder struct {
	before, after []byte
	index         *index // nil until one is not where it is likely
	hash          rolling
}

// find returns where a block of the new version is in the old one, preferably at a
// place that is likely, or -1.
func (f *finder) find(at, likely int) int {
	wanted := f.after[at : at+block]
	if likely >= 0 && likely+block <= len(f.before) && bytes.Equal(f.before[likely:likely+block], wanted) {
		return likely
	}
	if f.index == nil {
		f.index = indexOf(f.before)
	}
	return f.index.find(f.before, wanted, f.hash.at(f.after, at))
}

// index knows where in the old version a block is, by its hash.
type index struct {
	slots []int32 // position + 1 in blocks
	shift uint
}

func indexOf(before []byte) *index {
	x := &index{shift: 64}
	for size := 1; ; size, x.shift = size*2, x.shift-1 {
		if size >= 2*len(before)/block {
			x.slots = make([]int32, size)
			break
		}
	}
	for at := 0; at+block <= len(before); at += block {
		x.slots[x.slot(hashOf(before[at:at+block]))] = int32(at/block + 1)
	}
	return x
}

func (x *index) slot(hash uint64) uint64 {
	return hash * 0x9E3779B97F4A7C15 >> x.shift // Fibonacci hashing.
}

// find returns where a block is in the old version, or -1.
func (x *index) find(before, wanted []byte, hash uint64) int {
	slot := x.slots[x.slot(hash)]
	if slot == 0 {
		return -1
	}
	from := int(slot-1) * block
	if !bytes.Equal(before[from:from+block], wanted) {
		return -1
	}
	return from
}

// rolling is the hash of a block that moves on byte by byte, a polynomial.
type rolling struct {
	next int
	hash uint64
}

const prime = 0x100000001B3

// outgoing is prime to the power of block - 1.
var outgoing = func() uint64 {
	power := uint64(1)
	for range block - 1 {
		power *= prime
	}
	return power
}()

func hashOf(b []byte) (hash uint64) {
	for _, c := range b {
		hash = hash*prime + uint64(c) + 1
	}
	return hash
}

// at returns the hash of the block at a position.
func (r *rolling) at(data []byte, at int) uint64 {
	if at > 0 && at == r.next {
		r.hash = (r.hash-(uint64(data[at-1])+1)*outgoing)*prime + uint64(data[at+block-1]) + 1
	} else {
		r.hash = hashOf(data[at : at+block])
	}
	r.next = at + 1
	return r.hash
}
