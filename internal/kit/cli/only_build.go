package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/ko/pkg/publish"
	"github.com/spf13/pflag"
)

// defaultToBuild makes upstream's flag --push one that is not set unless it is given.
func defaultToBuild(push *pflag.Flag) {
	push.DefValue, push.Usage = "false", "Push images to KO_DOCKER_REPO, which is not necessary to compare them"
	if err := push.Value.Set(push.DefValue); err != nil {
		panic("upstream's --push is no flag that can be false: " + err.Error()) // Every test would find that.
	}
}

// onlyCompares reports whether the flags are those of a command whose images need not be
// published.
func onlyCompares(flags *pflag.FlagSet) bool { return flags.Lookup("push").DefValue == "false" }

// onlyBuild changes upstream's flags so that images are built and not published, and
// have the references that they would be published by. With --push they are published.
func onlyBuild(flags *pflag.FlagSet) error {
	if push, _ := flags.GetBool("push"); push {
		return nil
	}
	repo := os.Getenv("KO_DOCKER_REPO")
	local, _ := flags.GetBool("local")
	switch {
	case local || strings.HasPrefix(repo, publish.LocalDomain) || strings.HasPrefix(repo, publish.KindDomain):
		return errors.New("without a registry, the references of images are known only once they are loaded into the container daemon or the nodes of kind: pass --push to have that done")
	}
	for _, name := range []string{"oci-layout-path", "tarball"} {
		if flags.Changed(name) {
			return fmt.Errorf("--%s goes with --push: nothing is published without it", name)
		}
	}
	if err := flags.Set("push", "false"); err != nil {
		return err
	}
	return keepTag(flags)
}

// keepTag leaves a tag where a published reference has one beside the digest: if it is
// the only one, and not "latest" (https://github.com/google/ko/blob/v0.19.1/pkg/publish/default.go).
// Without publishing, upstream would put the first of all tags there.
func keepTag(flags *pflag.FlagSet) error {
	list, err := flags.GetStringSlice("tags")
	if err != nil {
		return err
	}
	alone, _ := flags.GetBool("tag-only")
	if alone || len(list) == 1 && list[0] != "latest" {
		return nil
	}
	flag := flags.Lookup("tags")
	if err := flags.Set(flag.Name, ""); err != nil { // It counts as given from now on.
		return err
	}
	tags, ok := flag.Value.(pflag.SliceValue)
	if !ok {
		return fmt.Errorf("--%s is no list", flag.Name)
	}
	return tags.Replace(nil)
}
