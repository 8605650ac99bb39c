package kustomize_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestProxiesAreTrustedBehindAnIngress finds TRUSTED_PROXIES where an Ingress leads, with
// private networks only, and nowhere else: without a proxy, a client could claim any
// address.
func TestProxiesAreTrustedBehindAnIngress(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		behind := hosts(objects)
		for _, w := range workloads(t, objects) {
			isBehind := slices.Contains(slices.Collect(maps.Values(behind)), w.name)
			for _, c := range w.containers() {
				trusted := trustedProxies(t, c)
				if isBehind != (len(trusted) > 0) {
					t.Errorf("%s: an Ingress leads to it: %t; it trusts %v", w.name, isBehind, trusted)
				}
				for _, each := range trusted {
					if !each.Addr().IsPrivate() && !carrierGrade.Contains(each.Addr()) {
						t.Errorf("%s trusts %v, which is not private", w.name, each)
					}
				}
			}
		}
	})
}

// carrierGrade is a network that some clouds give to pods.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func trustedProxies(t *testing.T, c corev1.Container) (networks []netip.Prefix) {
	t.Helper()
	for _, variable := range c.Env {
		if variable.Name != "TRUSTED_PROXIES" {
			continue
		}
		for text := range strings.SplitSeq(variable.Value, ",") {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				t.Error(err)
			}
			networks = append(networks, network)
		}
	}
	return networks
}
