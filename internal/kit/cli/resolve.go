package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kube"
)

const resolveExample = `
  # Print a kustomization as one file that 'kubectl apply -f -' takes anywhere:
  ko resolve -k kustomize/overlays/dev > release.yaml

  # The same for another namespace, as if its kustomization file named that one:
  ko resolve -k kustomize/overlays/dev --namespace team1 > release.yaml`

// extendResolve adds -k to upstream's resolve.
func extendResolve(root *cobra.Command) {
	cmd := command(root, "resolve")
	cmd.Long += kustomizeLong + "printed."
	cmd.Example += "\n" + resolveExample
	connection := addConnectionFlags(cmd)
	addLive(cmd)
	upstream := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("namespace") {
			return errors.New("--namespace goes with -k: files say themselves where their objects are")
		}
		for _, name := range []string{"context", "kubeconfig"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s goes with -k, to ask that cluster for its registry", name)
			}
		}
		return upstream(cmd, args)
	}
	addKustomize(cmd, func(cmd *cobra.Command, dir string, args []string) error {
		log := newProgress(cmd)
		defer log.Close()
		connect := func() (*kube.Cluster, error) { return connection.connect(args, log) }
		manifests, _, err := release(cmd.Context(), cmd, dir, connect, log)
		if err != nil {
			return err
		}
		stream, err := manifests.YAML()
		if err != nil {
			return err
		}
		if _, err := cmd.OutOrStdout().Write(stream); err != nil {
			return fmt.Errorf("writing the resolved manifests: %w", err)
		}
		return nil
	})
}
