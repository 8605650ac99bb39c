//go:build unix

package builds

// exe is how the name of an executable ends.
const exe = ""
