package watch

import "path/filepath"

// choice says which directories are polled.
type choice struct {
	mode   Mode
	polls  func(dir, fileSystem string) // nil when it has been called
	known  map[string]bool              // whether directories that are there are polled
	silent func(path string) (string, error)
}

func newChoice(mode Mode, polls func(dir, fileSystem string)) *choice {
	return &choice{mode: mode, polls: polls, known: map[string]bool{}, silent: silentFileSystem}
}

// split returns the directories whose changes are reported, and those to poll.
func (c *choice) split(dirs []string) (events, polled []string) {
	for _, dir := range dirs {
		if c.mode == Poll || c.mode != Events && c.isSilent(dir) {
			polled = append(polled, dir)
		} else {
			events = append(events, dir)
		}
	}
	return events, polled
}

// isSilent reports whether changes in a directory are not reported. One that is
// not there yet is on the file system of the nearest one above.
func (c *choice) isSilent(dir string) bool {
	if is, found := c.known[dir]; found {
		return is
	}
	fileSystem, err := c.silent(dir)
	if err != nil {
		if up := filepath.Dir(dir); up != dir {
			return c.isSilent(up)
		}
		return false
	}
	c.known[dir] = fileSystem != ""
	if fileSystem != "" && c.polls != nil {
		c.polls(dir, fileSystem)
		c.polls = nil
	}
	return fileSystem != ""
}
