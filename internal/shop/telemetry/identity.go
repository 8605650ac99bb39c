package telemetry

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// started is when this process did, or nearly.
var started = time.Now()

// identify returns what is said of a service that this process runs.
func identify(service string) servertiming.Entry {
	host, _ := os.Hostname() // Without a name, it is left out.
	return servertiming.Entry{Name: service, Desc: host, Version: version(), Since: started.Unix()}
}

// version returns a checksum of the executable, "" if that cannot be read. Images are
// built without a commit, so that equal source gives equal images.
var version = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	sum := crc32.NewIEEE() // It protects nothing, and is fast.
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return fmt.Sprintf("%08x", sum.Sum32())
})
