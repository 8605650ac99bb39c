package telemetry

import (
	"bytes"
	"fmt"
	"os"
	"runtime/metrics"
	"time"
)

// process returns readings of this process, by the names that dashboards of Prometheus
// know. Without /proc, some are 0.
func process() []Reading {
	return []Reading{
		{Name: "go.goroutines", Unit: "{goroutine}", About: "Goroutines", Read: runtimeMetric("/sched/goroutines:goroutines")},
		{Name: "go.memstats.heap_alloc", Unit: "By", About: "Memory of objects on the heap", Read: runtimeMetric("/memory/classes/heap/objects:bytes")},
		{Name: "go.memstats.sys", Unit: "By", About: "Memory taken from the system", Read: runtimeMetric("/memory/classes/total:bytes")},
		{Name: "go.gc.cycles", Unit: "{cycle}", About: "Garbage collections", IsTotal: true, Read: runtimeMetric("/gc/cycles/total:gc-cycles")},
		{Name: "process.cpu", Unit: "s", About: "Time on a CPU", IsTotal: true, Read: func() float64 { cpu, _ := usage(); return cpu.Seconds() }},
		{Name: "process.resident_memory", Unit: "By", About: "Resident memory", Read: func() float64 { _, memory := usage(); return float64(memory) }},
		{Name: "process.open_fds", Unit: "{file}", About: "Open files and connections", Read: openFiles},
		{Name: "process.start_time", Unit: "s", About: "When the process started, since 1970", Read: func() float64 { return float64(started.UnixMilli()) / 1000 }},
	}
}

// runtimeMetric returns what reads a number of package runtime/metrics.
func runtimeMetric(name string) func() float64 {
	return func() float64 {
		sample := []metrics.Sample{{Name: name}}
		if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
			return 0 // not in this version of Go
		}
		return float64(sample[0].Value.Uint64())
	}
}

// tick is the unit of times in /proc.
const tick = 10 * time.Millisecond

// usage returns the CPU time and the resident memory, as Linux has them in proc_pid_stat(5).
func usage() (cpu time.Duration, memory int) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0
	}
	// The name of the program, in parentheses, may contain anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 22 {
		return 0, 0
	}
	var user, system time.Duration
	var pages int
	fmt.Sscan(string(fields[11])+" "+string(fields[12])+" "+string(fields[21]), &user, &system, &pages)
	return (user + system) * tick, pages * os.Getpagesize()
}

func openFiles() float64 {
	files, _ := os.ReadDir("/proc/self/fd")
	return float64(len(files))
}
