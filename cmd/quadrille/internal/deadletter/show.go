package deadletter

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

type showCommand struct {
	operate.Platform
	Letter letterID `arg:"" help:"The letter, such as order/17."`
	PII    bool     `help:"Show personal data instead of ***, and the record's bytes."`
	JSON   bool     `help:"Print it as JSON; with --pii the record's exact bytes are in it, in base64."`
}

// Help is shown by `quadrille deadletter show --help`.
func (showCommand) Help() string {
	return `Shows why the message was set aside, the record with its headers, who did what to it, and what waits behind
it. A value that can be decoded by the schema that it was written with is shown as JSON, personal data as ***; of any
other its size and SHA-256, and with --pii its bytes in hex: nobody knows which of them are personal. Headers that are
not those of an event are *** too.

Examples:

  quadrille deadletter show order/17
  quadrille deadletter show payment/3 --pii
  quadrille deadletter show order/17 --pii --json`
}

// Run prints the letter.
func (c showCommand) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c showCommand) run(ctx context.Context, to io.Writer) error {
	platform, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if err := checkService(c.Letter.service, slices.Sorted(maps.Keys(platform.Admin))); err != nil {
		return err
	}
	letter, err := platform.DeadLetter(ctx, c.Letter.service, c.Letter.number, c.PII)
	if err != nil {
		return operate.Explain(c.Letter.service, platform, err)
	}
	if c.JSON {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(struct {
			Service string `json:"service"`
			client.OpenedDeadLetter
		}{c.Letter.service, letter})
	} else {
		err = c.print(to, letter)
	}
	if err != nil {
		return fmt.Errorf("print the letter: %w", err)
	}
	return nil
}

func (c showCommand) print(to io.Writer, l client.OpenedDeadLetter) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, operate.Legible(fmt.Sprintf(format, values...)))
	}
	row("letter", "%s, %s", c.Letter, l.State)
	row("why", "%s: %s", l.Class, l.Error)
	row("tried", "%s", tried(l.DeadLetter))
	row("key", "%s", cmp.Or(l.Key, "-"))
	row("message", "%s %s", l.MessageID, l.Type)
	if l.Record == nil {
		row("record", "none: it is a %s, and made again when it is tried again", l.Topic)
	} else {
		row("record", "%s partition %d offset %d", l.Topic, l.Record.Partition, l.Record.Offset)
	}
	if l.State != "discarded" {
		row("behind it", "%s", c.behind(l))
	}
	for _, r := range l.Rulings {
		row(r.Action, "%s by %s: %s", stamp(r.At), r.Operator, cmp.Or(r.Reason, "no reason given"))
	}
	if l.Record != nil {
		for _, h := range l.Record.Headers {
			row("header", "%s", header(h))
		}
	}
	if err := table.Flush(); err != nil || l.Record == nil {
		return err
	}
	return value(to, *l.Record)
}

// value prints what a record says, decoded or, if its bytes were asked for, in hex.
func value(to io.Writer, r client.DeadRecord) error {
	if r.SHA256 == "" {
		_, err := fmt.Fprintln(to, "\nvalue: none, a tombstone")
		return err
	}
	if r.Data != nil {
		var indented bytes.Buffer
		if err := json.Indent(&indented, r.Data, "", "  "); err != nil {
			return err
		}
		_, err := fmt.Fprintf(to, "\nvalue, %d bytes by schema %d, %s, SHA-256 %s:\n%s\n", r.Size, r.Schema,
			operate.Legible(r.Name), r.SHA256, &indented)
		return err
	}
	shown := "its bytes may be personal data: --pii shows them\n"
	if r.Value != nil {
		shown = hex.Dump(r.Value)
	}
	_, err := fmt.Fprintf(to, "\nvalue, %d bytes, SHA-256 %s, not decoded: %s\n%s", r.Size, r.SHA256,
		operate.Legible(r.DecodeError), shown)
	return err
}

func tried(l client.DeadLetter) string {
	text := count(l.Attempts, "time") + "; arrived " + stamp(l.ArrivedAt)
	for _, at := range []struct {
		what string
		time *time.Time
	}{{"first failed", l.FirstFailedAt}, {"last failed", l.LastFailedAt}, {"tried again", l.RetryAt}} {
		if at.time != nil {
			text += fmt.Sprintf(", %s %s", at.what, stamp(*at.time))
		}
	}
	return text
}

// behind names what waits, and what it waits for if this letter is not the head.
func (c showCommand) behind(l client.OpenedDeadLetter) string {
	text := "nothing"
	if l.Waiting > 0 {
		text = fmt.Sprintf("%d:", l.Waiting)
		for _, b := range l.Behind {
			text += fmt.Sprintf(" %s", letterID{c.Letter.service, b.ID})
		}
		if more := l.Waiting - int64(len(l.Behind)); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	if !l.Head {
		text += "; it waits itself behind an earlier letter of its key"
	}
	return text
}

func header(h client.DeadHeader) string {
	value := "(null)"
	switch {
	case h.Masked:
		value = "***"
	case h.Value != nil:
		value = *h.Value
	}
	if h.Base64 {
		return fmt.Sprintf("%s: %s (base64)", h.Name, value)
	}
	return fmt.Sprintf("%s: %s", h.Name, value)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
