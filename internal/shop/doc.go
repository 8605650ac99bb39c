// Package shop is the root of the five services of the workshop's shop.
//
// One package per service (users, products, orders, payments, gateway), each
// with a Config, a New that returns a [server.Server], and a main of a few
// lines in cmd/<workload>. What they share:
//
//	fault        error codes of the domain, mapped to HTTP in package web only
//	money        amounts as integer cents, exact decimal numbers in JSON
//	config       configuration from the environment, with -h and clear refusals
//	program      what every main does: parse, run, print an error once
//	server       listen, become ready, drain, stop: the life of a program
//	web          router, validation, OpenAPI, error answers, docs page, access log
//	requestid    one id per request, across services and in every log line
//	telemetry    traces, metrics and Server-Timing, and the trace that is passed on
//	database     SQLite or PostgreSQL behind database/sql, with migrations
//	client       HTTP between services: bounded in time and size
//	api          what goes over the wire, and a typed client for each service
//	baggage      what a request carries for those in between, passed on
//	idempotency  the first answer again for a request that is repeated
//	turns        a few slots for many clients, in turn
//	recent       what came last, in memory that is bounded
//	token        the claims of an access token and the keys that verify it
//
// cmd/payments-starter is payments-svc in one file, the workshop's exercise.
// clustersecret is the one program beside the services: it makes the password
// of the in-cluster PostgreSQL.
//
// Nothing here may import the kit (internal/kit), and the kit imports nothing
// of this: a test in this package holds both rules.
package shop
