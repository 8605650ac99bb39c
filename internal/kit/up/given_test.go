//go:build unix

package up_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/up"
)

// elsewhere is a server that answers with a text, until the test ends.
func elsewhere(t *testing.T, text string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// The file beside the kustomization says what flags say, flags win over it, and a
// change of it restarts what it concerns.
func TestFollowsTheSettingsBesideTheKustomization(t *testing.T) {
	dir, port := newShop(t), kittest.FreePort(t)
	r := &run{t: t, dir: dir}
	one, two, three := elsewhere(t, "one"), elsewhere(t, "two"), elsewhere(t, "three")
	r.replace("config/front.yaml", "http://back/env?name=COLOUR", "http://database:5432/")
	r.write("front.env", "FROM_FILE=a=b\nBOTH=file\n")
	set := func(database, extra string) {
		r.write("config/ko-up.yaml", fmt.Sprintf("port: %d\nservices: {database: '%s'}\nworkloads:\n  front: {envFile: ../front.env, env: {BOTH: own}}\n%s", port, database, extra))
	}
	set(one, "")
	r = start(t, dir, func(o *up.Options) { o.Port = 0 })
	front := fmt.Sprintf("http://front.shop.localhost:%d", port) // Not the front door: it refers to nothing here.
	r.answers(front+"/backend", "one")
	r.answers(front+"/env?name=FROM_FILE", "a=b")
	r.answers(front+"/env?name=BOTH", "own")
	if strings.Contains(r.out.String(), "statefulset.apps/database is not run") {
		t.Error("it says that the database is not run, though the settings say where it is")
	}
	back := fmt.Sprintf("http://back.shop.localhost:%d", port)
	r.answers(back+"/env?name=EXTRA", "")
	pid, _ := r.get(front + "/pid")
	set(one, "  back: {env: {EXTRA: more}}\n")
	r.answers(back+"/env?name=EXTRA", "more")
	if now, _ := r.get(front + "/pid"); now != pid {
		t.Error("front was restarted for the environment of back")
	}
	set(two, "  back: {env: {EXTRA: more}}\n")
	r.answers(front+"/backend", "two")
	set(two, "  bakc: {}\n")
	r.prints("config/ko-up.yaml, line 5: workloads.bakc: there is no such workload to run: there are deployment.apps/back, deployment.apps/front, job.batch/seed")
	r.write("front.env", "FROM_FILE=changed\n")
	set(two, "")
	r.answers(front+"/env?name=FROM_FILE", "changed")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, func(o *up.Options) { o.Services = map[string]string{"database": three} })
	r.answers(r.service("front", "/backend"), "three")
}

// What fails and refers to a Service that is not run here is told of it once in a
// series of restarts; with --service there is nothing to tell.
func TestHintsAtAServiceThatIsNotRun(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.replace("config/seed.yaml", "/data/seeded", "/no/such/directory/file")
	r.replace("config/seed.yaml", "env: [", "env: [{name: DATABASE_URL, value: 'postgres://user@database/shop'}, ")
	r.replace("config/seed.yaml", "spec:\n  template:", "spec:\n  backoffLimit: 1\n  template:")
	const hint = "seed refers to service/database, which is not run here: if you have one, --service database=HOST:PORT"
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"seed"} })
	r.prints("it has failed for good")
	if n := r.count(hint); n != 1 {
		t.Errorf("the hint is there %d times", n)
	}
	r.write("cmd/seed/main.go", "package main\n\nfunc main() { panic(\"again\") }\n")
	r.wait(func() bool { return r.count("it has failed for good") == 2 }, func() string { return "the Job did not run again" })
	if n := r.count(hint); n != 2 {
		t.Errorf("after two series of restarts the hint is there %d times", n)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, func(o *up.Options) {
		o.Workloads = []string{"seed"}
		o.Services = map[string]string{"database": "127.0.0.1:1"}
	})
	r.prints("it has failed for good")
	if strings.Contains(r.out.String(), "not run") {
		t.Error("it says that something is not run, though --service says where it is")
	}
}
