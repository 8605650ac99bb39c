package route

import (
	"slices"
	"strconv"
	"strings"
)

// addressInUse is how the C library, and so every program, calls EADDRINUSE.
const addressInUse = "address already in use"

// PortInUse returns the port that a line of a program says to be in use, as in
// "listen tcp :9090: bind: address already in use"; 0 if it says none.
func PortInUse(line string) int {
	before, _, found := strings.Cut(strings.ToLower(line), addressInUse)
	if !found {
		return 0
	}
	fields := strings.FieldsFunc(before, func(r rune) bool { return r < '0' || r > '9' })
	for _, field := range slices.Backward(fields) {
		if port, err := strconv.Atoi(field); err == nil && port > 0 && port < 65536 && strings.Contains(before, ":"+field) {
			return port
		}
	}
	return 0
}
