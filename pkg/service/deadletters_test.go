package service_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// letterRow is what the unit of work keeps of a message that it could not handle.
type letterRow struct {
	id, key, state, class string
	value                 []byte
}

// keep writes letters into the database of a till that does not run yet.
func (p *platform) keep(t *testing.T, letters ...letterRow) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), p.cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = errors.Join(sqldb.Migrate(t.Context(), db, work.Migrations(), "work"),
		db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			for i, l := range letters {
				_, err1 := tx.Exec(t.Context(), `INSERT INTO inbox (scope, id, state, digest, status, resource, handled_at, attempts)
					VALUES ($1, $2, $3, $4, 0, $5, $6, 1)`, soldType.Topic, l.id, l.state, []byte{}, l.key, now)
				_, err2 := tx.Exec(t.Context(), `INSERT INTO letters (scope, id, key, type, partition_id, record_offset, record_key,
						record_value, headers, class, error, arrived_at, first_failed, last_failed)
					VALUES ($1, $2, $8, 'test.Sold', 1, $3, $4, $5, '[["Y2VfaWQ=","Zmlyc3Q="],["/w==",null],["bWFpbA==","YWRh"]]', $6, 'why', $7, $7, $7)`,
					soldType.Topic, l.id, i, []byte(l.key), l.value, l.class, now, l.key)
				if err := errors.Join(err1, err2); err != nil {
					return err
				}
			}
			return nil
		}), db.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// admin sends a request to the admin listener and decodes the answer.
func (p *platform) admin(t *testing.T, method, path, operator, body string, into any) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.cfg.AdminAddr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if operator != "" {
		request.Header.Set(httpapi.OperatorHeader, operator)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			t.Errorf("%s %s: %d %s: %v", method, path, response.StatusCode, data, err)
		}
	}
	return response
}

// seen of a letter by a test.
type seen struct {
	ID      int64
	State   string
	Key     string
	Head    bool
	Class   string
	Waiting int64
	Behind  []seen
	Rulings []struct{ Action, Operator, Reason string }
	Record  struct {
		Value       []byte
		Size        int    `json:"value_size"`
		SHA256      string `json:"value_sha256"`
		SchemaName  string `json:"schema_name"`
		Data        json.RawMessage
		DecodeError string `json:"decode_error"`
		Headers     []struct {
			Name           string
			Value          *string
			Base64, Masked bool
		}
	}
}

type listed struct {
	Items      []seen
	NextCursor string `json:"next_cursor"`
	Moved      int64
	Left       int64
}

const deadLetterPath = "/admin/v1/dead-letters"

// startWithLetters runs a till that has four: three of the key a, dead, parked and parked, and one of b, dead, whose
// value is garbage.
func startWithLetters(t *testing.T) *platform {
	t.Helper()
	p := newPlatform(t)
	client, err := serde.NewClient(p.registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	codec, err := serde.New(t.Context(), client, []serde.Type{soldType})
	if err != nil {
		t.Fatal(err)
	}
	value, err := codec.Append(nil, &soldEvent{"a"})
	if err != nil {
		t.Fatal(err)
	}
	p.keep(t, letterRow{"first", "a", "dead", "refused", value}, letterRow{"second", "a", "parked", "behind", value},
		letterRow{"third", "a", "parked", "behind", nil}, letterRow{"garbage", "b", "dead", "undecodable", []byte{0, 0xff, 0}})
	_, stop := p.run(t)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusOK })
	return p
}

