package diff_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kube"
)

// payments is a Deployment as the API server returns it, with a digest that is cut
// short. NEXT is what the API server counts.
const payments = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: payments-svc
  namespace: api
  uid: 1d6dc6b7-8a1c-4b1b-9c6e-3b7a7f0a4a3e
  creationTimestamp: "2026-03-01T10:00:00Z"
  generation: NEXT
  resourceVersion: "4NEXT"
  managedFields:
  - {manager: ko, operation: Apply, apiVersion: apps/v1, time: "2026-03-01T10:0NEXT:00Z", fieldsType: FieldsV1, fieldsV1: {"f:spec": {}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: payments-svc}}
  template:
    metadata: {labels: {app: payments-svc}}
    spec:
      containers:
      - name: payments-svc
        image: localhost:5001/payments-svc@sha256:DIGEST
        env:
        - {name: PORT, value: "8080"}
        resources: {}
      restartPolicy: Always
status:
  replicas: 1
`

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: api}
data: {color: blue}
`

const bucket = `
apiVersion: example.com/v1alpha1
kind: Bucket
metadata: {name: photos, namespace: api, generation: 1}
spec: {region: north, rules: [{days: 30}]}
`

var (
	first  = strings.NewReplacer("NEXT", "1", "DIGEST", "aaaa")
	second = strings.NewReplacer("NEXT", "2", "DIGEST", "bbbb")
)

// object reads an object from YAML; "" is one that is missing.
func object(t *testing.T, text string) kube.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	objects, err := kube.Decode([]byte(text))
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects, error %v, in\n%s", len(objects), err, text)
	}
	return objects[0]
}

// compare compares one object.
func compare(t *testing.T, live, merged string, reasons diff.Reasons) *diff.Result {
	t.Helper()
	result, err := diff.New([]diff.Pair{{Live: object(t, live), Merged: object(t, merged)}}, reasons)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func text(t *testing.T, r *diff.Result, colour bool) string {
	t.Helper()
	var out strings.Builder
	if err := r.Text(&out, colour); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// secret returns a Secret with fields.
func secret(fields string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n" + fields
}

func asJSON(t *testing.T, r *diff.Result) string {
	t.Helper()
	var out strings.Builder
	if err := r.JSON(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wantFields(t *testing.T, got, want []diff.Field) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
