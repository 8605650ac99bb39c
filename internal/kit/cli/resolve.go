package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

const resolveExample = `
  # Print a kustomization as one file that 'kubectl apply -f -' takes anywhere:
  ko resolve -k kustomize/overlays/dev > release.yaml`

// extendResolve adds -k to upstream's resolve.
func extendResolve(root *cobra.Command) {
	cmd := command(root, "resolve")
	cmd.Long += kustomizeLong + "printed."
	cmd.Example += "\n" + resolveExample
	addKustomize(cmd, func(cmd *cobra.Command, dir string, _ []string) error {
		log := newProgress(cmd)
		defer log.Close()
		manifests, err := release(cmd.Context(), cmd, dir, log)
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
