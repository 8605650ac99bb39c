package web

import (
	"net/http"
	"time"
)

// maxConnectionAge is the age from which a connection ends with its next answer, so that
// clients which keep their connections find new replicas and intercepts. The client closes
// a connection that it does not use; no request is lost then.
const maxConnectionAge = 5 * time.Second

// isOld reports whether the request came on a connection that has reached that age.
func isOld(r *http.Request) bool {
	born, known := r.Context().Value(bornKey{}).(time.Time)
	return known && time.Since(born) > maxConnectionAge
}
