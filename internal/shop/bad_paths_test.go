package shop_test

import (
	"fmt"
	"slices"
	"strings"
)

// oddSegments are what stands where a path has an id or another parameter, escaped.
var oddSegments = []string{
	"%00", "a%00b", "%ff%fe", "%ed%a0%80", "%c0%af", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%2e", "%2F", "%5c", "%20%20", "%0d%0aSet-Cookie:%20x=1", "'%20OR%20'1'='1", "%22;%20DROP%20TABLE%20orders;--",
	"%25%30%30", "null", "undefined", "0", "-1", "1e9", "NaN", "00000000-0000-0000-0000-000000000000", "{id}", "%7Bid%7D", "$where", "*", "%f0%9f%9b%92", "a+b", "a;b=c", "~root", "L9ECAV7KIM%00",
	"paid", "by-key", "paid-by", // are parts of other paths
}

// oddPaths are no operation's.
var oddPaths = []string{
	"/nowhere", "/..", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/.", "//", "///healthz", "/healthz/", "/healthz//", "/%2fhealthz", "/Healthz", "/healthz%00", "/healthz%2f", "/healthz;x", "/docs/", "/docs/../healthz",
	"/%", "/%zz", "/%e", "/\xff", "/a b", "/\x01", "/.git/config", "/.env", "/wp-login.php", "/api", "/api/v2/products", "/openapi.json/", "/schemas/Order.json", "/debug/pprof/", "/metrics", "nowhere", "?", "", "\\",
}

// badPaths has paths that name nothing, and parameters that are out of their bounds.
func badPaths(operations []operation, token string) (all []bad) {
	for _, service := range []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"} {
		for _, path := range oddPaths {
			all = append(all, bad{service: service, name: fmt.Sprintf("path %q", path), request: message("GET", path, ""), want: []int{400, 404}})
		}
		for _, n := range []int{2000, 10_000} {
			all = append(all, bad{service: service, name: fmt.Sprintf("a path of %d bytes", n), request: message("GET", "/"+strings.Repeat("x", n), ""), want: []int{404, 422}})
		}
		all = append(all, bad{service: service, name: "a path of 60,000 bytes", request: message("GET", "/"+strings.Repeat("x", 60_000), ""), want: []int{431}})
		all = append(all, bad{service: service, name: "a path of 5,000 segments", request: message("GET", strings.Repeat("/x", 5000), ""), want: []int{404}})
	}
	for _, op := range operations {
		for _, p := range op.parameters {
			all = append(all, op.badParameter(p, token, operations)...)
		}
	}
	return append(all, badIDs(token)...)
}

// badIDs has payments for orders whose ids are parts of other paths.
func badIDs(token string) (all []bad) {
	for _, id := range []string{"paid", "by-key", "paid-by", "..", "paid/", "?", strings.Repeat(",", 64)} {
		for service, path := range map[string]string{"payments-svc": "/payments", "api-gateway": "/api/v1/payments/pay"} {
			body := fmt.Sprintf(`{"user_id":"ann","order_id":%q,"amount":1}`, id)
			all = append(all, bad{service: service, name: "the order " + id, request: message("POST", path, body, "Authorization: Bearer "+token), want: []int{404}})
		}
	}
	return all
}

func (o operation) badParameter(p parameter, token string, operations []operation) (all []bad) {
	add := func(name, value string, want ...int) {
		request := o.send(p.Name+": "+name, token, o.bodyIfAny(), want)
		request.request = strings.Replace(request.request, o.target(nil), o.target(map[string]string{p.Name: value}), 1)
		all = append(all, request)
	}
	if p.In == "path" {
		for _, segment := range oddSegments {
			target := o.target(map[string]string{p.Name: segment})
			if slices.ContainsFunc(operations, func(other operation) bool {
				return other.service == o.service && other.method == o.method && other.path == target
			}) {
				continue // It asks for the other operation.
			}
			// Products are searched for by any text, and some of these resemble a name.
			add(segment, segment, 404, 422)
		}
		add("200 characters", strings.Repeat("x", 200), 404, 422)
		add("3,000 characters", strings.Repeat("%41", 3000), 404, 422)
		for _, n := range []int{5000, 8000} { // A comma needs three bytes behind the gateway.
			add(fmt.Sprintf("%d commas", n), strings.Repeat(",", n), 404, 422)
		}
		return all
	}
	if p.In != "query" {
		return o.badHeader(p, token)
	}
	if p.Required {
		add("missing", "", 422)
	}
	if len(p.Schema.Enum) > 0 {
		for _, value := range []string{"cancelled", "PAID", "paid,pending", "%20paid", "1"} {
			add(value, value, 422)
		}
	}
	for _, value := range []string{"%00", "a%00", "%ff", "%ed%a0%80"} {
		add(value, value, 422)
	}
	add("too long", strings.Repeat("x", 65), 422)
	add("very long", strings.Repeat("x", 30_000), 422, 431)
	return all
}

// badHeader has a parameter that is a header longer than its operation takes it.
func (o operation) badHeader(p parameter, token string) []bad {
	if p.Schema.MaxLength == 0 {
		return nil
	}
	value := strings.Repeat("x", p.Schema.MaxLength+1)
	return []bad{o.send(p.Name+": too long", token, o.bodyIfAny(), []int{400, 422}, p.Name+": "+value)}
}

// bodyIfAny returns a valid body, or none for an operation without.
func (o operation) bodyIfAny() string {
	if o.members == nil {
		return ""
	}
	return o.body(nil)
}

// badMethods has each path asked for by methods that it does not have.
func badMethods(operations []operation) (all []bad) {
	offered := map[string][]string{}
	for _, op := range operations {
		offered[op.service+op.bare()] = append(offered[op.service+op.bare()], op.method)
	}
	for _, op := range operations {
		path := op.bare()
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X", "G@T", "GET\x00", "", "PÖST", strings.Repeat("X", 9000)} {
			if slices.Contains(offered[op.service+path], method) {
				continue
			}
			offered[op.service+path] = append(offered[op.service+path], method)
			want := []int{400, 405}
			if path == "/api/v1/order/create" {
				want = []int{400, 401, 405} // it may be the order "create"
			}
			all = append(all, bad{service: op.service, name: fmt.Sprintf("method %.10q of %s", method, path), request: message(method, path, ""), want: want})
		}
	}
	return all
}

// bare returns the operation's path without a query.
func (o operation) bare() string {
	path, _, _ := strings.Cut(o.target(nil), "?")
	return path
}
