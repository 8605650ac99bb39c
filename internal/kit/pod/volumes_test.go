package pod_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/workload"
)

const mounted = `
volumeMounts:
- {name: data, mountPath: /data}
- {name: scratch, mountPath: /data/tmp}
- {name: config, mountPath: /etc/app}
- {name: config, mountPath: /etc/one.yaml, subPath: LEVEL}
- {name: keys, mountPath: /keys/}
- {name: all, mountPath: /all}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}
- {name: scratch, mountPath: /sub, subPathExpr: "$(NS)/x"}
- {name: maybe, mountPath: /maybe}
- {name: share, mountPath: /share}
env:
- {name: NS, value: api}
- {name: DATABASE_URL, value: "sqlite:/data/x.db"}
- {name: FILE, value: "file:///data/x?mode=ro"}
- {name: LIST, value: "/data:/data/tmp/x,/etc/one.yaml;/etc/app"}
- {name: OUTSIDE, value: "/database /data-x /data.db http://host/data x/data //data /dat"}
args: ["--dir=/data", "/etc/app/LEVEL", "-d", "/sub"]
workingDir: /data/work
`

const mountedVolumes = `
      volumes:
      - {name: data, persistentVolumeClaim: {claimName: app}}
      - {name: scratch, emptyDir: {}}
      - {name: config, configMap: {name: config, items: [{key: LEVEL, path: LEVEL}, {key: PLACE, path: deep/place, mode: 0600}]}}
      - {name: keys, secret: {secretName: keys, defaultMode: 0444}}
      - name: all
        projected:
          sources:
          - {configMap: {name: config}}
          - {secret: {name: keys}}
          - {downwardAPI: {items: [{path: pod/labels, fieldRef: {fieldPath: metadata.labels}}]}}
      - {name: token, projected: {sources: [{serviceAccountToken: {path: token}}, {configMap: {name: kube-root-ca.crt}}]}}
      - {name: maybe, configMap: {name: gone, optional: true}}
      - {name: share, nfs: {server: nfs, path: /}}
      - {name: unused, hostPath: {path: /does/not/exist}}
---
`

func TestVolumes(t *testing.T) {
	site := newSite(t)
	plan := read(t, strings.TrimSuffix(deployment("app", mounted), "---\n")+mountedVolumes+data)
	wantNotes(t, plan,
		"volume token of deployment.apps/app is without its service account token and certificates: there is no cluster that takes them",
		"volume share of deployment.apps/app is an empty directory here: ko up does not know its type")
	c := newPod(t, plan, "app", site).Containers[0]

	claim, volumes := filepath.Join(site.Claims, "api", "app"), filepath.Join(site.Root, ".volumes")
	wantVariables(t, c, map[string]string{
		"DATABASE_URL": "sqlite:" + claim + "/x.db", "FILE": "file://" + claim + "/x?mode=ro",
		"LIST":    claim + ":" + volumes + "/scratch/x," + volumes + "/config/LEVEL;" + volumes + "/config",
		"OUTSIDE": "/database /data-x /data.db http://host/data x/data //data /dat",
	})
	if want := strings.Join([]string{"--dir=" + claim, volumes + "/config/LEVEL", "-d", volumes + "/scratch/api/x"}, " "); strings.Join(c.Args, " ") != want {
		t.Errorf("arguments %q, want %q", c.Args, want)
	}
	if want := filepath.Join(claim, "work"); c.Dir != want {
		t.Errorf("directory %s, want %s", c.Dir, want)
	}
	for path, want := range map[string]string{
		"etc/app/LEVEL": "debug", "etc/app/deep/place": "/data/x", "etc/one.yaml": "debug", "keys/password": "hush", "keys/user": "ada",
		"all/LEVEL": "debug", "all/user": "ada", "all/pod/labels": `app="app"`,
	} {
		if got, err := os.ReadFile(filepath.Join(site.Root, path)); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
		}
	}
	for _, dir := range []string{"data/tmp", "maybe", "share", "sub", "data/work"} {
		if info, err := os.Stat(filepath.Join(site.Root, dir)); err != nil || !info.IsDir() {
			t.Errorf("%s is no directory (%v)", dir, err)
		}
	}
	if runtime.GOOS != "windows" {
		wantMode(t, filepath.Join(site.Root, "keys/password"), 0o400)
		wantMode(t, filepath.Join(volumes, "keys"), 0o700)
		wantMode(t, filepath.Join(site.Root, "all/user"), 0o600)
		wantMode(t, filepath.Join(site.Root, "etc/app/deep/place"), 0o600)
		wantMode(t, filepath.Join(site.Root, "etc/app/LEVEL"), 0o644)
	}
}

func TestNewWritesNothing(t *testing.T) {
	site := newSite(t)
	plan := read(t, strings.TrimSuffix(deployment("app", mounted), "---\n")+mountedVolumes+data)
	p, err := pod.New(plan, find(t, plan, "app"), site)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{site.Root, site.Claims} {
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is there before the pod is laid out (error %v)", dir, err)
		}
	}
	if err := p.LayOut(); err != nil {
		t.Error(err)
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
	} else if info.Mode().Perm() != want {
		t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
	}
}

