package process_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/process"
)

// runParent makes the test's executable a program that owns a group. Its value is
// the file that a command writes after the program was killed.
const runParent = "PROCESS_TEST_RUN_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(runParent) != "" {
		parent()
		return
	}
	os.Exit(m.Run())
}

// parent starts a program with a child, says who there is, and waits to be killed.
func parent() {
	group, err := process.NewGroup()
	if err != nil {
		panic(err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		panic(err)
	}
	for _, children := range threads { // The guard is the only child so far.
		guard, _ := os.ReadFile(children)
		fmt.Print(strings.TrimSpace(string(guard)))
	}
	fmt.Println()
	if err := group.AfterKill("/bin/sh", "-c", "echo \"$1\" > \"$0\"", os.Getenv(runParent), "it's over; $HOME"); err != nil {
		panic(err)
	}
	_, err = group.Start(process.Command{
		Path:   "/bin/sh",
		Args:   []string{"-c", "trap '' HUP INT TERM; sleep 1000 & echo $$; echo $!; while :; do wait; done"},
		Output: os.Stdout,
	})
	if err != nil {
		panic(err)
	}
	select {}
}

func TestNothingIsLeftWhenTheParentIsKilled(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	trace := filepath.Join(t.TempDir(), "trace")
	cmd.Env = append(os.Environ(), runParent+"="+trace)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	for _, who := range []string{"guard", "program", "child of the program"} {
		if !lines.Scan() {
			t.Fatalf("the parent did not name its %s: %v", who, lines.Err())
		}
		id := number(t, lines.Text())
		if !alive(id) {
			t.Fatalf("the %s, process %d, does not run", who, id)
		}
		defer eventually(t, "the end of the "+who, func() bool { return !alive(id) })
	}
	cmd.Process.Kill()
	eventually(t, "the command that runs after that", func() bool {
		text, _ := os.ReadFile(trace)
		return string(text) == "it's over; $HOME\n"
	})
}
