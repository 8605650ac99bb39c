package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/reload"
	"github.com/koshop/koshop/internal/kit/reload/carrier"
	"github.com/koshop/koshop/internal/kit/reload/inject"
)

const injectLong = `This command reads manifests in which ko:// references stand, and prints them with the supervisor of live reload in every
container that has such an image, for 'ko reload' to send new versions of its program to. 'ko apply -k DIRECTORY --live'
does that by itself; this is for other programs that deploy, such as Tilt.`

const injectExample = `
  kubectl kustomize overlays/dev | ko inject -f - | ko apply -f -`

// addInject adds the command that puts the supervisor into manifests.
func addInject(root *cobra.Command) {
	var file, imageFile string
	building := &options.BuildOptions{SBOM: "none"}
	publishing := &options.PublishOptions{DockerRepo: os.Getenv("KO_DOCKER_REPO"), Push: true, UserAgent: "ko"}
	cmd := &cobra.Command{
		Use:     "inject -f FILE",
		Short:   "Put the supervisor of live reload into manifests.",
		Long:    injectLong,
		Example: injectExample,
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "The file with the manifests, or - for standard input")
	cmd.Flags().StringVar(&imageFile, "image-file", "", "Publish the image of the supervisor instead, and write its reference to this file")
	cmd.Flags().StringSliceVar(&building.Platforms, "platform", nil, "With --image-file, the platforms of the nodes (default those of defaultPlatforms in .ko.yaml, or linux/amd64)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case (file == "") == (imageFile == ""):
			return errors.New("ko inject needs -f FILE, or --image-file FILE")
		case imageFile != "":
			silence()
			log := newProgress(cmd)
			defer log.Close()
			return withTools(func(tools *process.Group, _ string) error {
				return reload.PublishSupervisor(cmd.Context(), building, publishing, imageFile, tools.Run, log)
			})
		}
		manifests, err := readManifests(cmd, file)
		if err != nil {
			return err
		}
		changed, err := injector(func(note string) { fmt.Fprintln(cmd.ErrOrStderr(), note) }).Manifests(manifests)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(changed)
		return err
	}
	root.AddCommand(cmd)
}

// injector puts the supervisor of this ko into manifests.
func injector(note func(string)) *inject.Injector {
	return &inject.Injector{Image: carrier.Reference, Note: note}
}

func readManifests(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(file)
}
