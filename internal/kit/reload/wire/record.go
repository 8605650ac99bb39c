package wire

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// A pod that starts after a reload gets the newest version of its program from
// ConfigMaps, which a reload writes and which the pod mounts if they are there: it needs
// no rights and nobody who waits for it. A ConfigMap holds 1 MiB, so there are several.
const (
	// RecordDir is where a container has them.
	RecordDir = "/live-reload-newest"
	// RecordParts is how many there may be.
	RecordParts = 8
	// PartSize is what one of them holds at most, in bytes.
	PartSize = 960 << 10
	// headKey is the key of the [Record] in the first.
	headKey = "head"
)

// Record is the newest version of a program.
type Record struct {
	Header
	Image Digest `json:"image"` // the executable of the image that it replaces
	Parts int    `json:"parts"` // in which the executable follows, as it does a [Header]
}

// RecordVolume is the name of the volume in a pod.
func RecordVolume(container string) string { return volumeOf("newest", container) }

// RecordName is the name of a ConfigMap.
func RecordName(prefix string, part int) string { return prefix + "." + strconv.Itoa(part) }

// RecordPrefix returns what a name of [RecordName] begins with.
func RecordPrefix(name string) string {
	return strings.TrimSuffix(name, path.Ext(name))
}

// partKey names a part, which belongs to one executable: parts of two are never mixed.
func (r Record) partKey(part int) string { return fmt.Sprintf("body-%s-%d", r.Executable[:12], part) }

// Split returns what each of the ConfigMaps holds. It fails if that is more than they
// can hold.
func (r Record) Split(body []byte) ([]map[string][]byte, error) {
	r.Parts = max(1, (len(body)+PartSize-1)/PartSize)
	if r.Parts > RecordParts {
		return nil, fmt.Errorf("it is %d kB compressed, and ConfigMaps hold %d kB", len(body)>>10, RecordParts*PartSize>>10)
	}
	parts := make([]map[string][]byte, r.Parts)
	for i := range parts {
		parts[i] = map[string][]byte{r.partKey(i): body[min(len(body), i*PartSize):min(len(body), (i+1)*PartSize)]}
	}
	head, err := json.Marshal(r)
	parts[0][headKey] = head
	return parts, err
}

// Join reads a record and what follows it, from a function that returns what is under a
// key.
func Join(read func(key string) ([]byte, error)) (record Record, body []byte, err error) {
	head, err := read(headKey)
	if err != nil {
		return record, nil, err
	}
	if err := json.Unmarshal(head, &record); err != nil {
		return record, nil, fmt.Errorf("reading its header: %w", err)
	}
	if err := record.Check(); err != nil {
		return record, nil, err
	}
	for part := range min(record.Parts, RecordParts) {
		more, err := read(record.partKey(part))
		if err != nil {
			return record, nil, fmt.Errorf("its part %d is not there: %v", part, err) // Not wrapped: fs.ErrNotExist would mean that there is no record.
		}
		body = append(body, more...)
	}
	return record, body, nil
}
