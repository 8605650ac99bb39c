package layouts

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// Write makes the layout's repository in dir.
func (l *Layout) Write(dir string) error {
	for _, file := range l.files {
		if err := writeFile(filepath.Join(dir, file.Name), file.Data); err != nil {
			return err
		}
	}
	for _, link := range l.links {
		if err := makeLink(filepath.Join(dir, link[0]), link[1]); err != nil {
			return err
		}
	}
	if err := l.complete(dir); err != nil {
		return err
	}
	for _, name := range l.crlf {
		if err := endLinesAsOnWindows(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range l.git {
		if err := commit(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes a file that is not there yet.
func writeFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(content)
	return err
}

func makeLink(name, target string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.Symlink(filepath.FromSlash(target), name)
}

func endLinesAsOnWindows(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n")), 0o644)
}

// commit makes dir a git repository.
func commit(dir string) error {
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=trunk"},
		{"add", "--all"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=first"},
		{"tag", "v1.2.3"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		// In a hook of git's, they are about another repository.
		cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "GIT_") })
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, output)
		}
	}
	return nil
}

// complete writes what layouts have in common: a kustomization that runs the
// programs, and what makes a server of a program.
func (l *Layout) complete(root string) error {
	config := filepath.Join(root, l.Dir, l.Kustomization)
	if _, err := os.Lstat(config); os.IsNotExist(err) {
		if err := l.writeKustomization(config); err != nil {
			return err
		}
	}
	return addServers(root)
}

func (l *Layout) writeKustomization(dir string) error {
	var manifests bytes.Buffer
	for _, p := range l.Programs {
		if err := workload.Execute(&manifests, p); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(dir, "kustomization.yaml"), []byte("namespace: shop\nresources: [workloads.yaml]\n")); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "workloads.yaml"), manifests.Bytes())
}

var workload = template.Must(template.New("workload").Parse(`---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{.Service}}
spec:
  selector:
    matchLabels: {app.kubernetes.io/name: {{.Service}}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: {{.Service}}}
    spec:
      containers:
      - name: app
        image: ko://{{.ImportPath}}
        ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata:
  name: {{.Service}}
spec:
  selector: {app.kubernetes.io/name: {{.Service}}}
  ports: [{name: http, port: 80, targetPort: http}]
`))

// addServers adds the function main to programs that only have the function says.
func addServers(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte("\nfunc says() string {")) {
			return err
		}
		return writeFile(filepath.Join(filepath.Dir(path), "serve.go"), []byte(server))
	})
}

// server answers HTTP without net/http, with which every program would take a
// second longer to link.
const server = `package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
)

func main() {
	if os.Getenv("SAY") != "" {
		fmt.Print(says())
		return
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err == nil {
			go answer(connection)
		}
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	for request := bufio.NewScanner(connection); request.Scan() && request.Text() != ""; {
	}
	text := says()
	fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
}
`
