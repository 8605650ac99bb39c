//go:build e2e

package e2e

import "strings"

// actor stands for the image of the program of that name in manifests.
const actor = "ACTOR"

// act is a container of the actor with these arguments; more are other fields of it.
func act(args string, more ...string) string {
	fields := append([]string{"name: c", "image: " + actor, "args: [" + args + "]"}, more...)
	return "{" + strings.Join(fields, ", ") + "}"
}

// pod is a pod's specification with this container and other fields.
func pod(container string, more ...string) string {
	return "{" + strings.Join(append([]string{"terminationGracePeriodSeconds: 1", "containers: [" + container + "]"}, more...), ", ") + "}"
}

func deployment(name, spec string, more ...string) string {
	fields := append([]string{"selector: {matchLabels: {app: " + name + "}}", "template: {metadata: {labels: {app: " + name + "}}, spec: " + spec + "}"}, more...)
	return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + "}, spec: {" + strings.Join(fields, ", ") + "}}"
}

func statefulSet(name, spec string, more ...string) string {
	more = append([]string{"serviceName: " + name}, more...)
	return strings.Replace(deployment(name, spec, more...), "kind: Deployment", "kind: StatefulSet", 1)
}

func job(spec string, more ...string) string {
	fields := append([]string{"template: {spec: " + spec + "}"}, more...)
	return "{apiVersion: batch/v1, kind: Job, metadata: {name: job}, spec: {" + strings.Join(fields, ", ") + "}}"
}

func barePod(spec string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: " + spec + "}"
}

// slowRegistry stands for where the registry is when it answers slowly.
const slowRegistry = "SLOW"

const never = "restartPolicy: Never"

