package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/class"
)

// shortestValid is the least that an API server gives a token for. A token that is
// forgotten on a laptop should not outlive the workshop by much: longestValid.
const (
	shortestValid = 10 * time.Minute
	longestValid  = 31 * 24 * time.Hour
)

const upLong = `Make for each attendee a namespace api-NAME with a quota, an account that may do
the workshop there and no more, and the kubeconfig .class/NAME.kubeconfig to hand
out. Again, it makes what is missing and renews the kubeconfigs.

With --shared, the class shares the namespace of a shop that is deployed, where
each attendee may look and intercept. Intercepts of one's own requests only, by
telepresence intercept --http-header, need a client and a traffic manager of
2.25; before that, one laptop at a time has all requests of a service.

Kubernetes keeps attendees out of each other's namespaces, but a traffic manager
does not: who may connect to it can intercept in every namespace that it manages.`

const upExample = `  workshop class up --attendees ada,grace
  workshop class up --size 20
  workshop class up --size 20 --shared`

func classUp(flags *genericclioptions.ConfigFlags, name, dir *string) *cobra.Command {
	cmd := &cobra.Command{Use: "up", Short: "Make a namespace and a kubeconfig for each attendee", Long: upLong, Example: upExample, Args: cobra.NoArgs}
	names := cmd.Flags().StringSlice("attendees", nil, "The names of the attendees or teams, such as ada,grace")
	file := cmd.Flags().String("attendees-file", "", "A file with a name in each line")
	size := cmd.Flags().Int("size", 0, "How many attendees, who are called attendee-01 and so on")
	valid := cmd.Flags().Duration("valid", 12*time.Hour, "How long a kubeconfig is valid, from 10m to 744h")
	manager := cmd.Flags().String("manager-namespace", "ambassador", "The namespace of Telepresence's traffic manager")
	sharing := cmd.Flags().Bool("shared", false, "Let all share one namespace")
	namespace := cmd.Flags().String("namespace", "api", "With --shared, that namespace")
	cmd.MarkFlagsOneRequired("attendees", "attendees-file", "size")
	cmd.MarkFlagsMutuallyExclusive("attendees", "attendees-file", "size")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := &class.Class{Name: *name, Manager: *manager, Valid: *valid, Dir: *dir}
		var err error
		if c.Attendees, err = attendees(cmd, *names, *file, *size); err != nil {
			return err
		}
		if *valid < shortestValid {
			return fmt.Errorf("--valid %s: no token is valid for less than %s", *valid, shortestValid)
		}
		if *valid > longestValid {
			return fmt.Errorf("--valid %s: a kubeconfig is a password, and is valid for at most %s; the same command renews it", *valid, longestValid)
		}
		for flag, value := range map[string]string{"manager-namespace": *manager, "namespace": *namespace} {
			if len(validation.IsDNS1123Label(value)) > 0 {
				return fmt.Errorf("--%s %q: no namespace can be called so", flag, value)
			}
		}
		switch {
		case *sharing:
			c.Shared = *namespace
		case cmd.Flags().Changed("namespace"):
			return errors.New("--namespace goes with --shared: else each attendee has api-NAME")
		default:
			if c.Overlays, err = readOverlays(class.Taught); err != nil {
				return err
			}
		}
		return up(cmd, flags, c)
	}
	return cmd
}

// attendees returns the names that were asked for, in one of three ways.
func attendees(cmd *cobra.Command, names []string, file string, size int) ([]string, error) {
	var err error
	for i, name := range names {
		names[i] = strings.TrimSpace(name) // --attendees "ada, grace"
	}
	switch {
	case cmd.Flags().Changed("size"):
		names, err = class.Numbered(size)
	case cmd.Flags().Changed("attendees-file"):
		names, err = namesIn(file)
	}
	if err != nil {
		return nil, err
	}
	return names, class.CheckNames(names)
}

func namesIn(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, err := class.ReadNames(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return names, nil
}

func up(cmd *cobra.Command, flags *genericclioptions.ConfigFlags, c *class.Class) error {
	cluster, err := class.Connect(flags)
	if err != nil {
		return err
	}
	log := progress.New(cmd.ErrOrStderr())
	ready, err := cluster.Up(cmd.Context(), c, log)
	log.Close()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "class %s: %d kubeconfigs are in %s, valid until %s\n", c.Name, len(c.Attendees), c.Dir, ready.Until.Format(time.DateTime+" MST"))
	advise(out, cluster, c, ready)
	return nil
}

// advise says what attendees would stumble over.
func advise(out io.Writer, cluster *class.School, c *class.Class, ready class.Ready) {
	if cluster.Loopback() {
		fmt.Fprintf(out, "warning: attendees cannot reach the API server at %s, which is this machine's own: use a kubeconfig with the address it has for others\n", cluster.Server())
	}
	if !ready.Connectable {
		fmt.Fprintf(out, "warning: there is no namespace %s, where the traffic manager would be: run telepresence helm install, then this again\n", c.Manager)
	}
	if c.Shared != "" && !telepresence.Personal(ready.Telepresence) {
		fmt.Fprintf(out, "warning: personal intercepts need Telepresence %s, and the traffic manager is %s: one laptop at a time can intercept a service\n",
			telepresence.PersonalSince, cmp.Or(ready.Telepresence, "not to be seen"))
	}
}
