// Package kit documents the pipeline behind `ko apply -k`; it holds no code.
//
// The stages run in this order, one package each, and data flows one way:
//
//	render    a kustomization directory becomes YAML manifests
//	resolve   the ko:// references in the manifests are found, and at the end
//	          replaced by what was published
//	program   a reference is found in the modules here, and it is decided how it
//	          is compiled
//	build     a program becomes an image, by upstream ko
//	publish   an image becomes a digest in a registry, by upstream ko
//	apply     the resolved manifests are dry-run, then sent to a cluster
//
// Package pipeline joins the first four into one call. Behind `ko up -k` the
// first stage is followed by others:
//
//	workload  the manifests become a plan: workloads, Services, notes
//	pod       what one replica needs: environment, ports, volumes, probes
//	compile   a program becomes an executable, by the same decision as for images,
//	          and the files it is made of are found
//	watch     changes of files come in batches
//	process   programs run, and never outlive ko
//	probe     processes are asked what a kubelet asks containers
//	backing   images that are not built from Go are run, by a program of this
//	          machine or by a container engine
//	route     requests reach the processes that are ready
//	up        joins them: a loop, and a slot for each replica
//
// Below workload and pod there are
//
//	manifest     which objects the manifests hold
//	environment  which variables a container gets
//	listen       which ports it listens on, and which of them PORT names
//	rewrite      what an address or a path is on this machine
//
// Behind `ko reload` there are compile and
//
//	reload    an executable is brought into the pods that run its program, where a
//	          supervisor replaces the program
//
// Package internal/kube says which cluster apply and reload work on. Package cli
// puts all that behind upstream ko's command line, and package progress shows
// people what is going on. Nothing here knows the shop.
package kit
