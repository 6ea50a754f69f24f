package httpapi

import (
	"net/mail"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	maxEmail   = 254 // bytes, of a whole address (RFC 5321, erratum 1690)
	maxLocal   = 64  // bytes before the @ (RFC 5321, section 4.5.3.1.1)
	emailWords = "must be an e-mail address such as ada@example.com"
)

// Email reports whether s is a bare e-mail address: local part, @, domain. Display names, comments, quoted local parts,
// domain literals, white space and control characters are refused, and so is anything but ASCII, for not every mail
// server takes more.
func Email(s string) bool {
	if len(s) > maxEmail {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"(),:;<>[]\`, c) >= 0 {
			return false
		}
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s {
		return false
	}
	local, domain, _ := strings.Cut(s, "@")
	return len(local) <= maxLocal && hostname(domain)
}

// hostname reports whether s is a domain name of at least two labels (RFC 1123, section 2.1).
func hostname(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Contains(label, "_") || !plainName(label) {
			return false
		}
	}
	return len(labels) >= 2
}

// EmailAddress is a string in a body that must pass Email.
type EmailAddress string

var (
	_ huma.ResolverWithPath = (*EmailAddress)(nil)
	_ huma.SchemaProvider   = EmailAddress("")
)

// Resolve refuses what Email does. An empty one is left to the schema.
func (e *EmailAddress) Resolve(_ huma.Context, path *huma.PathBuffer) []error {
	if *e == "" || Email(string(*e)) {
		return nil
	}
	return []error{At(path, FieldFormat, emailWords)}
}

// Schema describes the string in OpenAPI.
func (EmailAddress) Schema(huma.Registry) *huma.Schema {
	shortest, longest := len("a@b.c"), maxEmail
	s := &huma.Schema{Type: huma.TypeString, Format: "email", MinLength: &shortest, MaxLength: &longest}
	s.PrecomputeMessages()
	return s
}
