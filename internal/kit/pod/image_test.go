package pod_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/workload"
)

const database = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database, namespace: api}
spec:
  volumeClaimTemplates: [{metadata: {name: data}}]
  template:
    metadata: {labels: {app: database}}
    spec:
      securityContext: {runAsUser: 999, runAsGroup: 998}
      containers:
      - name: main
        image: postgres:15
        command: [postgres]
        args: [-c, "hba_file=/etc/pg/hba.conf", -c, "port=$(PGPORT)"]
        env:
        - {name: PGPORT, value: "5432"}
        - {name: PORT, value: "5432"}
        - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
        - {name: ORDERS, value: "http://orders-svc"}
        ports: [{name: postgres, containerPort: 5432}, {name: other, containerPort: 7}]
        readinessProbe: {exec: {command: [pg_isready, -f, /etc/pg/hba.conf, --port=5432]}}
        livenessProbe: {tcpSocket: {port: postgres}}
        workingDir: /work
        volumeMounts:
        - {name: data, mountPath: /var/lib/postgresql/data}
        - {name: settings, mountPath: /etc/pg, readOnly: true}
        - {name: shared, mountPath: /shared}
        - {name: tmp, mountPath: /tmp}
        - {name: host, mountPath: /host}
      - name: web
        image: ko://example.com/web
        env: [{name: DATABASE_ADDR, value: "localhost:5432"}]
        volumeMounts: [{name: shared, mountPath: /shared}]
      volumes:
      - {name: settings, configMap: {name: settings}}
      - {name: shared, emptyDir: {}}
      - {name: tmp, emptyDir: {}}
      - {name: host, hostPath: {path: /}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: api}
data: {hba.conf: ""}
---
`

// newDatabase works out the database, run by a program of this machine or not.
func newDatabase(t *testing.T, isLocal bool) (pod.Site, *pod.Pod, *pod.Image, pod.Container) {
	t.Helper()
	plan, err := workload.ReadWith([]byte(database+town), nil, workload.Images{Run: func(corev1.Container) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(t)
	site.Local = func(corev1.Container) bool { return isLocal }
	p := newPod(t, plan, "database", site)
	i := slices.IndexFunc(p.Containers, func(c pod.Container) bool { return c.Name == "main" })
	web := p.Containers[1-i]
	if web.Image != nil {
		t.Error("a program that is built from Go has an image")
	}
	if hints := strings.Join(p.Hints, "\n"); strings.Contains(hints, "container main") || !strings.Contains(hints, "container web mounts volume shared") {
		t.Errorf("hints\n%s\nwant them for what is built from Go alone", hints)
	}
	wantVariables(t, web, map[string]string{"DATABASE_ADDR": fmt.Sprintf("127.0.0.1:%d", p.Containers[i].Ports[5432])})
	return site, p, p.Containers[i].Image, p.Containers[i]
}

// A container of an engine has the files and the network of its image, so that
// nothing is replaced but the ports of probes.
func TestImageOfAnEngine(t *testing.T) {
	site, p, image, c := newDatabase(t, false)
	volume, own := filepath.Join(site.Claims, "api", "data-database-0"), filepath.Join(site.Root, ".volumes")
	want := &pod.Image{
		Name: "postgres:15", Command: []string{"postgres"}, Args: []string{"-c", "hba_file=/etc/pg/hba.conf", "-c", "port=5432"},
		Env: map[string]string{
			"PGPORT": "5432", "PORT": "5432", "PGDATA": "/var/lib/postgresql/data/pgdata", "ORDERS": "http://orders-svc",
		},
		WorkingDir: "/work", User: "999:998",
		Mounts: []bind.Mount{
			{Inside: "/var/lib/postgresql/data", Here: volume, Source: bind.Volume},
			{Inside: "/etc/pg", Here: filepath.Join(own, "settings"), ReadOnly: true, Source: bind.Files},
			{Inside: "/shared", Here: filepath.Join(own, "shared"), Source: bind.Volume},
			{Inside: "/host", Here: "/", Source: bind.Host},
			{Inside: "/tmp", Here: filepath.Join(own, "tmp"), Source: bind.Scratch},
		},
	}
	byPath := func(a, b bind.Mount) int { return len(b.Inside+b.Here) - len(a.Inside+a.Here) }
	slices.SortFunc(image.Mounts, byPath)
	slices.SortFunc(want.Mounts, byPath)
	if !reflect.DeepEqual(image, want) {
		t.Errorf("got\n%+v\nwant\n%+v", image, want)
	}
	if !p.Fixed {
		t.Error("a second pod may run beside one that keeps data")
	}
	if c.Ports[5432] < 20000 || c.Ports[7] < 20000 {
		t.Errorf("ports %v: they can all be moved", c.Ports)
	}
	if got := c.Readiness.Command; !slices.Equal(got, []string{"pg_isready", "-f", "/etc/pg/hba.conf", "--port=5432"}) {
		t.Errorf("it is probed by %q", got)
	}
	if got := c.Liveness.TCPSocket.Port; got != c.Ports[5432] {
		t.Errorf("it is probed at port %d", got)
	}
}

// A program of this machine has this machine's files.
func TestImageOfAProgram(t *testing.T) {
	site, _, image, c := newDatabase(t, true)
	volume, settings := filepath.Join(site.Claims, "api", "data-database-0"), filepath.Join(site.Root, ".volumes", "settings")
	if got, want := image.Args[1], "hba_file="+settings+"/hba.conf"; got != want {
		t.Errorf("argument %s, want %s", got, want)
	}
	for name, want := range map[string]string{"PGDATA": volume + "/pgdata", "ORDERS": "http://127.0.0.1:30080"} {
		if image.Env[name] != want {
			t.Errorf("%s=%s, want %s", name, image.Env[name], want)
		}
	}
	if got := c.Readiness.Command[2]; got != settings+"/hba.conf" {
		t.Errorf("it is probed with %q", got)
	}
}
