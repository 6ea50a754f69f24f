package stock

import (
	"strings"
	"time"
	"unicode/utf8"
)

// checkOrder looks at what all messages about an order share.
func checkOrder(orderID string, at time.Time) error {
	if orderID == "" {
		return &Refusal{CodeMissing, "order_id"}
	}
	return checkTime(at)
}

// checkTime refuses what is no time of ours. The years are those that both databases and JSON keep.
func checkTime(at time.Time) error {
	switch {
	case at.IsZero():
		return &Refusal{CodeMissing, "at"}
	case at.Year() < 1970 || at.Year() > 9999:
		return &Refusal{CodeOutOfRange, "at"}
	}
	return nil
}

// checkText refuses what one of the databases or Avro would not keep: NUL and invalid UTF-8.
func checkText(field, text string, limit int) error {
	switch {
	case text == "":
		return &Refusal{CodeMissing, field}
	case len(text) > limit:
		return &Refusal{CodeTooLong, field}
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return &Refusal{CodeMalformed, field}
	}
	return nil
}
