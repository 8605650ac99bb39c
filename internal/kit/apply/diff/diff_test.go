package diff_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kube"
)

// texts are both states of objects, and what is shown of their difference.
var texts = map[string]struct{ live, merged, want string }{
	"a changed image": {first.Replace(payments), second.Replace(payments), `# payments-svc: internal/shop/payments/cashier.go changed
diff -u -N LIVE/apps.v1.Deployment.api.payments-svc MERGED/apps.v1.Deployment.api.payments-svc
--- LIVE/apps.v1.Deployment.api.payments-svc
+++ MERGED/apps.v1.Deployment.api.payments-svc
@@ -19,7 +19,7 @@
       - env:
         - name: PORT
           value: "8080"
-        image: localhost:5001/payments-svc@sha256:aaaa
+        image: localhost:5001/payments-svc@sha256:bbbb
         name: payments-svc
         resources: {}
       restartPolicy: Always
`},
	"what the API server counts": {first.Replace(payments), strings.ReplaceAll(second.Replace(payments), "bbbb", "aaaa"), ""},
	"a created object": {"", strings.Replace(settings, "}", ", uid: 1d6dc6b7, creationTimestamp: \"2026-03-01T10:00:00Z\", managedFields: []}", 1), `diff -u -N LIVE/v1.ConfigMap.api.settings MERGED/v1.ConfigMap.api.settings
--- LIVE/v1.ConfigMap.api.settings
+++ MERGED/v1.ConfigMap.api.settings
@@ -0,0 +1,7 @@
+apiVersion: v1
+data:
+  color: blue
+kind: ConfigMap
+metadata:
+  name: settings
+  namespace: api
`},
	"a pruned object": {strings.Replace(settings, "}", ", uid: 1d6dc6b7, managedFields: []}", 1), "", `diff -u -N LIVE/v1.ConfigMap.api.settings MERGED/v1.ConfigMap.api.settings
--- LIVE/v1.ConfigMap.api.settings
+++ MERGED/v1.ConfigMap.api.settings
@@ -1,8 +0,0 @@
-apiVersion: v1
-data:
-  color: blue
-kind: ConfigMap
-metadata:
-  name: settings
-  namespace: api
-  uid: 1d6dc6b7
`},
	"an object of a definition": {bucket, strings.NewReplacer("generation: 1", "generation: 2", "30", "14").Replace(bucket), `diff -u -N LIVE/example.com.v1alpha1.Bucket.api.photos MERGED/example.com.v1alpha1.Bucket.api.photos
--- LIVE/example.com.v1alpha1.Bucket.api.photos
+++ MERGED/example.com.v1alpha1.Bucket.api.photos
@@ -6,4 +6,4 @@
 spec:
   region: north
   rules:
-  - days: 30
+  - days: 14
`},
	"an object in no namespace": {"", `{apiVersion: v1, kind: Namespace, metadata: {name: api}}`, `diff -u -N LIVE/v1.Namespace..api MERGED/v1.Namespace..api
--- LIVE/v1.Namespace..api
+++ MERGED/v1.Namespace..api
@@ -0,0 +1,4 @@
+apiVersion: v1
+kind: Namespace
+metadata:
+  name: api
`},
	"the end of the last line of a value": {
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a.conf: "one\ntwo"}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a.conf: "one\ntwo\n"}}`, `diff -u -N LIVE/v1.ConfigMap..a MERGED/v1.ConfigMap..a
--- LIVE/v1.ConfigMap..a
+++ MERGED/v1.ConfigMap..a
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  a.conf: |-
+  a.conf: |
     one
     two
 kind: ConfigMap
`},
	"characters of all kinds": {
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "Grüße, 世界 🙂", b: "é, plain"}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "Grüsse, 世界 🙂", b: "\e[31mred\u009b0m\r\u2028\ufeff\x7f\u0085\uffffend"}}`, `diff -u -N LIVE/v1.ConfigMap..a MERGED/v1.ConfigMap..a
--- LIVE/v1.ConfigMap..a
+++ MERGED/v1.ConfigMap..a
@@ -1,7 +1,7 @@
 apiVersion: v1
 data:
-  a: "Grüße, 世界 \U0001F642"
-  b: é, plain
+  a: "Grüsse, 世界 \U0001F642"
+  b: "\e[31mred\x9B0m\r\L\uFEFF\x7F\N\uFFFFend"
 kind: ConfigMap
 metadata:
   name: a
`},
}

