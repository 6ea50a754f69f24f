package httpapi

import (
	"crypto/sha256"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
)

// IdempotencyHeader makes a command safe to repeat: the first of equal keys in one Scope is done, every later one with
// the same Digest is answered as the first was, and one with another digest is refused with Reused.
const IdempotencyHeader = "Idempotency-Key"

const maxKey = 255 // bytes

// Idempotency is embedded in the input of every command.
type Idempotency struct {
	Key IdempotencyKey `header:"Idempotency-Key" doc:"Makes it safe to repeat: 1 to 255 visible ASCII"`
}

// IdempotencyKey is the caller's name for one command, empty if none was given.
type IdempotencyKey string

var _ huma.ResolverWithPath = (*IdempotencyKey)(nil)

// Resolve refuses keys that are empty, repeated, too long, or not visible ASCII.
func (k *IdempotencyKey) Resolve(ctx huma.Context, path *huma.PathBuffer) []error {
	sent := 0
	ctx.EachHeader(func(name, _ string) {
		if name == IdempotencyHeader {
			sent++
		}
	})
	switch {
	case sent == 0:
		return nil
	case sent > 1:
		return []error{At(path, FieldDuplicate, "")}
	case *k == "":
		return []error{At(path, FieldShort, "")}
	case len(*k) > maxKey:
		return []error{At(path, FieldLong, fmt.Sprintf("must have a length of at most %d", maxKey))}
	}
	for _, c := range []byte(*k) {
		if c < '!' || c > '~' {
			return []error{At(path, FieldCharacters, "must be visible ASCII, without spaces")}
		}
	}
	return nil
}

// Digest returns the SHA-256 of a decoded body. It is that of the meaning, not of the bytes: white space, the order of
// members and the way a string is escaped make no difference. The body must be a value that JSON can hold.
func Digest(body any) ([sha256.Size]byte, error) {
	data, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("digest body: %w", err)
	}
	return sha256.Sum256(data), nil
}
