package reuse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/google/ko/pkg/build"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/record"
)

// making is changed when the kit makes other images of the same inputs.
const making = "2"

// subject is a program whose image is asked for.
type subject struct {
	key     record.Key
	place   *publish.Place
	recipes []*program.Recipe // for each platform
	others  []record.Input    // that no recipe says anything of
}

// subject finds what an image is made of as far as the go tool need not be asked. An
// error says why the image has to be built each time.
func (i *Images) subject(ctx context.Context, reference string) (*subject, error) {
	p, err := i.settings.Find(ctx, reference)
	if err != nil {
		return nil, err
	}
	s := &subject{}
	if s.place, err = i.publisher.Place(build.StrictScheme + p.ImportPath); err != nil {
		return nil, err
	}
	if s.place == nil {
		return nil, errors.New("no registry can be asked for what was published before")
	}
	directory, err := filepath.Abs(i.settings.Options.WorkingDirectory)
	if err != nil {
		return nil, err
	}
	s.key = record.Key{WorkingDirectory: directory, ImportPath: p.ImportPath, Repository: s.place.Repository.Name()}
	targets, err := i.settings.ImageTargets()
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		recipe, err := p.Recipe(ctx, target)
		if err != nil {
			return nil, err
		}
		s.recipes = append(s.recipes, recipe)
	}
	s.others, err = i.others(p)
	return s, err
}

// others returns the inputs of an image that are none of its executable and its data.
func (i *Images) others(p *program.Program) ([]record.Input, error) {
	opts := &i.settings.Options
	switch {
	case opts.Debug:
		return nil, errors.New("--debug puts the newest Delve into it")
	case opts.SBOMDir != "":
		return nil, errors.New("--sbom-dir wants what only a build writes")
	}
	image, _ := p.BaseImage()
	if base.IsLocal(image) {
		return nil, fmt.Errorf("its base image %s is in the container daemon", image)
	}
	digest, err := i.bases.Digest(image)
	if err != nil {
		return nil, fmt.Errorf("its base image %s cannot be asked for: %w", image, err)
	}
	set := func(name, value string) record.Input {
		return record.Input{Kind: record.Setting, Name: name, Value: value}
	}
	list := func(name string, values []string) record.Input {
		return set(name, strings.Join(slices.Sorted(slices.Values(values)), "\n"))
	}
	return []record.Input{
		{Kind: record.Base, Name: image, Value: digest},
		set("import path", p.ImportPath),
		set("--platform", strings.Join(i.settings.ImagePlatforms(), ",")),
		set("--image-user", opts.User),
		set("--sbom", opts.SBOM),
		set("--image-label", pairs(opts.Labels)),
		set("--image-annotation", pairs(opts.Annotations)),
		list("linux_capabilities", p.Capabilities()),
		set("SOURCE_DATE_EPOCH", os.Getenv("SOURCE_DATE_EPOCH")),
		set("KO_DATA_DATE_EPOCH", os.Getenv("KO_DATA_DATE_EPOCH")),
		set("the way in which images are made", making),
		set("the version of github.com/google/ko", version("github.com/google/ko")),
		set("the version of github.com/google/go-containerregistry", version("github.com/google/go-containerregistry")),
	}, nil
}

// pairs returns names and values in one order. Of two values of a name, the last counts.
func pairs(texts []string) string {
	values := map[string]string{}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		values[name] = value
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%q=%q ", name, values[name])
	}
	return strings.TrimSuffix(b.String(), " ")
}

var buildInfo = sync.OnceValues(debug.ReadBuildInfo)

// version returns which version of a module this program was built with. Another one may
// make other images.
func version(module string) string {
	info, ok := buildInfo()
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	return ""
}
