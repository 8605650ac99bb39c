// Command seed writes its arguments to a file, as a Job does that prepares a
// volume.
package main

import (
	"os"
	"strings"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(strings.Join(os.Args[2:], " ")), 0o600); err != nil {
		panic(err)
	}
}