// brokenDeploys are deploys that can come to nothing, and what is to be said of them.
var brokenDeploys = map[string]struct {
	first, manifests string // first are applied before, and need not get ready
	want             []string
}{
	"crashes at once": {"", deployment("web", pod(act("-exit=3"))), []string{"deployment.apps/web", "container c has ended", "with exit code 3", "the actor ends with 3"}},
	"ends well":       {"", deployment("web", pod(act("-exit=0"))), []string{"with exit code 0: its command has to keep running"}},
	"crashes without its database": {"", deployment("web", pod(act("-needs=127.0.0.1:5432"))),
		[]string{"with exit code 1", "actor: dial tcp 127.0.0.1:5432: connect: connection refused"}},
	"no such command":   {"", deployment("web", pod(act("", "command: [/none]"))), []string{"container c cannot be started", "/none"}},
	"too little memory": {"", deployment("web", pod(act("-takes=200", "resources: {limits: {memory: 32Mi}}"))), []string{"took more memory than its limit"}},
	"no such image":     {"", deployment("web", pod("{name: c, image: 'localhost:5001/e2e-none:1'}")), []string{"image of container c cannot be pulled", "not found"}},
	"no registry":       {"", deployment("web", pod("{name: c, image: 'localhost:1/e2e-none:1'}")), []string{"image of container c cannot be pulled", "connection refused"}},
	"no name":           {"", deployment("web", pod("{name: c, image: 'Not::An::Image'}")), []string{"image of container c cannot be pulled", "couldn't parse image name"}},
	"never pulled":      {"", deployment("web", pod("{name: c, image: 'localhost:5001/e2e-none:1', imagePullPolicy: Never}")), []string{"image of container c cannot be pulled", "e2e-none"}},
	"no ConfigMap":      {"", deployment("web", pod(act("", "envFrom: [{configMapRef: {name: none}}]"))), []string{"container c cannot be made", `configmap "none" not found`}},
	"no Secret":         {"", deployment("web", pod(act("", "env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: a}}}]"))), []string{`secret "none" not found`}},
	"no key of a Secret": {"{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {a: b}}",
		deployment("web", pod(act("", "env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: other}}}]"))), []string{"couldn't find key other in Secret"}},
	"no ConfigMap for a volume": {"", deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, configMap: {name: none}}]")), []string{`configmap "none" not found`}},
	"no Secret for a volume":    {"", deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, secret: {secretName: none}}]")), []string{`secret "none" not found`}},
	"no claim":                  {"", deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, persistentVolumeClaim: {claimName: none}}]")), []string{`persistentvolumeclaim "none" not found`}},
	"no storage class":          {"", "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}", []string{"persistentvolumeclaim/data", `"none" not found`}},
	"a quota":                   {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: \"0\"}}}", deployment("web", pod(act(""))), []string{"its pods cannot be made", "exceeded quota: q"}},
	"a quota for a StatefulSet": {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: \"0\"}}}", statefulSet("db", pod(act(""))), []string{"statefulset.apps/db", "its pods cannot be made", "exceeded quota: q"}},
	"a limit": {"{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {memory: 16Mi}}]}}",
		deployment("web", pod(act("", "resources: {limits: {memory: 64Mi}}"))), []string{"its pods cannot be made", "maximum memory usage per Container is 16Mi"}},
	"Pod Security": {"{apiVersion: v1, kind: Namespace, metadata: {name: NS, labels: {pod-security.kubernetes.io/enforce: restricted}}}",
		deployment("web", pod(act(""))), []string{"its pods cannot be made", "violates PodSecurity"}},
	"no ServiceAccount": {"", deployment("web", pod(act(""), "serviceAccountName: none")), []string{"its pods cannot be made", `serviceaccount "none" not found`}},
	"no node":           {"", deployment("web", pod(act(""), "nodeSelector: {none: none}")), []string{"no node takes it", "didn't match Pod's node affinity/selector"}},
	"too large":         {"", deployment("web", pod(act("", "resources: {requests: {cpu: 1k}}"))), []string{"no node takes it", "Insufficient cpu"}},
	"never ready": {"", deployment("web", pod(act("-ready=-1s", "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, timeoutSeconds: 5}")), "progressDeadlineSeconds: 30"),
		[]string{"Progress deadline exceeded", "Readiness probe failed: HTTP probe failed with statuscode: 503"}},
	"never alive":                  {"", deployment("web", pod(act("-ready=-1s", "readinessProbe: {tcpSocket: {port: 8081}}", "livenessProbe: {httpGet: {path: /ready, port: 8080}, initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1}"))), []string{"Container c failed liveness probe", "Liveness probe failed: HTTP probe failed with statuscode: 503"}},
	"a failed Job":                 {"", job(pod(act("-exit=4"), never), "backoffLimit: 0"), []string{"job.batch/job", "with exit code 4", "the actor ends with 4"}},
	"a late Job":                   {"", job(pod(act(""), never), "activeDeadlineSeconds: 3"), []string{"job.batch/job", "deadline"}},
	"a stuck Job":                  {"", job(pod("{name: c, image: 'localhost:5001/e2e-none:1'}", never)), []string{"job.batch/job", "cannot be pulled"}},
	"a bare Pod":                   {"", barePod(pod(act("-exit=5"), never)), []string{"pod/p", "with exit code 5", "the actor ends with 5"}},
	"a bare Pod without its image": {"", barePod(pod("{name: c, image: 'localhost:5001/e2e-none:1'}")), []string{"pod/p", "cannot be pulled"}},
	"a StatefulSet's old pod": {statefulSet("db", pod("{name: c, image: 'localhost:5001/e2e-none:1'}")), statefulSet("db", pod(act(""))),
		[]string{"statefulset.apps/db", "it is of the old revision, and the rollout waits for it", "delete pod db-0"}},
	"a paused Deployment":   {deployment("web", pod(act("")), "paused: true"), deployment("web", pod(act("-after=1s")), "paused: true"), []string{"deployment.apps/web", "it is paused", "rollout resume deployment.apps/web"}},
	"ends a little later":   {"", deployment("web", pod(act("-after=3s, -exit=3"))), []string{"with exit code 3"}},
	"one of two containers": {"", barePod(pod(act("-exit=4")+", {name: other, image: "+actor+"}", never)), []string{"pod/p", "with exit code 4"}},
	"a key of a ConfigMap for a volume": {"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}",
		deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, configMap: {name: c, items: [{key: none, path: p}]}}]")), []string{"references non-existent config key: none"}},
	"no such volume":                  {"", "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: '', volumeName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}", []string{"it asks for volume none"}},
	"a sidecar that is never alive":   {"", deployment("web", pod(act(""), "initContainers: ["+strings.Replace(act("-ready=-1s", "restartPolicy: Always", "startupProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}"), "name: c", "name: side", 1)+"]")), []string{"ontainer side failed startup probe"}},
	"OnDelete":                        {"", strings.Replace(deployment("web", pod("{name: c, image: 'localhost:5001/e2e-none:1'}"), "updateStrategy: {type: OnDelete}"), "kind: Deployment", "kind: DaemonSet", 1), []string{"daemonset.apps/web", "cannot be pulled"}},
	"a ReplicationController":         {"", "{apiVersion: v1, kind: ReplicationController, metadata: {name: web}, spec: {replicas: 1, selector: {app: web}, template: {metadata: {labels: {app: web}}, spec: " + pod("{name: c, image: 'localhost:5001/e2e-none:1'}") + "}}}", []string{"replicationcontroller/web", "cannot be pulled"}},
	"a ReplicaSet under a quota":      {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: \"1\"}}}", strings.Replace(deployment("web", pod(act("")), "replicas: 2"), "kind: Deployment", "kind: ReplicaSet", 1), []string{"replicaset.apps/web", "exceeded quota: q"}},
	"the second pod of a StatefulSet": {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: \"1\"}}}", statefulSet("db", pod(act("")), "replicas: 2"), []string{"statefulset.apps/db", "exceeded quota: q"}},
	"a sidecar that ends":             {"", deployment("web", pod(act("", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"), "initContainers: ["+strings.Replace(act("-after=3s, -exit=1", "restartPolicy: Always"), "name: c", "name: side", 1)+"]")), []string{"init container side has ended", "with exit code 1"}},
	"no scheduler":                    {"", deployment("web", pod(act(""), "schedulerName: nosuch")), []string{"its scheduler, nosuch, has not looked at it"}},
	"a Job that is gone at once":      {"", job(pod(act("-exit=6"), never), "backoffLimit: 0", "ttlSecondsAfterFinished: 0"), []string{"job.batch/job", "BackoffLimitExceeded"}},
	"an init container":               {"", deployment("web", pod(act(""), "initContainers: ["+strings.Replace(act("-exit=6"), "name: c", "name: prepare", 1)+"]")), []string{"init container prepare has ended", "with exit code 6", "the actor ends with 6"}},
	"a DaemonSet":                     {"", strings.Replace(deployment("web", pod(act("-exit=7"))), "kind: Deployment", "kind: DaemonSet", 1), []string{"daemonset.apps/web", "with exit code 7"}},
	"a policy": {`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: NS}, spec: {matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}, validations: [{expression: "false", message: no pods today}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: NS}, spec: {policyName: NS, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}}}`,
		deployment("web", pod(act(""))), []string{"its pods cannot be made", "no pods today"}},
}

// lateDeploys are deploys that take their time.
var lateDeploys = map[string]string{
	"a slow start": deployment("web", pod(act("-after=12s", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"))),
	"a slow probe": deployment("web", pod(act("-ready=15s", "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"))),
	"a startup probe": deployment("web", pod(act("-ready=10s", "startupProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 30}",
		"livenessProbe: {httpGet: {path: /ready, port: 8080}, initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1}"))),
	"a slow registry":   deployment("web", pod("{name: c, image: "+slowRegistry+"/"+actor+"}")),
	"a migration":       job(pod(act("-after=12s, -exit=0"), never)),
	"an init container": deployment("web", pod(act(""), "initContainers: ["+strings.Replace(act("-after=8s, -exit=0"), "name: c", "name: prepare", 1)+"]")),
	"one crash":         deployment("web", pod(act("-once=/state/there", "volumeMounts: [{name: state, mountPath: /state}]"), "volumes: [{name: state, emptyDir: {}}]")),
	"a database that comes late": deployment("web", pod(act("'-needs=db:8080'"))) + "\n---\n" +
		deployment("db", pod(act("-after=25s", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"))) + "\n---\n" +
		"{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {selector: {app: db}, ports: [{port: 8080}]}}",
	"a Job that is tried again": job(pod(act("-once=/state/there", "volumeMounts: [{name: state, mountPath: /state}]"), "restartPolicy: OnFailure", "volumes: [{name: state, emptyDir: {}}]"), "backoffLimit: 3", "suspend: true"),
	"a claim that nothing uses": "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}",
	"a claim that is used":      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}\n---\n" + deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]")),
	"a database without a probe": deployment("web", pod(act("'-needs=db:8080'"))) + "\n---\n" + deployment("db", pod(act("-after=30s"))) + "\n---\n" +
		"{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {selector: {app: db}, ports: [{port: 8080}]}}",
	"an indexed Job, each index of which fails once": "{apiVersion: batch/v1, kind: Job, metadata: {name: job}, spec: {completions: 3, parallelism: 3, completionMode: Indexed, backoffLimit: 8, template: {spec: " +
		pod(act("'-once=/state/$(JOB_COMPLETION_INDEX)', -exit=0", "volumeMounts: [{name: state, mountPath: /state}]"), never, "volumes: [{name: state, persistentVolumeClaim: {claimName: data}}]") + "}}}\n---\n" +
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}",
	"no pods": deployment("web", pod(act("")), "replicas: 0"),
}
