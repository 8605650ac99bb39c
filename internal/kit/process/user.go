package process

// User is whose rights a program has.
type User struct{ UID, GID uint32 }
