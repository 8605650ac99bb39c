package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/pipeline"
	"github.com/koshop/koshop/internal/kit/progress"
)

const buildExample = `

  # Say whether an image would be built, and why, and build nothing:
  ko build --explain ./cmd/blah`

const explainFlag = "explain"

// extendBuild has upstream's build publish no image again whose inputs are the same. What
// it prints is what upstream prints.
func extendBuild(root *cobra.Command) {
	cmd := command(root, "build")
	cmd.Long += " An image whose inputs have not changed since it was published is not built again."
	cmd.Example += buildExample
	cmd.Flags().BoolP("quiet", "q", false, "Show no progress, only results and errors")
	cmd.Flags().Bool(explainFlag, false, "Say of each image whether it would be built, and why, and build nothing")
	addRecordFlags(cmd.Flags(), false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"."} // As upstream has it.
		}
		log := newProgress(cmd)
		defer log.Close()
		p, err := newPipeline(cmd.Context(), cmd.Flags(), nil, log)
		if err != nil {
			return err
		}
		if explain, _ := cmd.Flags().GetBool(explainFlag); explain {
			return explainImages(cmd, p, args)
		}
		return buildImages(cmd, p, args, log)
	}
}

// buildImages prints what each image is deployed by.
func buildImages(cmd *cobra.Command, p *pipeline.Pipeline, args []string, log *progress.Log) error {
	images, err := p.Images(cmd.Context(), args)
	if closed := p.Publisher.Close(); closed != nil && err == nil { // A tarball is written only now.
		err = fmt.Errorf("finishing the publication: %w", closed)
	}
	if err != nil {
		return err
	}
	var printed []string
	for _, arg := range args {
		if image := images[arg].String(); !slices.Contains(printed, image) {
			printed = append(printed, image)
			log.Result(cmd.OutOrStdout(), "%s", image)
		}
	}
	return nil
}

// explainImages prints why each image would be built.
func explainImages(cmd *cobra.Command, p *pipeline.Pipeline, args []string) error {
	explanations, err := p.Explain(cmd.Context(), args)
	if err != nil {
		return err
	}
	for _, image := range explanations {
		line := "unchanged"
		if image.Reason != "" {
			line = "would be built: " + image.Reason
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", image.Name, line); err != nil {
			return fmt.Errorf("writing the reasons: %w", err)
		}
	}
	return nil
}
