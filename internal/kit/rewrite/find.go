package rewrite

// Find returns the addresses that settings name whose hosts are known, and the
// ports that stand alone and may be those of the program. It goes by names and
// by form: it does not say that something listens there.
func Find(settings []Setting, known func(host string) bool) []Address {
	f := &finder{settings: settings, known: known}
	for i := range settings {
		f.findApart(i)
	}
	for i := range settings {
		f.findAlone(i)
		f.findKeywords(i)
		f.findKeyed(i)
		f.findTogether(i)
	}
	return f.found
}

// Ports returns the ports of the program itself that settings name, each with
// the first setting that does.
func Ports(settings []Setting) map[int32]Setting {
	ports := map[int32]Setting{}
	for _, a := range Find(settings, IsLocal) {
		if a.Port == 0 {
			a.Port, _ = DefaultPort(a.Scheme)
		}
		if _, isNamed := ports[a.Port]; !isNamed && a.Port != 0 {
			ports[a.Port] = a.Setting
		}
	}
	return ports
}
