// Package check looks whether what a chapter of the workshop leads to is there:
// on the real cluster, at the real endpoints.
package check

import (
	"net/http"
	"os"
	"sync"

	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// Place is where the checks look.
type Place struct {
	// Connect connects to the cluster. It is called once, if a chapter needs it.
	Connect func() (*cluster.Shop, error)
	// FrontDoor is the address of `ko up` on this laptop.
	FrontDoor string
}

// chapter is a chapter of the workshop.
type chapter struct {
	name  string
	title string
	steps func(*look) []report.Step
}

// chapters are in the order of the workshop, with the names of docs/workshop.
var chapters = []chapter{
	{"laptop", "the shop runs here, without a cluster", (*look).laptop},
	{"users", "user-svc runs in the cluster", (*look).users},
	{"products", "product-svc and orders-svc run in the cluster", (*look).products},
	{"deploy", "the whole shop runs in the cluster", (*look).deploy},
	{"connect", "this laptop is connected to the cluster", (*look).connect},
	{"payments", "this laptop answers for payments-svc", (*look).payments},
	{"gateway", "this laptop answers for api-gateway", (*look).gateway},
	{"duplicate", "no order is paid twice", (*look).duplicate},
	{"class", "attendees share this cluster", (*look).class},
	{"preview", "a branch has a shop of its own", (*look).preview},
}

// Names returns the names of the chapters.
func Names() []string {
	var names []string
	for _, chapter := range chapters {
		names = append(names, chapter.name)
	}
	return names
}

// Sections returns the checks of a chapter, or of all for "".
func Sections(place Place, name string) []report.Section {
	place.Connect = sync.OnceValues(place.Connect)
	var sections []report.Section
	for _, chapter := range chapters {
		if name == "" || name == chapter.name {
			sections = append(sections, report.Section{
				Name: chapter.name, Title: chapter.title, Steps: chapter.steps(&look{place: place}),
			})
		}
	}
	return sections
}

// look is one look at a chapter. Its first steps find what the later ones need.
type look struct {
	place   Place
	cluster *cluster.Shop
	// client reaches the services by the names that they have in the cluster.
	client *http.Client
}

// hostname is what this laptop calls itself; see X-Served-By.
func hostname() string {
	name, _ := os.Hostname() // "" is nobody's name.
	return name
}
