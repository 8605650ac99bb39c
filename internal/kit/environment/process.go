package environment

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// inherited are the names of those variables, by whether this is Windows. There
// are no others, so that a variable of a shell does not change what a program
// does.
var inherited = map[bool][]string{
	false: {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"},
	true: {"PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME", "USERPROFILE",
		"APPDATA", "LOCALAPPDATA", "SSL_CERT_FILE", "SSL_CERT_DIR"},
}

// Inherited returns the variables of ours that every process gets.
func Inherited() map[string]string {
	values := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "LC_") || slices.Contains(inherited[runtime.GOOS == "windows"], name) {
			values[name] = value
		}
	}
	return values
}

// Entries writes variables as os/exec takes them, sorted; later ones win.
func Entries(layers ...map[string]string) []string {
	all := map[string]string{}
	for _, layer := range layers {
		maps.Copy(all, layer)
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}
