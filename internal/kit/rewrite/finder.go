package rewrite

import "slices"

// Address is a host with a port, or one of them, that a setting names.
type Address struct {
	Setting Setting
	Scheme  string // of the URL that it stands in, "" elsewhere
	Host    string // "" for the program's own
	Port    int32  // 0 if none is named

	orPorts      []int32 // what else may be the port of the host
	host, number span    // what is replaced; number is none for host:port
	form         form
}

// form is how an address is written.
type form int

const (
	together form = iota // host:port or host, replaced as a whole
	apart                // host and port in settings of their own
	keywords             // host=… port=… in one setting
	alone                // a port without a host, which is the program's own
)

// span is a part of the value of one of several settings.
type span struct {
	setting, start, end int
	exists              bool
}

func (s span) overlaps(other span) bool {
	return s.setting == other.setting && s.start < other.end && other.start < s.end
}

// finder finds addresses in settings.
type finder struct {
	settings []Setting
	known    func(host string) bool
	found    []Address
	taken    []span
}

func (f *finder) add(a Address) {
	f.found = append(f.found, a)
	f.take(a.host, a.number)
}

func (f *finder) take(spans ...span) {
	for _, s := range spans {
		if s.exists {
			f.taken = append(f.taken, s)
		}
	}
}

func (f *finder) isTaken(s span) bool { return slices.ContainsFunc(f.taken, s.overlaps) }

// whole is the value of a setting.
func (f *finder) whole(i int) span { return f.part(i, 0, len(f.settings[i].Value)) }

func (f *finder) part(i, start, end int) span { return span{i, start, end, true} }
