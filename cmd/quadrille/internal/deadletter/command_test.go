package deadletter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

var ada = operate.Operator{By: "ada"}

func TestLettersAreListedShownAndRuledOn(t *testing.T) {
	w := startWorld(t)
	w.poison(t, one)
	w.placed(t, one)
	w.poison(t, two)
	w.placed(t, "01a1fe7f-e747-70bc-a76c-2f86559bc9b2") // which nothing holds back
	w.letters(t, 3)
	w.reservation(t, "01a1fe7f-e747-70bc-a76c-2f86559bc9b2")

	list := listCommand{Platform: w.platform(), Limit: 100}
	var out bytes.Buffer
	if err := list.run(t.Context(), &out, io.Discard, time.Now()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "LETTER") {
		t.Fatalf("listed\n%s", out.String())
	}
	for i, want := range [][]string{
		{"inventory/1", "dead", "head", "order.events", one, "OrderConfirmed"},
		{"inventory/2", "parked", "-", "behind", one, "OrderPlaced"},
		{"inventory/3", "dead", "head", two},
	} {
		for _, part := range want {
			if !strings.Contains(lines[i+1], part) {
				t.Errorf("line %d lacks %s: %s", i+1, part, lines[i+1])
			}
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("the list moves the cursor")
	}

	t.Run("as JSON", func(t *testing.T) {
		asJSON := list
		asJSON.JSON, asJSON.Key, asJSON.State = true, one, "dead"
		var out bytes.Buffer
		if err := asJSON.run(t.Context(), &out, io.Discard, time.Now()); err != nil {
			t.Fatal(err)
		}
		var l listed
		if err := json.Unmarshal(out.Bytes(), &l); err != nil || l.Service != "inventory" || l.ID != 1 || !l.Head {
			t.Errorf("%v: %s", err, out.String())
		}
	})
	t.Run("what is cut off is said", func(t *testing.T) {
		for _, asJSON := range []bool{false, true} {
			short := list
			short.Limit, short.JSON = 2, asJSON
			var out, notes bytes.Buffer
			err := short.run(t.Context(), &out, &notes, time.Now())
			if err != nil || notes.String() != "and more of inventory: --limit\n" || strings.Contains(out.String(), "more of") {
				t.Errorf("as JSON %t: %v: %s%s", asJSON, err, out.String(), notes.String())
			}
		}
	})

	t.Run("garbage is not shown", func(t *testing.T) {
		var out bytes.Buffer
		if err := (showCommand{Platform: w.platform(), Letter: letterID{"inventory", 1}}).run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"inventory/1, dead", fmt.Sprintf("%d bytes, SHA-256 %x", len(garbage), sha256.Sum256(garbage)),
			"ce_type", "--pii shows them"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("lacks %q:\n%s", want, out.String())
			}
		}
		if strings.Contains(out.String(), "not an event") || strings.Contains(out.String(), "01 6e 6f") {
			t.Errorf("shows the bytes:\n%s", out.String())
		}
	})
	t.Run("garbage is shown in hex if asked for", func(t *testing.T) {
		var out bytes.Buffer
		show := showCommand{Platform: w.platform(), Letter: letterID{"inventory", 1}, PII: true}
		if err := show.run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"inventory/1, dead", "inventory/2", "order.events partition 0 offset 0", "ce_type",
			"|.not an event.[2|", "00000000  01 6e 6f"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("lacks %q:\n%s", want, out.String())
			}
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Error("what is shown moves the cursor")
		}
	})
	t.Run("an event is shown decoded, personal data only if asked for", func(t *testing.T) {
		for personal, want := range map[bool]string{false: `"email": "***"`, true: `"email": "ada@example.com"`} {
			var out bytes.Buffer
			show := showCommand{Platform: w.platform(), Letter: letterID{"inventory", 2}, PII: personal}
			if err := show.run(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "waits itself behind") {
				t.Errorf("lacks %s:\n%s", want, out.String())
			}
		}
	})
	t.Run("the bytes are in the JSON if asked for", func(t *testing.T) {
		for personal, want := range map[bool][]byte{false: nil, true: garbage} {
			var out bytes.Buffer
			show := showCommand{Platform: w.platform(), Letter: letterID{"inventory", 1}, PII: personal, JSON: true}
			if err := show.run(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			var l client.OpenedDeadLetter
			if err := json.Unmarshal(out.Bytes(), &l); err != nil || !bytes.Equal(l.Record.Value, want) || l.Waiting != 1 {
				t.Errorf("%v: %s", err, out.String())
			}
		}
	})

	t.Run("a follower is not discarded, the next letter is", func(t *testing.T) {
		var h heard
		err := ruling{w.platform(), Choice{
			Letters: []letterID{{"inventory", 2}, {"inventory", 3}}, Operator: ada, Rate: 1000,
		}, client.Discard, "", "test"}.run(t.Context(), h.talk(""))
		if err == nil || !strings.Contains(err.Error(), "inventory/2") || !strings.Contains(err.Error(), "waits behind") ||
			h.out.String() != "inventory/3 is discarded\n" {
			t.Errorf("%v: %s", err, h.out.String())
		}
	})
	t.Run("one that is redriven fails again", func(t *testing.T) {
		var h heard
		err := ruling{w.platform(), Choice{Filter: Filter{Key: one}, Operator: ada, Rate: 10, Yes: true}, client.Redrive, "", ""}.
			run(t.Context(), h.talk(""))
		if err != nil || !strings.HasPrefix(h.out.String(), "inventory: 1 redriven") {
			t.Errorf("%v: %s", err, h.out.String())
		}
		w.until(t, "it is dead again", func(ctx context.Context) error {
			l, err := w.client.DeadLetter(ctx, "inventory", 1, false)
			if err == nil && (l.State != "dead" || len(l.Rulings) != 1) {
				err = errors.New(l.State)
			}
			return err
		})
	})
	t.Run("discarded by a filter its follower goes on", func(t *testing.T) {
		discard := ruling{w.platform(), Choice{Filter: Filter{Class: "undecodable"}, Operator: ada, Rate: 10}, client.Discard, "", "garbage"}
		var h heard
		if err := discard.run(t.Context(), h.talk("")); !errors.Is(err, ErrConfirm) || !strings.Contains(err.Error(), "1 letter (1 of inventory)") {
			t.Errorf("nobody to be asked: %v", err)
		}
		if err := discard.run(t.Context(), h.talk("no\n")); err != nil || !strings.Contains(h.out.String(), "Nothing was done") {
			t.Errorf("refused: %v: %s", err, h.out.String())
		}
		w.letters(t, 2)
		h.out.Reset()
		if err := discard.run(t.Context(), h.talk("y\n")); err != nil || !strings.Contains(h.out.String(), "inventory: 1 discarded\n") {
			t.Errorf("agreed: %v: %s", err, h.out.String())
		}
		w.reservation(t, one)
		w.letters(t, 0)
		out.Reset()
		discarded := list
		discarded.State = "discarded"
		if err := discarded.run(t.Context(), &out, io.Discard, time.Now()); err != nil || strings.Count(out.String(), "\n") != 3 {
			t.Errorf("%v: %s", err, out.String())
		}
		h.out.Reset()
		if err := discard.run(t.Context(), h.talk("")); err != nil || h.out.String() != "no letter fits\n" {
			t.Errorf("once more: %v: %s", err, h.out.String())
		}
	})
}