func TestText(t *testing.T) {
	for name, test := range texts {
		t.Run(name, func(t *testing.T) {
			result := compare(t, test.live, test.merged, diff.Reasons{"localhost:5001/payments-svc@sha256:bbbb": "internal/shop/payments/cashier.go changed"})
			wantText(t, text(t, result, false), test.want)
			if result.Differs() != (test.want != "") {
				t.Errorf("differs: %v", result.Differs())
			}
		})
	}
}

// Two changes that are far from each other have a hunk each.
func TestHunks(t *testing.T) {
	list := func(changed ...string) string {
		items := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
		for _, item := range changed {
			items[slices.Index(items, item)] += "2"
		}
		return "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: a}, spec: [" + strings.Join(items, ", ") + "]}"
	}
	_, got, _ := strings.Cut(text(t, compare(t, list(), list("b", "k"), nil), false), "@@ ")
	wantText(t, got, `-4,7 +4,7 @@
   name: a
 spec:
 - a
-- b
+- b2
 - c
 - d
 - e
@@ -13,5 +13,5 @@
 - h
 - i
 - j
-- k
+- k2
 - l
`)
}

// Objects come in the order in which they are sent, then those that are pruned.
func TestOrder(t *testing.T) {
	named := func(kind, name string) kube.Object {
		return object(t, "{apiVersion: v1, kind: "+kind+", metadata: {name: "+name+"}}")
	}
	result, err := diff.New([]diff.Pair{
		{Live: named("Namespace", "old")},
		{Merged: named("Service", "b")},
		{Live: named("Service", "a"), Merged: named("Service", "a")},
		{Live: named("Service", "old")},
		{Merged: object(t, payments)},
		{Merged: named("Namespace", "api")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, change := range result.Changes {
		got = append(got, string(change.Outcome)+" "+change.Object.Kind+" "+change.Object.Name)
	}
	want := []string{"created Namespace api", "unchanged Service a", "created Service b", "created Deployment payments-svc", "pruned Service old", "pruned Namespace old"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestNoDifference(t *testing.T) {
	for name, pairs := range map[string][]diff.Pair{
		"no objects":  nil,
		"the same":    {{Live: object(t, settings), Merged: object(t, settings)}},
		"by a number": {{Live: object(t, bucket), Merged: object(t, strings.Replace(bucket, "generation: 1", "generation: 2", 1))}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := diff.New(pairs, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, result, false); result.Differs() || got != "" {
				t.Errorf("differs: %v, text %q", result.Differs(), got)
			}
		})
	}
}

// An object that would be made anew is one that differs, even if nothing else does.
func TestReplaced(t *testing.T) {
	live, merged := object(t, first.Replace(payments)), object(t, second.Replace(payments))
	for name, pair := range map[string]diff.Pair{
		"and changed": {Live: live, Merged: merged, Replaced: true},
		"as it is":    {Live: live, Merged: live.DeepCopy(), Replaced: true},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := diff.New([]diff.Pair{pair}, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := "# deployment/payments-svc in api would be deleted and made anew\n"
			got := text(t, result, false)
			if !strings.HasPrefix(got, want) || strings.Contains(got, "+        image: ") != (name == "and changed") {
				t.Errorf("got\n%s\nwant it to begin with\n%s", got, want)
			}
			if result.Changes[0].Outcome != diff.Replaced || !result.Differs() {
				t.Errorf("%s, differs: %v", result.Changes[0].Outcome, result.Differs())
			}
		})
	}
}

// The states that are compared are as they were before.
func TestStatesAreNotChanged(t *testing.T) {
	live, merged := object(t, secret("data: {password: b2xk}")), object(t, secret("data: {password: bmV3}"))
	pair := diff.Pair{Live: live.DeepCopy(), Merged: merged.DeepCopy()}
	if _, err := diff.New([]diff.Pair{pair}, nil); err != nil {
		t.Fatal(err)
	}
	if kube.Text(pair.Live, "data", "password") != "b2xk" || kube.Text(pair.Merged, "data", "password") != "bmV3" {
		t.Errorf("now they are\n%v\n%v", pair.Live, pair.Merged)
	}
}

func TestErrors(t *testing.T) {
	endless := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Bucket", "size": math.NaN(),
		"metadata": map[string]any{"name": "photos", "namespace": "api"}}}
	for want, pair := range map[string]diff.Pair{
		"neither in the cluster nor applied":                                                 {},
		"comparing bucket.example.com/photos in namespace api with what is in the cluster: ": {Merged: endless},
	} {
		if _, err := diff.New([]diff.Pair{pair}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	result := compare(t, "", settings, nil)
	if err := result.Text(broken{}, false); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	if err := result.JSON(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

var errBroken = errors.New("the pipe is broken")

// broken is a pipe that nobody reads any more.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
