// Package e2e proves the whole on a real cluster: the overlays are deployed by
// the real command line, the user flow is walked, and the cluster is looked at
// with a client of its own. Its tests have the build tag e2e; `make e2e` runs
// them against the cluster that KUBECONFIG and CONTEXT name.
package e2e
