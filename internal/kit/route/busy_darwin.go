package route

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// owner asks lsof, which prints "p" and the process id, then "c" and its name.
func owner(port int) (program string, process int) {
	out, _ := exec.Command("lsof", "-nP", "-Fpc", fmt.Sprintf("-iTCP:%d", port), "-sTCP:LISTEN").Output()
	for line := range strings.Lines(string(out)) {
		switch value := strings.TrimSpace(line[1:]); line[0] {
		case 'p':
			process, _ = strconv.Atoi(value)
		case 'c':
			return value, process
		}
	}
	return "", 0
}
