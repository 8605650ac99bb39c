package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersions(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	vcs := func(settings ...string) (list []debug.BuildSetting) {
		for i := 0; i < len(settings); i += 2 {
			list = append(list, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return list
	}
	const revision = "c33da55c6a3c1fd3a1a1c0ffee0123456789abcd"
	ko := module(upstreamModule, "v0.19.1")
	forked := &debug.Module{Path: upstreamModule, Version: "v0.19.1", Replace: module("example.com/ko", "v0.19.2")}
	local := &debug.Module{Path: upstreamModule, Version: "v0.19.1", Replace: module("../ko", "")}
	for name, test := range map[string]struct {
		info           debug.BuildInfo
		upstream, ours string
	}{
		"installed":           {debug.BuildInfo{Main: *module(ourModule, "v1.2.3"), Deps: []*debug.Module{ko}}, "v0.19.1", "v1.2.3"},
		"a clone":             {debug.BuildInfo{Main: *module(ourModule, "(devel)"), Deps: []*debug.Module{ko}}, "v0.19.1", "devel"},
		"a clone with Git":    {debug.BuildInfo{Main: *module(ourModule, "v0.0.0-20261126053600-c33da55c6a3c+dirty")}, "", "v0.0.0-20261126053600-c33da55c6a3c+dirty"},
		"a revision":          {debug.BuildInfo{Main: *module(ourModule, "(devel)"), Settings: vcs("vcs.revision", revision, "vcs.modified", "false")}, "", "devel c33da55c6a3c"},
		"a modified revision": {debug.BuildInfo{Main: *module(ourModule, ""), Settings: vcs("vcs.revision", revision, "vcs.modified", "true")}, "", "devel c33da55c6a3c, modified"},
		"a short revision":    {debug.BuildInfo{Settings: vcs("vcs.revision", "7")}, "", "devel 7"},
		"a tool of a module":  {debug.BuildInfo{Main: *module("example.com/shop", "v9.9.9"), Deps: []*debug.Module{ko, module(ourModule, "v1.2.3")}}, "v0.19.1", "v1.2.3"},
		"a fork of upstream":  {debug.BuildInfo{Deps: []*debug.Module{forked}}, "v0.19.2", "devel"},
		"upstream's source":   {debug.BuildInfo{Deps: []*debug.Module{local}}, "(devel)", "devel"},
		"nothing":             {debug.BuildInfo{}, "", "devel"},
	} {
		if got := upstreamVersion(&test.info); got != test.upstream {
			t.Errorf("%s: upstream %q, want %q", name, got, test.upstream)
		}
		if got := ourVersion(&test.info); got != test.ours {
			t.Errorf("%s: ours %q, want %q", name, got, test.ours)
		}
	}
}
