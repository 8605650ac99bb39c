package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/koshop/koshop/internal/workshop/class"
)

const sizeLong = `Say how large a cluster must be for classes of some sizes: the requests of the
overlays, with a traffic agent in every pod, while one attendee in four replaces
all they have. 15 % and ten pods of each node are left for the system. The cost of
an hour is the number of nodes times the price of one.`

func classSize() *cobra.Command {
	cmd := &cobra.Command{Use: "size", Short: "Say how large a cluster must be", Long: sizeLong, Args: cobra.NoArgs}
	sizes := cmd.Flags().IntSlice("attendees", []int{5, 20, 100}, "The sizes of the class")
	cpu := cmd.Flags().String("node-cpu", "4", "The CPUs of a node")
	memory := cmd.Flags().String("node-memory", "16Gi", "The memory of a node")
	pods := cmd.Flags().Int64("node-pods", 110, "The pods that a node can run")
	price := cmd.Flags().Float64("node-price", 0, "What a node costs in an hour")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		node := class.Node{Pods: *pods}
		var err error
		if node.CPU, err = resource.ParseQuantity(*cpu); err != nil {
			return fmt.Errorf("--node-cpu %s: %w", *cpu, err)
		}
		if node.Memory, err = resource.ParseQuantity(*memory); err != nil {
			return fmt.Errorf("--node-memory %s: %w", *memory, err)
		}
		if !(*price >= 0) || math.IsInf(*price, 0) { // NaN is not less than 0 either.
			return fmt.Errorf("--node-price %v: it is an amount of money, such as 0.20", *price)
		}
		return printSizes(cmd.OutOrStdout(), *sizes, node, *price)
	}
	return cmd
}

// modes are the ways to hold a class.
var modes = []struct {
	name, overlay string
	shared        bool
}{
	{"a namespace each, overlay dev", "kustomize/overlays/dev", false},
	{"a namespace each, overlay workshop", "kustomize/overlays/workshop", false},
	{"overlay workshop shared, one service on each laptop", "kustomize/overlays/workshop", true},
}

func printSizes(out io.Writer, attendees []int, node class.Node, price float64) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "ATTENDEES\tCLASS\tCPU\tMEMORY\tPODS\tVOLUMES\tSTORAGE\tNODES")
	if price > 0 {
		fmt.Fprint(table, "\tPER HOUR")
	}
	fmt.Fprintln(table)
	for _, mode := range modes {
		overlays, err := readOverlays([]string{mode.overlay})
		if err != nil {
			return err
		}
		for _, n := range attendees {
			size, err := class.SizeOf(overlays[0], n, mode.shared, node)
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "%d\t%s\t%.1f\t%.1f GiB\t%d\t%d\t%.1f GiB\t%d", n, mode.name,
				amount(size.Demand, corev1.ResourceRequestsCPU), gib(size.Demand, corev1.ResourceRequestsMemory),
				int(amount(size.Demand, corev1.ResourcePods)), int(amount(size.Demand, corev1.ResourcePersistentVolumeClaims)),
				gib(size.Demand, corev1.ResourceRequestsStorage), size.Nodes)
			if price > 0 {
				fmt.Fprintf(table, "\t%.2f", float64(size.Nodes)*price)
			}
			fmt.Fprintln(table)
		}
	}
	return table.Flush()
}

func amount(demand class.Demand, name corev1.ResourceName) float64 {
	quantity := demand[name]
	return quantity.AsApproximateFloat64()
}

func gib(demand class.Demand, name corev1.ResourceName) float64 {
	return amount(demand, name) / (1 << 30)
}