func TestClaimsSurviveAndAreOnePerOrdinal(t *testing.T) {
	plan := read(t, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: api}\nspec:\n  volumeClaimTemplates: [{metadata: {name: data}}]\n"+
		template("db", "volumeMounts: [{name: data, mountPath: /data}, {name: tmp, mountPath: /data/tmp}]\nargs: [/data]")+"      volumes: [{name: tmp, emptyDir: {}}]\n")
	site := newSite(t)
	claims := site.Claims
	for run := range 3 {
		site.Replica = run % 2
		site.Root = t.TempDir()
		p := newPod(t, plan, "db", site)
		want := filepath.Join(claims, "api", "data-db-"+string(rune('0'+site.Replica)))
		if p.Containers[0].Args[0] != want || p.Name != "db-"+string(rune('0'+site.Replica)) {
			t.Errorf("pod %s has %s, want %s", p.Name, p.Containers[0].Args[0], want)
		}
		if err := os.WriteFile(filepath.Join(want, "kept"), nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

func TestAMountSparesTheFilesOfTheVolumeAroundIt(t *testing.T) {
	plan := read(t, strings.TrimSuffix(deployment("app", "volumeMounts: [{name: data, mountPath: /data}, {name: tmp, mountPath: /data/tmp}]"), "---\n")+
		"      volumes: [{name: tmp, emptyDir: {}}, {name: data, persistentVolumeClaim: {claimName: data}}]\n")
	site := newSite(t)
	kept := filepath.Join(site.Claims, "api", "data", "tmp")
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := podOf(plan, plan.Workloads[0], site); err == nil || !strings.Contains(err.Error(), "is in its place: move it away") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(kept); err != nil {
		t.Error(err)
	}
}

func TestHostPath(t *testing.T) {
	dir := t.TempDir()
	manifest := func(path string) *workload.Plan {
		return read(t, strings.TrimSuffix(deployment("app", "volumeMounts: [{name: h, mountPath: /h}]\nargs: [/h/x]"), "---\n")+"      volumes: [{name: h, hostPath: {path: '"+path+"'}}]\n")
	}
	if c := newPod(t, manifest(dir), "app", newSite(t)).Containers[0]; c.Args[0] != dir+"/x" {
		t.Errorf("argument %s, want %s", c.Args[0], dir+"/x")
	}
	plan := manifest(filepath.Join(dir, "gone"))
	if _, err := podOf(plan, plan.Workloads[0], newSite(t)); err == nil || !strings.Contains(err.Error(), "volume h of deployment.apps/app: hostPath "+dir) {
		t.Errorf("error %v", err)
	}
}

func TestVolumesThatAreRefused(t *testing.T) {
	for _, test := range []struct{ mount, volume, want string }{
		{"{name: v, mountPath: /v}", "{name: v, configMap: {name: gone}}", "volume v of deployment.apps/app: there is no ConfigMap gone in the kustomization"},
		{"{name: v, mountPath: /v}", "{name: v, secret: {secretName: gone}}", "there is no Secret gone in the kustomization"},
		{"{name: v, mountPath: /v}", "{name: v, configMap: {name: config, items: [{key: gone, path: x}]}}", "ConfigMap config: it has no key gone"},
		{"{name: v, mountPath: /v}", "{name: v, configMap: {name: config, items: [{key: LEVEL, path: ../x}]}}", "leads out of the volume"},
		{"{name: v, mountPath: /v}", "{name: v, configMap: {name: config, items: [{key: LEVEL, path: /x}]}}", "leads out of the volume"},
		{"{name: v, mountPath: /v}", "{name: v, persistentVolumeClaim: {claimName: ../x}}", "no name for a claim"},
		{"{name: '..', mountPath: /v}", "{name: '..', emptyDir: {}}", "no name for a volume"},
		{"{name: v, mountPath: /v, subPath: a/../../b}", "{name: v, emptyDir: {}}", "subPath a/../../b leads out of the volume"},
		{"{name: v, mountPath: /../v}", "{name: v, emptyDir: {}}", "a volume needs a directory of its own"},
		{"{name: v, mountPath: /}", "{name: v, emptyDir: {}}", "a volume needs a directory of its own"},
		{"{name: w, mountPath: /v}", "{name: v, emptyDir: {}}", "container main mounts volume w at /v: the pod has no such volume"},
	} {
		plan := read(t, strings.TrimSuffix(deployment("app", "volumeMounts: ["+test.mount+"]"), "---\n")+"      volumes: ["+test.volume+"]\n---\n"+data)
		if _, err := podOf(plan, plan.Workloads[0], newSite(t)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: error %v, want %s", test.mount, test.volume, err, test.want)
		}
	}
}
