package diff_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/diff"
)

const applied = "kubectl.kubernetes.io/last-applied-configuration"

// secrets are both states of Secrets, and what is shown of their difference. The values
// are made of the letters Q and Z, which stand nowhere else.
var secrets = map[string]struct{ live, merged, want string }{
	"equal": {
		secret("data: {user: QQQQ}"), secret("data: {user: QQQQ}"), ""},
	"equal, and another key changed": {
		secret("data: {password: QQQQ, user: ZZZZ}"), secret("data: {password: QQQQQQQQ, user: ZZZZ}"), ` apiVersion: v1
 data:
-  password: '*** (before)'
+  password: '*** (after)'
   user: '***'
 kind: Secret
 metadata:
`},
	"an added key": {
		secret("data: {user: QQQQ}"), secret("data: {password: ZZZZ, user: QQQQ}"), ` apiVersion: v1
 data:
+  password: '***'
   user: '***'
 kind: Secret
 metadata:
`},
	"a removed key": {
		secret("data: {password: ZZZZ, user: QQQQ}"), secret("data: {user: QQQQ}"), ` apiVersion: v1
 data:
-  password: '***'
   user: '***'
 kind: Secret
 metadata:
`},
	"a renamed key": {
		secret("data: {a: QQQQ}"), secret("data: {b: QQQQ}"), ` apiVersion: v1
 data:
-  a: '***'
+  b: '***'
 kind: Secret
 metadata:
   name: key
`},
	"created": {"", secret("data: {user: QQQQ}\nstringData: {password: ZZZZ}"), `+apiVersion: v1
+data:
+  user: '***'
+kind: Secret
+metadata:
+  name: key
+stringData:
+  password: '***'
`},
	"pruned": {secret("data: {user: QQQQ}"), "", `-apiVersion: v1
-data:
-  user: '***'
-kind: Secret
-metadata:
-  name: key
`},
	"stringData": {
		secret("stringData: {password: QQQQ, user: ZZZZ}"), secret("stringData: {password: ZZZZ, user: ZZZZ}"), ` metadata:
   name: key
 stringData:
-  password: '*** (before)'
+  password: '*** (after)'
   user: '***'
`},
	"an empty value": {
		secret("data: {password: ''}"), secret("data: {password: QQQQ}"), ` apiVersion: v1
 data:
-  password: '*** (before)'
+  password: '*** (after)'
 kind: Secret
 metadata:
   name: key
`},
	"a value of several lines": {
		secret("stringData: {a: \"QQ\\nQQ\\n\", b: ZZ}"), secret("stringData: {a: \"QQ\\nQQ\\n\", b: ZZ, c: \"Z\\nZ\"}"), ` stringData:
   a: '***'
   b: '***'
+  c: '***'
`},
	"values that are no strings": {
		secret("data: {a: {b: QQQQ}, c: [QQQQ], d: null, e: 10}"), secret("data: {a: {b: ZZZZ}, c: [QQQQ], d: null, e: 20}"), ` apiVersion: v1
 data:
-  a: '*** (before)'
+  a: '*** (after)'
   c: '***'
   d: '***'
-  e: '*** (before)'
+  e: '*** (after)'
 kind: Secret
 metadata:
   name: key
`},
	"data that is no map": {
		secret("data: {a: QQQQ}"), secret("data: [ZZZZ]"), ` apiVersion: v1
-data: '*** (before)'
+data: '*** (after)'
 kind: Secret
 metadata:
   name: key
`},
	"data that goes": {
		secret("data: {a: QQQQ}"), secret("data: null"), ` apiVersion: v1
-data:
-  a: '***'
+data: null
 kind: Secret
 metadata:
   name: key
`},
	"what kubectl applied": {
		strings.Replace(secret("data: {a: QQQQ}"), "key", "key, annotations: {"+applied+": '{\"data\": {\"a\": \"QQQQ\"}}', owner: ada}", 1),
		strings.Replace(secret("data: {a: QQQQ}"), "key", "key, annotations: {"+applied+": '{\"data\": {\"a\": \"ZZZZ\"}}', owner: ada}", 1), ` kind: Secret
 metadata:
   annotations:
-    kubectl.kubernetes.io/last-applied-configuration: '*** (before)'
+    kubectl.kubernetes.io/last-applied-configuration: '*** (after)'
     owner: ada
   name: key
`},
	"what kubectl applied, and it goes": {
		strings.Replace(secret(""), "key", "key, annotations: {"+applied+": QQQQ, owner: ada}", 1),
		strings.Replace(secret(""), "key", "key, annotations: {owner: ada}", 1), ` kind: Secret
 metadata:
   annotations:
-    kubectl.kubernetes.io/last-applied-configuration: '***'
     owner: ada
   name: key
`},
	"of another group": {
		strings.Replace(secret("data: {a: QQQQ}"), "v1", "example.com/v1beta1", 1), strings.Replace(secret("data: {a: ZZZZ}"), "v1", "example.com/v1beta1", 1), ` apiVersion: example.com/v1beta1
 data:
-  a: '*** (before)'
+  a: '*** (after)'
 kind: Secret
 metadata:
   name: key
`},
}

func TestSecretsAreMasked(t *testing.T) {
	for name, test := range secrets {
		t.Run(name, func(t *testing.T) {
			result := compare(t, test.live, test.merged, nil)
			wantText(t, withoutHeaders(text(t, result, false)), test.want)
			for _, output := range []string{text(t, result, true), asJSON(t, result)} {
				if strings.ContainsAny(output, "QZ") {
					t.Errorf("a value is shown in\n%s", output)
				}
			}
		})
	}
}

// withoutHeaders returns the lines of a diff's only hunk.
func withoutHeaders(diff string) string {
	_, hunk, _ := strings.Cut(diff, "@@ ")
	_, lines, _ := strings.Cut(hunk, "\n")
	return lines
}

// What is in no Secret is shown: binaryData is of ConfigMaps only.
func TestOthersAreNotMasked(t *testing.T) {
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {" + applied + ": VALUE}}\ndata: {a: VALUE}\nbinaryData: {b: VALUE}"
	got := compare(t, strings.ReplaceAll(config, "VALUE", "b2xk"), strings.ReplaceAll(config, "VALUE", "bmV3"), nil)
	wantText(t, withoutHeaders(text(t, got, false)), ` apiVersion: v1
 binaryData:
-  b: b2xk
+  b: bmV3
 data:
-  a: b2xk
+  a: bmV3
 kind: ConfigMap
 metadata:
   annotations:
-    kubectl.kubernetes.io/last-applied-configuration: b2xk
+    kubectl.kubernetes.io/last-applied-configuration: bmV3
   name: a
`)
}

// The fields of a Secret are masked as its diff is.
func TestMaskedFields(t *testing.T) {
	result := compare(t, secret("data: {a: QQQQ, b: ZZZZ, c: QQQQ}"), secret("data: {a: ZZZZ, b: ZZZZ, d: QQQQ}\ntype: Opaque"), nil)
	want := []diff.Field{
		{Path: "data.a", Before: "*** (before)", After: "*** (after)"},
		{Path: "data.c", Before: "***"},
		{Path: "data.d", After: "***"},
		{Path: "type", After: "Opaque"},
	}
	wantFields(t, result.Changes[0].Fields, want)
}