func TestDeadLettersAreListedWithoutWhatTheySay(t *testing.T) {
	p := startWithLetters(t)
	tests := map[string]struct {
		query string
		want  string
	}{
		"what is open":      {"", "1 2 3 4"},
		"page by page":      {"?limit=1", "1 2 3 4"},
		"dead ones":         {"?state=dead", "1 4"},
		"of a key":          {"?key=a&limit=2", "1 2 3"},
		"of a topic":        {"?topic=other.events", ""},
		"of a class":        {"?class=undecodable", "4"},
		"of a type":         {"?type=Sold&state=parked", "2 3"},
		"older than a year": {"?older_than=8760h", ""},
		"older than now":    {"?older_than=0s&key=b", "4"},
		"discarded":         {"?state=discarded", ""},
	}
	for name, test := range tests {
		var ids []string
		for query := test.query; ; {
			var page listed
			if response := p.admin(t, http.MethodGet, deadLetterPath+query, "", "", &page); response.StatusCode != http.StatusOK {
				t.Fatalf("%s: status %d", name, response.StatusCode)
			}
			for _, l := range page.Items {
				ids = append(ids, fmt.Sprint(l.ID))
				if l.Record.Value != nil || l.Head != (l.ID == 1 || l.ID == 4) {
					t.Errorf("%s: %+v", name, l)
				}
			}
			if page.NextCursor == "" {
				break
			}
			query = test.query + "&cursor=" + page.NextCursor
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestADeadLetterIsOpened(t *testing.T) {
	p := startWithLetters(t)
	var first, third, garbage seen
	p.admin(t, http.MethodGet, deadLetterPath+"/1", "", "", &first)
	p.admin(t, http.MethodGet, deadLetterPath+"/3", "", "", &third)
	p.admin(t, http.MethodGet, deadLetterPath+"/4", "", "", &garbage)
	if string(first.Record.Data) != `{"id":"a"}` || first.Record.SchemaName != "test.Sold" || first.Waiting != 2 || len(first.Behind) != 2 {
		t.Errorf("first %+v", first)
	}
	if h := first.Record.Headers; len(h) != 3 || h[0].Name != "ce_id" || h[0].Value == nil || *h[0].Value != "first" || h[0].Base64 ||
		h[1].Name != base64.StdEncoding.EncodeToString([]byte{0xff}) || h[1].Value != nil || !h[1].Base64 {
		t.Errorf("headers %+v", h)
	}
	if third.Record.SHA256 != "" || third.Record.Data != nil || third.Record.DecodeError != "" || third.Head {
		t.Errorf("a tombstone %+v", third)
	}
	if garbage.Record.DecodeError == "" {
		t.Errorf("garbage %+v", garbage)
	}
	p.registry.Close()
	p.admin(t, http.MethodGet, deadLetterPath+"/1", "", "", &first)
	if string(first.Record.Data) != `{"id":"a"}` { // the schema is known by now
		t.Errorf("without a registry: %+v", first.Record)
	}
}

// Nobody knows which bytes of a record are personal, so that all of them are.
func TestADeadLettersBytesAreShownOnlyIfAskedFor(t *testing.T) {
	p := startWithLetters(t)
	const digest = "2c8d07cd986f58eb210bd800133d6645c7340c59865377c8ea431cebca0b3113"
	for query, bare := range map[string]bool{"": false, "?personal=false": false, "?personal=true": true} {
		var l seen
		p.admin(t, http.MethodGet, deadLetterPath+"/4"+query, "", "", &l)
		if l.Record.Size != 3 || l.Record.SHA256 != digest || (l.Record.Value != nil) != bare ||
			bare && !bytes.Equal(l.Record.Value, []byte{0, 0xff, 0}) {
			t.Errorf("%q: %+v", query, l.Record)
		}
		if len(l.Record.Headers) != 3 {
			t.Fatalf("%q: headers %+v", query, l.Record.Headers)
		}
		theirs := l.Record.Headers[2]
		if theirs.Name != "mail" || theirs.Masked == bare || (theirs.Value != nil) != bare || bare && *theirs.Value != "ada" {
			t.Errorf("%q: a header that is not ours: %+v", query, theirs)
		}
	}
}

func TestAnOperatorRulesOnDeadLetters(t *testing.T) {
	p := startWithLetters(t)
	why := `{"reason":"made by hand"}`
	tests := []struct {
		name, method, path, operator, body string
		status                             int
		code, field                        string
	}{
		{"without a name", "POST", "/1/redrive", "", "", 400, "malformed", "Quadrille-Operator"},
		{"with a name that is no text", "POST", "/1/redrive", "a\tb", "", 400, "malformed", "Quadrille-Operator"},
		{"with a name that is too long", "POST", "/1/redrive", strings.Repeat("ä", 101), "", 400, "malformed", "Quadrille-Operator"},
		{"one that is not there", "POST", "/99/redrive", "ada", "", 404, "not-found", ""},
		{"one that waits behind another", "POST", "/2/discard", "ada", why, 409, "conflict", ""},
		{"discard without a reason", "POST", "/1/discard", "ada", `{}`, 422, "validation", "reason"},
		{"discard without a body", "POST", "/1/discard", "ada", ``, 400, "malformed", "body"},
		{"a number that is none", "POST", "/zero/redrive", "ada", "", 422, "validation", "id"},
		{"many without a reason", "POST", "/discard", "ada", `{"filter":{}}`, 422, "validation", "reason"},
		{"many by what is no filter", "POST", "/discard", "ada", `{"filter":{"colour":"red"}}`, 422, "validation", "filter.colour"},
		{"many by an age that is none", "POST", "/redrive", "ada", `{"filter":{"older_than":"old"}}`, 422, "validation", "filter.older_than"},
		{"many without a name", "POST", "/redrive", "", `{"filter":{}}`, 400, "malformed", "Quadrille-Operator"},
	}
	for _, test := range tests {
		var problem httpapi.Problem
		response := p.admin(t, test.method, deadLetterPath+test.path, test.operator, test.body, &problem)
		field := ""
		if len(problem.Errors) > 0 {
			field = problem.Errors[0].Field
		}
		if response.StatusCode != test.status || problem.Type != "urn:quadrille:problem:"+test.code || field != test.field {
			t.Errorf("%s: %d, %+v; want %d %s %s", test.name, response.StatusCode, problem, test.status, test.code, test.field)
		}
	}
	if t.Failed() {
		return
	}

	var letter seen
	if r := p.admin(t, http.MethodPost, deadLetterPath+"/1/discard", "Ada L", why, &letter); r.StatusCode != http.StatusOK || letter.State != "discarded" {
		t.Fatalf("discard: %d, %+v", r.StatusCode, letter)
	}
	p.admin(t, http.MethodGet, deadLetterPath+"/1", "", "", &letter)
	if len(letter.Rulings) != 1 || letter.Rulings[0] != (struct{ Action, Operator, Reason string }{"discard", "Ada L", "made by hand"}) {
		t.Errorf("rulings %+v", letter.Rulings)
	}
	if r := p.admin(t, http.MethodPost, deadLetterPath+"/2/redrive", "ada", "", nil); r.StatusCode != http.StatusConflict {
		t.Errorf("redrive of a parked one: %d", r.StatusCode)
	}
	var swept listed
	p.admin(t, http.MethodPost, deadLetterPath+"/discard", "ada", `{"filter":{},"dry_run":true}`, &swept)
	if swept.Moved != 0 || swept.Left != 3 || swept.NextCursor != "" {
		t.Errorf("a dry run: %+v", swept)
	}
	p.admin(t, http.MethodPost, deadLetterPath+"/discard", "ada", `{"filter":{"key":"a"},"limit":1,"reason":"all of a"}`, &swept)
	if swept.Moved != 1 || swept.Left != 1 || swept.NextCursor == "" {
		t.Errorf("some of many: %+v", swept)
	}
	body := `{"filter":{"key":"a"},"limit":10,"reason":"all of a","cursor":"` + swept.NextCursor + `"}`
	swept = listed{}
	p.admin(t, http.MethodPost, deadLetterPath+"/discard", "ada", body, &swept)
	if swept.Moved != 1 || swept.Left != 0 || swept.NextCursor != "" {
		t.Errorf("the rest: %+v", swept)
	}
}

func TestTheAdminAPIIsDescribedAndGuarded(t *testing.T) {
	p := newPlatform(t)
	p.cfg.AdminToken = "secret"
	_, stop := p.run(t)
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusOK })
	for _, path := range []string{"/openapi.json", deadLetterPath, deadLetterPath + "/1", "/docs", "/admin/v1/anything"} {
		if status := p.admin(t, http.MethodGet, path, "", "", nil).StatusCode; status != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", path, status)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.cfg.AdminAddr+"/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer secret")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var described struct{ Paths map[string]map[string]any }
	if err := json.NewDecoder(response.Body).Decode(&described); err != nil {
		t.Fatal(err)
	}
	for path, method := range map[string]string{
		deadLetterPath: "get", deadLetterPath + "/{id}": "get", deadLetterPath + "/{id}/redrive": "post",
		deadLetterPath + "/discard": "post", "/admin/v1/till": "get",
	} {
		if described.Paths[path][method] == nil {
			t.Errorf("%s %s is not described", method, path)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTheAdminAPIWaitsForTheDatabase(t *testing.T) {
	p := newPlatform(t)
	p.cfg.DatabaseURL = "postgres://127.0.0.1:1/till"
	_, stop := p.run(t)
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusServiceUnavailable })
	response := p.admin(t, http.MethodGet, deadLetterPath, "", "", nil)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, %v", response.StatusCode, response.Header)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