func TestAQuestionThatIsInterruptedIsAnError(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	silent, hold := io.Pipe() // a terminal where nobody types
	defer hold.Close()
	var h heard
	with := h.talk("asked")
	with.from = silent
	if agreed, err := ask(ctx, with, "Discard? [y/N] "); agreed || !errors.Is(err, errInterrupted) {
		t.Errorf("%t, %v", agreed, err)
	}
}

func TestASweepGoesThroughAllOfThemInSteps(t *testing.T) {
	w := startWorld(t)
	const n = 25
	for i := range n {
		w.poison(t, strings.Replace(one, "9b0", string([]byte{'a' + byte(i/10), '0' + byte(i%10), '0'}), 1))
	}
	w.letters(t, n)
	var h heard
	err := ruling{w.platform(), Choice{All: true, Operator: ada, Rate: 100, Yes: true, JSON: true}, client.Discard, "", "all"}.
		run(t.Context(), h.talk(""))
	var s swept
	if err := errors.Join(err, json.Unmarshal(h.out.Bytes(), &s)); err != nil || s.Moved != n || s.Left != 0 {
		t.Errorf("%v: %s", err, h.out.String())
	}
}

func TestAPlatformThatIsAwayOrClosedIsNamed(t *testing.T) {
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"items":[]}`))
	}))
	defer closed.Close()
	at := func(addr string) operate.Platform {
		return operate.Platform{Against: `{"kafka":"k:1","registry":"r:1","gateway":"g:1","services":{"order":"o:1"},"admin":{"order":"` + addr + `"}}`}
	}
	open := at(closed.Listener.Addr().String())
	open.Token = "secret"
	for name, test := range map[string]struct {
		platform operate.Platform
		service  []string
		want     string
	}{
		"away":       {at("127.0.0.1:1"), nil, "order does not answer at 127.0.0.1:1"},
		"closed":     {at(closed.Listener.Addr().String()), nil, "--token"},
		"open":       {open, nil, ""},
		"no service": {open, []string{"orders"}, `no service is called "orders"; there are order`},
	} {
		var out bytes.Buffer
		err := listCommand{Platform: test.platform, Filter: Filter{Service: test.service}, Limit: 10}.run(t.Context(), &out, io.Discard, time.Now())
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestAChoiceNamesLettersOrAFilter(t *testing.T) {
	letters := []letterID{{"order", 1}}
	for name, test := range map[string]struct {
		choice Choice
		ok     bool
	}{
		"letters":   {Choice{Letters: letters, Operator: ada, Rate: 1}, true},
		"a filter":  {Choice{Filter: Filter{Class: "refused"}, Operator: ada, Rate: 1}, true},
		"a service": {Choice{Filter: Filter{Service: []string{"order"}}, Operator: ada, Rate: 1}, true},
		"all":       {Choice{All: true, Operator: ada, Rate: 1}, true},
		"nothing":   {Choice{Operator: ada, Rate: 1}, false},
		"both":      {Choice{Letters: letters, All: true, Operator: ada, Rate: 1}, false},
		"no rate":   {Choice{All: true, Operator: ada}, false},
	} {
		if err := test.choice.validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingIsDoneInNobodysName(t *testing.T) {
	t.Setenv("USER", "")
	var h heard
	err := ruling{operate.Platform{}, Choice{All: true, Rate: 1, Yes: true}, client.Redrive, "", ""}.run(t.Context(), h.talk(""))
	if !errors.Is(err, operate.ErrOperator) {
		t.Errorf("error %v", err)
	}
}

func TestALetterIsNamedByServiceAndNumber(t *testing.T) {
	for text, want := range map[string]letterID{
		"order/17": {"order", 17}, "order": {}, "17": {}, "/17": {}, "order/": {}, "order/0": {}, "order/-1": {}, "order/x": {},
	} {
		var id letterID
		if err := id.UnmarshalText([]byte(text)); (err == nil) != (want != letterID{}) || id != want {
			t.Errorf("%s: %v, %v", text, id, err)
		}
	}
}

func TestAnEmptyCriterionIsRefused(t *testing.T) {
	for _, flag := range []string{"topic", "key", "type", "class", "older-than"} {
		var c Command
		parser, err := kong.New(&c, kong.Vars{"USER": "ada"}, kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse([]string{"discard", "--service", "order", "--" + flag, "", "--reason", "x", "--yes"})
		if err == nil || !strings.Contains(err.Error(), "--"+flag) || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("--%s '': %v", flag, err)
		}
	}
}
