package program

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ImageTargets returns the targets of images, one for each platform. It fails if only
// the base image says which platforms these are.
func (s *Settings) ImageTargets() ([]Target, error) {
	list := s.ImagePlatforms()
	if len(list) == 1 {
		list = strings.Split(list[0], ",") // As upstream does.
	}
	var targets []Target
	for _, text := range list {
		platform, err := v1.ParsePlatform(text)
		if err != nil || platform.OS == "" || platform.Architecture == "" || platform.OSVersion != "" {
			return nil, fmt.Errorf("the base image says which platforms %q stands for", text)
		}
		targets = append(targets, Target{Platform: *platform})
	}
	return targets, nil
}

// ImageTarget returns the target of images, of several platforms the first: of
// --platform, or of defaultPlatforms in .ko.yaml, or GOOS and GOARCH, or
// linux/amd64. It fails if that is no platform.
func (s *Settings) ImageTarget() (Target, error) {
	text := s.imagePlatform()
	platform, err := v1.ParsePlatform(text)
	if err == nil && platform.Architecture == "" {
		platform.Architecture = runtime.GOARCH // Any is meant.
	}
	if err != nil || platform.OS == "" {
		return Target{}, fmt.Errorf("platform %q: expected one such as linux/amd64, in --platform or under defaultPlatforms in .ko.yaml", text)
	}
	return Target{Platform: *platform}, nil
}

func (s *Settings) imagePlatform() string {
	first := s.ImagePlatforms()[0]
	if first == "all" { // Of those that the base image has, most machines can run this one.
		return path.Join("linux", runtime.GOARCH)
	}
	return first
}

// ImagePlatforms returns the platforms that images are for, at least one, as they are
// written: "all" stands for those of the base image.
func (s *Settings) ImagePlatforms() []string {
	if list := firstSet(s.Options.Platforms, s.Options.DefaultPlatforms); len(list) > 0 {
		return list
	}
	return []string{platformOfEnvironment()}
}

// CheckPlatforms fails if the settings and the environment both say which platforms images
// are for.
func (s *Settings) CheckPlatforms() error {
	if len(firstSet(s.Options.Platforms, s.Options.DefaultPlatforms)) == 0 {
		return nil
	}
	for _, variable := range []string{"GOOS", "GOARCH", "GOARM"} {
		if value, isSet := os.LookupEnv(variable); isSet {
			return fmt.Errorf("cannot use --platform or defaultPlatforms in .ko.yaml or env KO_DEFAULTPLATFORMS combined with %s=%q", variable, value)
		}
	}
	return nil
}

func platformOfEnvironment() string {
	goos, goarch, goarm := os.Getenv("GOOS"), os.Getenv("GOARCH"), os.Getenv("GOARM")
	switch {
	case goos == "" || goarch == "":
		return "linux/amd64"
	case strings.Contains(goarch, "arm") && goarm != "":
		return path.Join(goos, goarch, "v"+goarm)
	}
	return path.Join(goos, goarch)
}

// platformVars returns the variables by which the go tool compiles for a
// platform, as upstream's buildEnv does.
func platformVars(platform v1.Platform) ([]string, error) {
	vars := []string{"GOOS=" + platform.OS, "GOARCH=" + platform.Architecture}
	switch {
	case platform.Variant != "" && platform.Architecture == "arm":
		version, err := strconv.Atoi(strings.TrimPrefix(platform.Variant, "v"))
		if err != nil {
			return nil, fmt.Errorf("platform %s: %q is no version of ARM: write one such as v7", platform, platform.Variant)
		}
		if version >= 5 {
			vars = append(vars, "GOARM="+strconv.Itoa(min(version, 7)))
		}
	case platform.Variant != "" && platform.Architecture == "amd64":
		vars = append(vars, "GOAMD64="+platform.Variant)
	}
	return vars, nil
}

// firstSet returns the first list that holds anything.
func firstSet(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}
