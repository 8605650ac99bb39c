package process

// User is whose rights a program has. The methods of a nil User do nothing: a
// program that runs as ourselves may do what we may.
type User struct {
	UID, GID uint32
	// namespace is where the user has this number, but is root outside.
	namespace bool
}
