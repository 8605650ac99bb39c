//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// lock locks a file for as long as the program runs, and waits for others.
func lock(path string) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
