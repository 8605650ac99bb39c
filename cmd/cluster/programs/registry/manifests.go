package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxManifest bounds a manifest's size in bytes: it is kept in memory. The registry API
// lets a registry refuse more than 4 MiB.
const maxManifest = 4 << 20

// manifests remembers on disk which manifests a registry that holds them in memory was
// given, and gives them to it again after a restart.
type manifests struct {
	registry http.Handler
	dir      string
}

// manifest is one accepted upload.
type manifest struct {
	Path        string `json:"path"` // /v2/<repository>/manifests/<tag or digest>
	ContentType string `json:"contentType"`
	Content     []byte `json:"content"`
}

// keepManifests returns registry with its manifests kept in dir, those already there included.
func keepManifests(registry http.Handler, dir string) (http.Handler, error) {
	m := &manifests{registry, dir}
	return m, m.restore()
}

func (m *manifests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upload, removal := r.Method == http.MethodPut, r.Method == http.MethodDelete
	if path.Base(path.Dir(r.URL.Path)) != "manifests" || !upload && !removal {
		m.registry.ServeHTTP(w, r)
		return
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		http.Error(w, fmt.Sprintf("reading the manifest (of %d bytes at most): %v", maxManifest, err), http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	// The answer is held back until the manifest is on disk: what was acknowledged is kept.
	answer := &heldResponse{header: w.Header(), status: http.StatusOK}
	m.registry.ServeHTTP(answer, r)
	if answer.status < http.StatusMultipleChoices {
		if upload {
			err = m.save(manifest{r.URL.Path, r.Header.Get("Content-Type"), content}, answer.header.Get("Docker-Content-Digest"))
		} else {
			err = m.remove(r.URL.Path)
		}
	}
	if err != nil {
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		http.Error(w, "the registry could not store the change; its log says why", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(answer.status)
	if _, err := answer.body.WriteTo(w); err != nil {
		log.Printf("%s %s: answering: %v", r.Method, r.URL.Path, err)
	}
}

// save keeps a manifest under the name it was given and under its digest: a tag may move on.
func (m *manifests) save(uploaded manifest, digest string) error {
	byDigest := uploaded
	byDigest.Path = path.Join(path.Dir(uploaded.Path), digest)
	for _, saved := range []manifest{byDigest, uploaded} {
		data, err := json.Marshal(saved)
		if err != nil {
			return err
		}
		if err := replace(m.file(saved.Path), data); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifests) remove(path string) error {
	if err := os.Remove(m.file(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// file is named by a hash: repositories nest, and one may be called as another's tag is.
func (m *manifests) file(path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(m.dir, hex.EncodeToString(sum[:])+".json")
}

// replace writes the file whole or not at all.
func replace(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// restore uploads the saved manifests again. An index is refused before what it lists is
// there, so those refused are tried again as long as others are accepted.
func (m *manifests) restore() error {
	pending, err := m.load()
	if err != nil {
		return err
	}
	for {
		var refused []manifest
		for _, saved := range pending {
			if err := m.upload(saved); err != nil {
				refused = append(refused, saved)
			}
		}
		if len(refused) == len(pending) {
			break
		}
		pending = refused
	}
	for _, saved := range pending {
		log.Printf("not restored: %v", m.upload(saved))
	}
	return nil
}

func (m *manifests) load() (saved []manifest, err error) {
	files, err := filepath.Glob(filepath.Join(m.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var one manifest
		if err := json.Unmarshal(data, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		saved = append(saved, one)
	}
	return saved, nil
}

func (m *manifests) upload(saved manifest) error {
	request, err := http.NewRequest(http.MethodPut, saved.Path, bytes.NewReader(saved.Content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", saved.ContentType)
	answer := &heldResponse{header: http.Header{}, status: http.StatusOK}
	m.registry.ServeHTTP(answer, request)
	if answer.status != http.StatusCreated {
		return fmt.Errorf("%s: %s", saved.Path, strings.TrimSpace(answer.body.String()))
	}
	return nil
}

// heldResponse holds an answer back.
type heldResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldResponse) Header() http.Header         { return h.header }
func (h *heldResponse) WriteHeader(status int)      { h.status = status }
func (h *heldResponse) Write(p []byte) (int, error) { return h.body.Write(p) }
