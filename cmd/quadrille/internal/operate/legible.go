package operate

import (
	"strings"
	"unicode"
)

// Legible replaces what would move a terminal's cursor.
func Legible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
