package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/ko/pkg/commands"
	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
)

// setFlag is the value of --applyset.
type setFlag struct{ name string }

// addSetFlag adds --applyset, which kubectl has too. There it is also for other kinds of
// parents, and has no default.
func addSetFlag(cmd *cobra.Command) *setFlag {
	f := &setFlag{}
	cmd.Flags().StringVar(&f.name, "applyset", "", "With -k, [NAMESPACE/]NAME of the ConfigMap that keeps the record of the set for --prune; by default the name is made of the module and the directory of the kustomization")
	onlyWithKustomize(cmd, "applyset")
	return f
}

// set returns the set of a kustomization. It has no name where none is given and none
// can be made.
func (f *setFlag) set(cmd *cobra.Command, dir string) (applyset.Set, error) {
	set := applyset.Set{Name: f.name, Version: commands.Version}
	if !cmd.Flags().Changed("applyset") {
		name, err := setName(dir)
		set.Name = name
		return set, err
	}
	if namespace, name, both := strings.Cut(f.name, "/"); both {
		set.Namespace, set.Name = namespace, name
		if wrong := validation.IsDNS1123Label(namespace); len(wrong) > 0 || isParentResource(namespace) {
			return set, fmt.Errorf("--applyset %q: %q is no namespace: %s", f.name, namespace, setNameForm)
		}
	}
	if wrong := validation.IsDNS1123Subdomain(set.Name); len(wrong) > 0 {
		return set, fmt.Errorf("--applyset %q: %s: %s", f.name, setNameForm, wrong[0])
	}
	return set, nil
}

// setToPrune returns the set as [setFlag.set] does. To prune, there has to be one, and all
// of the kustomization.
func (f *setFlag) setToPrune(cmd *cobra.Command, dir string, prunes bool) (applyset.Set, error) {
	if prunes && cmd.Flags().Changed("selector") {
		return applyset.Set{}, errors.New("--prune goes with the whole kustomization: it cannot be used with --selector, which leaves objects out")
	}
	set, err := f.set(cmd, dir)
	if err == nil && prunes && set.Name == "" {
		err = fmt.Errorf("--prune: %s is in no Go module whose path begins with a domain, by which its set would be told from others: name the set with --applyset, always the same", dir)
	}
	return set, err
}

const setNameForm = "it is the name of a ConfigMap, without its kind, such as shop-dev, or with its namespace, such as shop/shop-dev"

// isParentResource reports whether a text is what kubectl takes before the name: there
// it is the kind of the record.
func isParentResource(text string) bool {
	return slices.Contains([]string{"configmap", "configmaps", "cm", "secret", "secrets"}, text)
}

// setName returns the name of the set of a kustomization, such as ko-dev-0f9b1c2d3e, or
// "" if nothing tells it from those of others. It is the same on every machine: behind
// the name of the directory stands a hash of the Go module that the directory is in, if
// its path begins with a domain, and of its path there, or for a remote kustomization, of
// [remoteIdentity].
func setName(dir string) (string, error) {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return "", nil // Rendering says so.
	case err == nil:
		return localSetName(dir)
	case !strings.Contains(dir, "/"):
		return "", nil
	}
	return nameOfSet(remoteIdentity(dir)), nil
}

func localSetName(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	for root := dir; ; root = filepath.Dir(root) {
		text, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil && modfile.ModulePath(text) != "" {
			if !hasDomain(modfile.ModulePath(text)) {
				return "", nil
			}
			inModule, err := filepath.Rel(root, dir)
			return nameOfSet(path.Join(modfile.ModulePath(text), filepath.ToSlash(inModule))), err
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking for the Go module that the kustomization is in: %w", err)
		}
		if root == filepath.Dir(root) {
			return "", nil
		}
	}
}

// hasDomain reports whether a module path tells the module from those of others: whoever
// has the domain gives it once (https://go.dev/ref/mod#module-path).
func hasDomain(modulePath string) bool {
	first, _, _ := strings.Cut(modulePath, "/")
	return strings.Contains(first, ".")
}

// notInName is what the name of a directory may have, and that of an object may not.
var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// longestBase is how much of the name of a directory stands in that of a set, in bytes:
// the whole name is short enough for a label.
const longestBase = 40

func nameOfSet(identity string) string {
	base := notInName.ReplaceAllString(strings.ToLower(path.Base(identity)), "-")
	base = strings.Trim(base[:min(len(base), longestBase)], "-")
	hash := sha256.Sum256([]byte(identity))
	return "ko-" + cmp.Or(base, "set") + "-" + hex.EncodeToString(hash[:5])
}
