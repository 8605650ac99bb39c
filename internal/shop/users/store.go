package users

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/web"
)

//go:embed migrations/*.sql
var migrations embed.FS

// User is a user as the service shows them.
type User struct {
	ID    string `json:"id" format:"uuid" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	Name  string `json:"name" example:"Ann"`
	Email string `json:"email" example:"ann@example.com"`
}

// store keeps users in a database.
type store struct{ db *database.DB }

// create stores a user with the hash of their password; errTaken when the
// e-mail address belongs to another. An attempt that is repeated finds its own user.
func (s *store) create(ctx context.Context, name, email, hash string) (User, error) {
	user := User{ID: uuid.NewString(), Name: name, Email: email}
	stored, err := s.db.Repeatable().Change(ctx, `
		INSERT INTO users (id, name, email, email_key, password, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (email_key) DO UPDATE SET id = excluded.id WHERE users.id = excluded.id`,
		user.ID, name, email, key(email), hash, time.Now().UnixMilli())
	if err != nil {
		return User{}, fmt.Errorf("store a user: %w", err)
	}
	if !stored {
		return User{}, errTaken()
	}
	return user, nil
}

// credentials returns the id and the hash of the user with the address; both
// are empty when there is none. In old rows email_key is the address in lower case.
func (s *store) credentials(ctx context.Context, email string) (id, hash string, err error) {
	err = s.db.Reads().QueryRowContext(ctx, `SELECT id, password FROM users WHERE email_key IN ($1, $2)`, key(email), strings.ToLower(email)).Scan(&id, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", "", fmt.Errorf("read a user: %w", err)
	}
	return id, hash, nil
}

// key is the form in which addresses are compared: the same letters may be written with
// other code points (https://www.rfc-editor.org/rfc/rfc6532#section-3.1 names NFC).
func key(email string) string {
	return norm.NFC.String(strings.Map(web.Fold, norm.NFC.String(email)))
}

func errTaken() error { return fault.New(fault.BadRequest, "Email already registered") }
