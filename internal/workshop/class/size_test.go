package class

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestSizeOf(t *testing.T) {
	overlay := Overlay{Running: demand("5", "250m", "512Mi"), Rolling: demand("10", "500m", "1Gi")}
	four := Node{CPU: resource.MustParse("4"), Memory: resource.MustParse("16Gi"), Pods: 110}
	for name, test := range map[string]struct {
		attendees int
		shared    bool
		node      Node
		nodes     int64
		pods      string
	}{
		"one":                  {1, false, four, 1, "10"},
		"one in four is busy":  {4, false, four, 1, "25"},
		"as many as fit":       {10, false, four, 1, "65"},
		"one more CPU":         {11, false, four, 2, "70"},
		"a hundred":            {100, false, four, 10, "625"},
		"a hundred that share": {100, true, four, 1, "10"},
		"bound by memory":      {20, false, Node{CPU: resource.MustParse("64"), Memory: resource.MustParse("8Gi"), Pods: 1000}, 2, "125"},
		"bound by pods":        {20, false, Node{CPU: resource.MustParse("64"), Memory: resource.MustParse("256Gi"), Pods: 29}, 7, "125"},
	} {
		t.Run(name, func(t *testing.T) {
			size, err := SizeOf(overlay, test.attendees, test.shared, test.node)
			if err != nil {
				t.Fatal(err)
			}
			pods := size.Demand[corev1.ResourcePods]
			if size.Nodes != test.nodes || pods.String() != test.pods {
				t.Errorf("%d nodes, %s pods, want %d and %s", size.Nodes, pods.String(), test.nodes, test.pods)
			}
		})
	}
}

func TestSizeOfNothing(t *testing.T) {
	overlay := Overlay{Rolling: demand("10", "500m", "1Gi")}
	node := Node{CPU: resource.MustParse("4"), Memory: resource.MustParse("16Gi"), Pods: 110}
	for _, attendees := range []int{0, -5, MaxSize + 1} {
		if _, err := SizeOf(overlay, attendees, false, node); err == nil {
			t.Errorf("a class of %d is taken", attendees)
		}
	}
	for what, broken := range map[string]Node{
		"CPU":    {Memory: node.Memory, Pods: 110},
		"memory": {CPU: node.CPU, Memory: resource.MustParse("-1Gi"), Pods: 110},
		"pods":   {CPU: node.CPU, Memory: node.Memory, Pods: systemPods},
	} {
		if _, err := SizeOf(overlay, 5, false, broken); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("a node without %s: error %v", what, err)
		}
	}
}

func demand(pods, cpu, memory string) Demand {
	return Demand{
		corev1.ResourcePods:           resource.MustParse(pods),
		corev1.ResourceRequestsCPU:    resource.MustParse(cpu),
		corev1.ResourceRequestsMemory: resource.MustParse(memory),
	}
}
