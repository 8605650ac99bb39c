package process

// User is whose rights a program has.
type User struct{ UID, GID uint32 }

// The methods of a nil User do nothing: a program that runs as ourselves may do
// what we may.
