package main

import (
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/doctor"
)

func doctorCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at this laptop before the day: tools, caches, cluster, network",
		Long: `Look at this laptop before the day: tools, caches, cluster, network. Run it in
the repository of the workshop. It compiles what the workshop begins with, pushes
an empty image to KO_DOCKER_REPO and deletes it again, and changes nothing else.`,
		Args: cobra.NoArgs,
	}
	connection := connectionFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for programs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		laptop := doctor.Laptop{
			Connect:    func() (*cluster.Shop, error) { return cluster.Connect(connection) },
			Repository: os.Getenv("KO_DOCKER_REPO"),
			Ports:      doctor.Ports(),
			Lookup:     net.DefaultResolver.LookupHost,
		}
		return look(cmd, laptop.Sections(), output)
	}
	return cmd
}
