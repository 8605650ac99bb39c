//go:build unix

package supervisor_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkFront measures what the supervisor adds to a request at the median, and the
// memory it takes after that, beside the program alone.
func BenchmarkFront(b *testing.B) {
	p := newServerPod(b, nil)
	alone := &pod{t: b, address: unusedAddress(b)}
	program := exec.Command(p.command[len(p.command)-1])
	program.Env = append(os.Environ(), "PORT="+alone.port())
	if err := program.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
	})
	alone.comes("image")
	h2c := &http.Protocols{}
	h2c.SetUnencryptedHTTP2(true)
	for name, protocols := range map[string]*http.Protocols{"http1": nil, "h2c": h2c} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
			const requests = 5000
			for b.Loop() {
				var behind, direct []time.Duration
				for range requests {
					behind = append(behind, p.request(b, client))
					direct = append(direct, alone.request(b, client))
				}
				added := median(behind) - median(direct)
				b.ReportMetric(float64(added.Microseconds()), "added-µs")
				b.ReportMetric(float64(median(direct).Microseconds()), "alone-µs")
			}
			b.ReportMetric(float64(rss(b, p.cmd.Process.Pid))/1024, "supervisor-MiB")
		})
	}
}

func (p *pod) request(b *testing.B, client *http.Client) time.Duration {
	began := time.Now()
	response, err := client.Get("http://" + p.address)
	if err != nil {
		b.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return time.Since(began)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// rss returns the resident memory of a process in KiB.
func rss(b *testing.B, pid int) (kib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			fmt.Sscanf(line, "VmRSS: %d kB", &kib)
		}
	}
	return kib
}
