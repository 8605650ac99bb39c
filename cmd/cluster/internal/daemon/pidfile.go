package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// record is a pidfile's content. A pid alone says nothing: it may be another program's by
// now. With the time it was started, in this boot of the machine, it is that one process.
type record struct {
	PID         int    `json:"pid"`
	Started     uint64 `json:"started"` // clock ticks after boot
	Boot        string `json:"boot"`
	Fingerprint string `json:"fingerprint"`
}

func (s Supervisor) pidfile(name string) string {
	return filepath.Join(s.RunDir, name+".pid")
}

// running returns the record of the program called name if that very process is alive.
func (s Supervisor) running(name string) (record, bool) {
	data, err := os.ReadFile(s.pidfile(name))
	if err != nil {
		return record{}, false
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, false
	}
	return r, r.alive()
}

func (r record) write(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o600)
}

func (r record) alive() bool {
	now, err := describe(r.PID)
	return err == nil && now.Started == r.Started && now.Boot == r.Boot
}

// describe returns the record of a process, or an error if it is not alive.
func describe(pid int) (record, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return record{}, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return record{}, err
	}
	state, started, err := parseStat(stat)
	if err != nil {
		return record{}, fmt.Errorf("process %d: %w", pid, err)
	}
	if state == "Z" || state == "X" {
		return record{}, fmt.Errorf("process %d has ended", pid)
	}
	return record{PID: pid, Started: started, Boot: strings.TrimSpace(string(boot))}, nil
}

// parseStat returns the state and the start time, fields 3 and 22 of /proc/PID/stat
// (proc(5)). Field 2, the name, may hold spaces and parentheses: what follows its last
// parenthesis is counted.
func parseStat(stat []byte) (state string, started uint64, err error) {
	_, rest, found := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(") "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 20 {
		return "", 0, fmt.Errorf("unexpected content of /proc/PID/stat: %q", stat)
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	return fields[0], started, err
}
