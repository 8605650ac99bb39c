package products

// ratio is the similarity of two texts by Ratcliff and Obershelp: twice the
// number of characters in common divided by the number of all. It finds the
// same blocks in the same order as Python's difflib.SequenceMatcher(None, a,
// b).ratio() and so gives the same number; testdata/ratio.json holds Python's.
// (difflib ignores frequent characters of a b of 200 and more; no name is so
// long.)
func ratio(a, b string) float64 {
	ra, rb := []rune(a), []rune(b)
	if len(ra)+len(rb) == 0 {
		return 1
	}
	return 2 * float64(matches(ra, rb)) / float64(len(ra)+len(rb))
}

// matches counts the characters of the longest common block and, recursively,
// of those before and behind it.
func matches(a, b []rune) int {
	i, j, size := longestBlock(a, b)
	if size == 0 {
		return 0
	}
	return size + matches(a[:i], b[:j]) + matches(a[i+size:], b[j+size:])
}

// longestBlock returns the longest run that a[i:] and b[j:] share; of several,
// the one that starts earliest in a, and of those earliest in b.
func longestBlock(a, b []rune) (i, j, size int) {
	lengths := make([]int, len(b)+1) // lengths[k+1]: of the run that ends at b[k]
	for x := range a {
		for y := len(b) - 1; y >= 0; y-- {
			if a[x] != b[y] {
				lengths[y+1] = 0
				continue
			}
			n := lengths[y] + 1
			lengths[y+1] = n
			if n > size || n == size && x-n+1 == i && y-n+1 < j {
				i, j, size = x-n+1, y-n+1, n
			}
		}
	}
	return i, j, size
}
