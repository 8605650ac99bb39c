package users

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

var errHash = errors.New("a stored password hash is malformed")

// parse reads a hash in PHC form.
func parse(hash string) (memory, time uint32, threads uint8, salt, key []byte, err error) {
	parts := strings.Split(hash, "$") // "", argon2id, v=19, m=…,t=…,p=…, salt, key
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return 0, 0, 0, nil, nil, errHash
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads)
	if err != nil || time < 1 || threads < 1 {
		return 0, 0, 0, nil, nil, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	// What format would write otherwise is refused, such as more text behind a number.
	if saltErr != nil || keyErr != nil || len(salt) == 0 || len(key) == 0 || format(memory, time, threads, salt, key) != hash {
		return 0, 0, 0, nil, nil, errHash
	}
	return memory, time, threads, salt, key, nil
}
