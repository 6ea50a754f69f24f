package letter

import (
	"strings"
	"unicode"
)

// clean makes one line of what somebody else wrote, at most size characters: it can neither begin a line of its own nor
// turn the direction of what follows.
func clean(text string, size int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, " "), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
	runes := []rune(strings.Join(words, " "))
	if len(runes) > size {
		runes = append(runes[:size-1:size-1], '…')
	}
	return string(runes)
}
