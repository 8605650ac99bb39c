package compile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/ko/pkg/commands/options"
)

// compileHere makes the test below a program that compiles.
const compileHere = "COMPILE_HERE"

func TestTheGoToolDiesWithThisProcess(t *testing.T) {
	if dir := os.Getenv(compileHere); dir != "" {
		t.Chdir(dir)
		t.Fatal(newCompiler(t, options.BuildOptions{}).Compile(t.Context(), helloPath, filepath.Join(dir, "out")))
	}
	dir := write(t, hello())
	file := slowGo(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), compileHere+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := readPids(t, file)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // It was killed.
	for _, pid := range pids {
		eventually(t, "the go tool and its compilers die", func() bool { return ended(pid) })
	}
}
