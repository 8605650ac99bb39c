package rewrite

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// words splits the name of a variable, flag or key into its words, in capitals:
// METRICS_PORT, metrics.port and metricsPort have the same ones.
func words(name string) []string {
	var all []string
	start := 0
	letters := []rune(name)
	end := func(i int) {
		if i > start {
			all = append(all, strings.ToUpper(string(letters[start:i])))
		}
		start = i
	}
	for i, r := range letters {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end(i)
			start = i + 1
		case unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])):
			end(i)
		}
	}
	end(len(letters))
	return all
}

// portWord and hostWord match the words for a port and for the machine that it
// is on, with what is written together with them: PORT, PORT2, PGPORT.
var (
	portWord = regexp.MustCompile(`^(.*)PORT(?:S|NO|NUM|NUMBER)?(\d*)$`)
	hostWord = regexp.MustCompile(`^(.*)(?:HOST|HOSTNAME|ADDR|ADDRESS)(\d*)$`)
)

// otherWords end in PORT and mean something else.
var otherWords = regexp.MustCompile(`^(AIR|DE|EX|IM|PASS|RAP|RE|REEX|SEA|SUP|TELE|TRANS|VIEW)PORTS?$`)

// namesPort reports whether a variable, flag or key is about a port.
func namesPort(name string) bool {
	_, _, found := aroundPort(name)
	return found
}

// aroundPort returns the words before and behind the one for a port.
func aroundPort(name string) (before, after []string, found bool) {
	return around(words(name), func(word string) []string {
		if otherWords.MatchString(word) {
			return nil
		}
		return portWord.FindStringSubmatch(word)
	})
}

// around returns what stands before and behind the first word that match
// divides; it reports false if there is none.
func around(words []string, match func(word string) []string) (before, after []string, found bool) {
	for i, word := range words {
		if parts := match(word); parts != nil {
			return withWord(words[:i], parts[1]), append(withWord(nil, parts[2]), words[i+1:]...), true
		}
	}
	return nil, nil, false
}

func withWord(words []string, word string) []string {
	if word == "" {
		return words
	}
	return append(slices.Clone(words), word)
}

// isHostOf reports whether the port that is called port belongs to the host
// that is called host: DB_PORT and DB_PORT_RW belong to DB_HOST. What is called
// HOST alone is where the program itself listens, beside PORT_METRICS.
func isHostOf(host, port string) bool {
	portBefore, portAfter, isPort := aroundPort(port)
	before, after, isHost := around(words(host), hostWord.FindStringSubmatch)
	if !isPort || !isHost || !slices.Equal(before, portBefore) {
		return false
	}
	return slices.Equal(after, portAfter) || len(after) == 0 && len(before) > 0
}

// namesListener reports whether a name is about where a program listens, such as
// listen or web-addr.
func namesListener(name string) bool {
	all := words(name)
	return len(all) > 0 && slices.Contains([]string{"LISTEN", "BIND", "ADDR", "ADDRESS"}, all[len(all)-1])
}

// portName returns DB_PORT for DB_HOST, and false for what does not name a
// host; the virtual hosts of message brokers are none.
func portName(name string) (string, bool) {
	if name == "HOST" || name == "HOSTNAME" || strings.HasSuffix(strings.ToUpper(name), "VHOST") {
		return "", false // the first two are the program's own
	}
	for _, end := range portNames {
		if stem, found := strings.CutSuffix(name, end.host); found {
			return stem + end.port, true
		}
	}
	return "", false
}

// portNames are the ends of names of hosts, and what is in their place in the
// name of the port that belongs to them.
var portNames = []struct{ host, port string }{
	{"HOSTNAME", "PORT"}, {"HOST", "PORT"}, {"hostname", "port"}, {"host", "port"}, {"Host", "Port"},
}

// namesAddress reports whether a variable or flag holds an address, going by
// its name.
func namesAddress(name string) bool {
	name = strings.ToUpper(name)
	if namesIdentity(name) || strings.HasSuffix(name, "VHOST") || name == "HOST" || name == "HOSTNAME" {
		return false
	}
	for _, word := range []string{"HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "TARGET", "UPSTREAM"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// namesIdentity reports whether a variable or flag says what something is
// called, such as OTEL_SERVICE_NAME.
func namesIdentity(name string) bool {
	name = strings.ReplaceAll(strings.ToUpper(name), "-", "_")
	return strings.HasSuffix(name, "NAME") && !strings.HasSuffix(name, "HOSTNAME") || strings.HasSuffix(name, "_ID")
}
