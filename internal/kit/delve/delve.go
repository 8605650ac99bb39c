// Package delve says which Delve, the debugger for Go, is put into pods.
package delve

import "github.com/koshop/koshop/internal/kit/goinstall"

// Version of Delve. One supports the last three versions of Go.
const Version = "v1.27.2"

// Command is its program.
var Command = goinstall.Command{ImportPath: "github.com/go-delve/delve/cmd/dlv", Version: Version}
