package shop_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// collection is a collection of requests for Postman: as much of its format
// v2.1.0 as the workshop's collection needs.
type collection struct {
	Info     struct{ Name, Description, Schema string }
	Variable []struct{ Key, Value, Description string }
	Event    []event
	Item     []item
}

// item is a folder, which has items, or a request.
type item struct {
	Name, Description string
	Auth              *auth
	Event             []event
	Item              []item
	Request           *request
}

type request struct {
	Method, Description, URL string
	Auth                     *auth
	Body                     *struct {
		Mode, Raw string
		Options   struct{ Raw struct{ Language string } }
	}
}

type auth struct {
	Type   string
	Bearer []struct{ Key, Value, Type string }
}

type event struct {
	Listen string
	Script struct {
		Type string
		Exec []string
	}
}

// readCollection reads the workshop's collection. A member that is unknown above
// is refused: Postman would ignore it, and with it a test whose name is mistyped.
func readCollection(t *testing.T) (c collection, text string) {
	t.Helper()
	content, err := os.ReadFile("../../docs/workshop/koshop.postman_collection.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c, string(content)
}

// asked is a request with what the folders around it add.
type asked struct {
	*request
	path  string // the names of the folders and its own
	tests string // the scripts that look at the answer
}

// requests returns all requests among the items of a folder. Newman finds
// folders by name, and people requests: no two neighbours have the same.
func requests(t *testing.T, folder asked, items []item) (all []asked) {
	t.Helper()
	seen := map[string]bool{}
	for _, it := range items {
		inner := asked{it.Request, folder.path + "/" + it.Name, folder.tests + script(it.Event, "test")}
		if seen[it.Name] {
			t.Errorf("there are two of %s", inner.path)
		}
		seen[it.Name] = true
		if it.Request != nil {
			all = append(all, inner)
			continue
		}
		if it.Description == "" {
			t.Errorf("%s has no description", inner.path)
		}
		all = append(all, requests(t, inner, it.Item)...)
	}
	return all
}

func script(events []event, listen string) (text string) {
	for _, e := range events {
		if e.Listen == listen {
			text += strings.Join(e.Script.Exec, "\n") + "\n"
		}
	}
	return text
}

// route is a method of a path of a service, which is named by the variable that
// has its URL.
type route struct{ service, method, path string }

// route returns what a request asks for.
func (a asked) route() route {
	service, path, _ := strings.Cut(strings.TrimPrefix(a.URL, "{{"), "}}")
	path, _, _ = strings.Cut(path, "?")
	return route{service, a.Method, path}
}

// takes reports whether a request for the other route gets to this one.
func (r route) takes(other route) bool {
	template, path := strings.Split(r.path, "/"), strings.Split(other.path, "/")
	if r.service != other.service || r.method != other.method || len(template) != len(path) {
		return false
	}
	for i, segment := range template {
		if segment != path[i] && (!strings.HasPrefix(segment, "{") || path[i] == "") {
			return false
		}
	}
	return true
}

// routes returns what the services say that they offer, with the two pages that
// say so.
func (s *shop) routes(t *testing.T) (all []route) {
	t.Helper()
	for service, url := range map[string]string{
		"userUrl": s.users.URL(), "productUrl": s.products.URL(), "ordersUrl": s.orders.URL(), "paymentsUrl": s.payments.URL(), "gatewayUrl": s.gateway.URL(),
	} {
		for _, page := range []string{"/docs", "/openapi.json"} {
			shoptest.Do(t, "GET", url+page, "", "").Want(t, 200)
			all = append(all, route{service, "GET", page})
		}
		var document struct {
			Paths map[string]map[string]any
		}
		shoptest.Do(t, "GET", url+"/openapi.json", "", "").Into(t, &document)
		for path, methods := range document.Paths {
			for method := range methods {
				all = append(all, route{service, strings.ToUpper(method), path})
			}
		}
	}
	return all
}

// The collection has a request for each operation of each service, and none for
// what no service offers, but for the two that show how that is refused.
func TestCollectionAsksForWhatThereIs(t *testing.T) {
	c, _ := readCollection(t)
	all := requests(t, asked{}, c.Item)
	routes := startShop(t, databasetest.SQLite(t)).routes(t)
	for _, r := range routes {
		if !slices.ContainsFunc(all, func(a asked) bool { return r.takes(a.route()) }) {
			t.Errorf("no request is for %+v", r)
		}
	}
	astray := []string{"/Malformed requests/A path that there is not", "/Malformed requests/A method that there is not"}
	for _, a := range all {
		there := slices.ContainsFunc(routes, func(r route) bool { return r.takes(a.route()) })
		switch isAstray := slices.Contains(astray, a.path); {
		case !there && !isAstray:
			t.Errorf("%s asks for %+v, which no service offers", a.path, a.route())
		case there && isAstray:
			t.Errorf("%s asks for %+v, which is offered", a.path, a.route())
		}
	}
}

// Every request says what it shows and checks the status at least, and no
// request has a host built in.
func TestCollectionExplainsAndChecks(t *testing.T) {
	c, _ := readCollection(t)
	if want := "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"; c.Info.Schema != want {
		t.Errorf("schema %s, want %s", c.Info.Schema, want)
	}
	for _, a := range requests(t, asked{}, c.Item) {
		if a.Description == "" {
			t.Errorf("%s has no description", a.path)
		}
		if !strings.Contains(a.tests, "pm.response.to.have.status(") {
			t.Errorf("%s does not check the status", a.path)
		}
		if !regexp.MustCompile(`^\{\{[a-z]+Url\}\}/`).MatchString(a.URL) || strings.Contains(a.tests, "://") {
			t.Errorf("%s: %s and its tests must name a service by its variable", a.path, a.URL)
		}
	}
}

// Every variable that is used is declared, or set for one request alone, and
// every one declared is used.
func TestCollectionDeclaresItsVariables(t *testing.T) {
	c, text := readCollection(t)
	used, known := names(text, `\{\{(\w+)\}\}`, `ariables\.get\('(\w+)'`, `collectionVariables\.set\('(\w+)'`), names(text, `pm\.variables\.set\('(\w+)'`)
	for _, v := range c.Variable {
		known[v.Key] = true
		if !used[v.Key] || v.Description == "" {
			t.Errorf("variable %s is not used, or not described", v.Key)
		}
	}
	for name := range used {
		if !known[name] {
			t.Errorf("variable %s is not declared", name)
		}
	}
}

// names returns what the groups of the expressions match.
func names(text string, expressions ...string) map[string]bool {
	found := map[string]bool{}
	for _, expression := range expressions {
		for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
			found[match[1]] = true
		}
	}
	return found
}
