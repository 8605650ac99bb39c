package pod_test

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const data = `apiVersion: v1
kind: ConfigMap
metadata: {name: config, namespace: api}
data: {LEVEL: debug, PLACE: "/data/x"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: api}
data: {password: aHVzaA==}
stringData: {user: ada}
---
`

func TestEnvironment(t *testing.T) {
	t.Setenv("SHELL_VARIABLE", "x")
	t.Setenv("LC_TIME", "C")
	site := newSite(t)
	site.DataPath = func(importPath string) string { return "/src/" + importPath + "/kodata" }
	c := appGiven(t, site, map[string]string{"FROM_FILE": "file", "EXTRA": "more"}, `
envFrom:
- configMapRef: {name: config}
- prefix: K_
  secretRef: {name: keys}
- configMapRef: {name: absent, optional: true}
env:
- {name: A, value: "a"}
- {name: B, value: "$(A)$(LEVEL) $$(A) $(NO) $A $"}
- {name: C, value: "$(ORDERS_SVC_SERVICE_HOST)"}
- {name: FROM_FILE, value: "manifest"}
- {name: AFTER, value: "$(FROM_FILE)"}
- {name: LEVEL, valueFrom: {configMapKeyRef: {name: config, key: LEVEL}}}
- {name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}
- {name: NONE, valueFrom: {secretKeyRef: {name: keys, key: none, optional: true}}}
- {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
- {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
- {name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
- {name: MEBIBYTES, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
- {name: CPUS, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}
- {name: MILLIS, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
- {name: GOMAXPROCS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
args: ["$(A)", "$$(A)", "$(NO)"]
resources: {limits: {memory: 256Mi}, requests: {cpu: 100m}}
`, data, town)
	wantVariables(t, c, map[string]string{
		"A": "a", "B": "adebug $(A) $(NO) $A $", "C": "127.0.0.1", "FROM_FILE": "file", "AFTER": "file", "EXTRA": "more", "LEVEL": "debug",
		"K_user": "ada", "K_password": "hush", "PASSWORD": "hush", "NONE": "-", "POD": "app-0", "HOSTNAME": "app-0", "NS": "api", "LABEL": "app",
		"IP": "127.0.0.1", "ACCOUNT": "default", "GOMEMLIMIT": "268435456", "MEBIBYTES": "256", "CPUS": "1", "MILLIS": "100",
		"GOMAXPROCS": strconv.Itoa(runtime.NumCPU()), "KO_DATA_PATH": "/src/example.com/cmd/app/kodata",
		"ORDERS_SVC_SERVICE_HOST": "127.0.0.1", "ORDERS_SVC_SERVICE_PORT": "30080", "CACHE_SERVICE_PORT_METRICS": "39121",
		"MONGO_SERVICE_HOST": "-", "BILLING_SERVICE_HOST": "-", "SHELL_VARIABLE": "-", "LC_TIME": "C",
	})
	if want := []string{"a", "$(A)", "$(NO)"}; !slices.Equal(c.Args, want) {
		t.Errorf("arguments %q, want %q", c.Args, want)
	}
	if path, found := variable(c, "PATH"); !found || path == "" {
		t.Error("no PATH")
	}
}

func TestMachineMemoryStandsInForALimit(t *testing.T) {
	c := app(t, newSite(t), "env: [{name: M, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}]")
	text, _ := variable(c, "M")
	if mebibytes, err := strconv.Atoi(text); err != nil || mebibytes < 64 {
		t.Errorf("%q mebibytes of memory", text)
	}
}

func TestServiceLinksCanBeOff(t *testing.T) {
	manifest := strings.Replace(deployment("app", ""), "    spec:\n", "    spec:\n      enableServiceLinks: false\n", 1)
	c := newPod(t, read(t, manifest+town), "app", newSite(t)).Containers[0]
	wantVariables(t, c, map[string]string{"ORDERS_SVC_SERVICE_HOST": "-"})
}

const needsPassword = "env: [{name: KO_TEST_PASSWORD, valueFrom: {secretKeyRef: {name: postgres, key: password}}}]"

func TestMissingData(t *testing.T) {
	for fields, want := range map[string]string{
		needsPassword: "deployment.apps/app: KO_TEST_PASSWORD is in Secret postgres, key password, which is not in the kustomization: " +
			"set KO_TEST_PASSWORD in the environment of ko up, or pass --env-file",
		"env: [{name: A, valueFrom: {configMapKeyRef: {name: config, key: gone}}}]": "key gone, which ConfigMap config does not have",
		"envFrom: [{secretRef: {name: gone}}]":                                      "container main takes its environment from Secret gone, which is not in the kustomization",
		"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.wat}}}]":            "variable A: a pod has no field spec.wat",
	} {
		plan := read(t, deployment("app", fields)+data)
		if _, err := podOf(plan, plan.Workloads[0], newSite(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", fields, err, want)
		}
	}
}

func TestMissingDataIsTakenFromOurEnvironment(t *testing.T) {
	t.Setenv("KO_TEST_PASSWORD", "from us")
	wantVariables(t, app(t, newSite(t), needsPassword), map[string]string{"KO_TEST_PASSWORD": "from us"})
	given := map[string]string{"KO_TEST_PASSWORD": "from the file"}
	wantVariables(t, appGiven(t, newSite(t), given, needsPassword+"\nenvFrom: [{secretRef: {name: gone}}]"), given)
}
