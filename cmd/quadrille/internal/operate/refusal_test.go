package operate

import (
	"errors"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
)

func TestAnErrorSaysWhatMayBeDone(t *testing.T) {
	at := client.New(client.Addresses{Admin: map[string]string{"order": "127.0.0.1:1"}})
	refusal := func(status int, body string) error {
		return &client.Refusal{Method: "GET", URL: "http://127.0.0.1:1/", Status: status, Body: []byte(body)}
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"no answer": {
			errors.New("refused"),
			"order does not answer at 127.0.0.1:1: refused; is the platform running? --against names another",
		},
		"no token":           {refusal(401, "{}"), "order asks for the token of its admin listener: --token"},
		"a title":            {refusal(409, `{"title":"Conflict"}`), "order: Conflict"},
		"a detail":           {refusal(409, `{"title":"Conflict","detail":"It waits."}`), "order: It waits"},
		"fields":             {refusal(400, `{"title":"Bad.","errors":[{"field":"a","message":"is odd."}]}`), "order: Bad; a is odd"},
		"a moving cursor":    {refusal(409, `{"title":"T","detail":"\u001b[2J"}`), "order: \ufffd[2J"},
		"no problem":         {refusal(502, "no\x1b[2J"), "order: GET http://127.0.0.1:1/: 502 Bad Gateway: no\ufffd[2J"},
		"nothing to be said": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := Explain("order", at, test.err)
			if (err == nil) != (test.err == nil) || err != nil && err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestAnOperatorIsNamedByFlagOrEnvironment(t *testing.T) {
	t.Setenv("USER", "grace")
	for flag, want := range map[string]string{"ada": "ada", "": "grace"} {
		if name, err := (Operator{flag}).Known(); err != nil || name != want {
			t.Errorf("%q, %v, want %q", name, err, want)
		}
	}
	t.Setenv("USER", "")
	if name, err := (Operator{}).Known(); !errors.Is(err, ErrOperator) {
		t.Errorf("%q, %v", name, err)
	}
}
