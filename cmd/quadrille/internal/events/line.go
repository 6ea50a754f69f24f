package events

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

const maxHex = 512 // bytes of what cannot be decoded, in a line of text

// line is an event as text. What others wrote cannot move the cursor.
func line(e Event) string {
	text := fmt.Sprintf("%s  %-24s  %-22s  %s  %s  id %s  cause %s  correlation %s  ",
		e.Time.Format("2006-01-02T15:04:05.000Z"), fmt.Sprintf("%s/%d/%d", e.Topic, e.Partition, e.Offset),
		cmp.Or(short(e.Type), "?"), cmp.Or(e.Key, "?"), "#"+strconv.FormatInt(e.Sequence, 10),
		tail(e.ID), tail(e.CausationID), tail(e.CorrelationID))
	if class := e.Headers["dl_class"]; class != "" {
		text += fmt.Sprintf("dead in %s: %s: %s, %s tries, came on %s  ", e.Headers["dl_service"], class,
			e.Headers["dl_error"], e.Headers["dl_attempts"], e.Headers["dl_scope"])
	}
	if e.Error != "" {
		text += "! " + e.Error + "  "
	}
	switch {
	case e.Hex != "":
		text += "hex " + e.Hex[:min(len(e.Hex), 2*maxHex)]
		if more := len(e.Hex)/2 - maxHex; more > 0 {
			text += fmt.Sprintf("… and %d bytes more, which --json shows", more)
		}
	case e.SHA256 != "":
		text += fmt.Sprintf("%d bytes, SHA-256 %s; --pii shows them", e.Length, e.SHA256)
	case e.Data == nil:
		text += "tombstone"
	default:
		text += string(e.Data)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// tail of an id: its beginning is a time, which neighbours share.
func tail(id string) string {
	if id == "" {
		return "-"
	}
	return id[max(0, len(id)-8):]
}

// short is a full name without its namespace.
func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
