package telepresence

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Manager is the name that the chart gives the Deployment of the traffic manager.
const Manager = "traffic-manager"

// ManagerVersion returns the version that the chart has written on the traffic
// manager, such as 2.20.2, or "unknown".
func ManagerVersion(manager metav1.Object) string {
	return cmp.Or(manager.GetLabels()["app.kubernetes.io/version"], "unknown")
}
