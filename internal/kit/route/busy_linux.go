package route

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// owner finds the program that listens on a port, if we may see its descriptors.
func owner(port int) (program string, process int) {
	sockets := listening(port)
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		if err != nil || !sockets[target] {
			continue
		}
		id := strings.Split(descriptor, "/")[2]
		name, _ := os.ReadFile("/proc/" + id + "/comm")
		process, _ := strconv.Atoi(id)
		return strings.TrimSpace(string(name)), process
	}
	return "", 0
}

// listening returns the sockets that listen on a port, as descriptors name them.
// The fields are those of proc_net_tcp in the kernel's documentation: sl,
// local_address, rem_address, st, queues, tr, retrnsmt, uid, timeout, inode.
func listening(port int) map[string]bool {
	const stateListen = "0A"
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, _ := os.ReadFile(table)
		for line := range strings.Lines(string(content)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == stateListen && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return sockets
}
