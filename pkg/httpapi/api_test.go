package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// secret stands in for what a caller sends and must never be sent back.
const secret = "s3cr3t-valu3"

type placeBody struct {
	CustomerID string               `json:"customer_id" minLength:"1" maxLength:"64"`
	Email      httpapi.EmailAddress `json:"email"`
	Kind       string               `json:"kind,omitzero" enum:"gift,own" required:"false"`
	Due        time.Time            `json:"due,omitzero" required:"false"`
	Price      money                `json:"price,omitzero" required:"false"`
	Lines      []line               `json:"lines" minItems:"1" maxItems:"3"`
}

type money struct {
	Amount   int64                `json:"amount" minimum:"0"`
	Currency httpapi.CurrencyCode `json:"currency"`
}

type line struct {
	SKU      string `json:"sku" pattern:"^[a-z0-9-]+$" maxLength:"20"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000"`
}

type placeInput struct {
	httpapi.Idempotency
	Body placeBody
}

type orderOutput struct {
	Location string `header:"Location"`
	Body     struct {
		ID          string `json:"id"`
		Quantity    int64  `json:"quantity"`
		Scope       string `json:"scope"`
		Correlation string `json:"correlation"`
		Lines       []line `json:"lines"`
	}
}

type listInput struct {
	httpapi.Page
	httpapi.LongPoll
	CustomerID string `query:"customer_id" maxLength:"64"`
}

type position struct {
	ID int `json:"id"`
}

// newShop serves a small API in which every refusal can be provoked.
func newShop(t *testing.T, logs io.Writer) *httptest.Server {
	t.Helper()
	mux, api := httpapi.New(httpapi.Config{
		Title: "Shop", Logger: slog.New(slog.NewJSONHandler(logs, nil)),
	})
	huma.Register(api, huma.Operation{
		OperationID: "place", Method: http.MethodPost, Path: "/v1/orders", DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, in *placeInput) (*orderOutput, error) {
		out := &orderOutput{Location: "/v1/orders/1"}
		out.Body.ID = "1"
		out.Body.Quantity = in.Body.Lines[0].Quantity
		out.Body.Scope, out.Body.Correlation = httpapi.Scope(ctx), httpapi.Correlation(ctx)
		return out, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "list", Method: http.MethodGet, Path: "/v1/orders",
	}, func(_ context.Context, in *listInput) (*struct{ Body httpapi.List[position] }, error) {
		var after position
		if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
			return nil, err
		}
		var found []position
		for id := after.ID + 1; id <= 5 && len(found) <= in.Limit; id++ {
			found = append(found, position{id})
		}
		list, err := httpapi.NewList(found, in.Limit, func(p position) position { return p })
		return &struct{ Body httpapi.List[position] }{list}, err
	})
	huma.Register(api, huma.Operation{
		OperationID: "get", Method: http.MethodGet, Path: "/v1/orders/{id}",
	}, func(_ context.Context, in *struct {
		ID string `path:"id" maxLength:"40"`
	}) (*orderOutput, error) {
		switch in.ID {
		case "broken":
			return nil, errors.New("dial tcp: " + secret)
		case "unread":
			return nil, httpapi.DoneUnread(fmt.Errorf("%w: %s", httpapi.Unavailable(time.Second), secret))
		case "panic":
			panic("nil map: " + secret)
		case "busy":
			return nil, httpapi.Unavailable(1500 * time.Millisecond)
		case "confirmed":
			return nil, httpapi.Conflict("The order is confirmed.")
		case "reused":
			return nil, httpapi.Reused()
		}
		return nil, httpapi.NotFound("No order has this id.")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

type answer struct {
	status  int
	header  http.Header
	body    string
	problem httpapi.Problem
}

// send makes one request; a name in header ending in "+" is added once more.
func send(t *testing.T, server *httptest.Server, method, target, body string, header map[string]string) answer {
	t.Helper()
	// The URL is taken apart by hand, so that hostile paths reach the server as they are.
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		if added, again := strings.CutSuffix(name, "+"); again {
			request.Header.Add(added, value)
			continue
		}
		request.Header.Set(name, value)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(text, &got.problem); err != nil {
			t.Fatalf("problem %q: %v", text, err)
		}
	}
	return got
}

const goodOrder = `{"customer_id":"c1","email":"ada@example.com","lines":[{"sku":"tea","quantity":2}]}`

func TestAcceptsAGoodCommand(t *testing.T) {
	server := newShop(t, io.Discard)
	correlation := "0190163D-8694-739B-AEA5-966C26F8AD91"
	got := send(t, server, "POST", "/v1/orders", goodOrder, map[string]string{
		"X-Correlation-Id": correlation, "Idempotency-Key": "k-1", "Content-Type": "Application/JSON; charset=utf-8",
	})
	want := `{"id":"1","quantity":2,"scope":"POST /v1/orders","correlation":"` +
		strings.ToLower(correlation) + `","lines":[]}` + "\n"
	if got.status != http.StatusAccepted || got.body != want {
		t.Errorf("got %d %s, want 202 %s", got.status, got.body, want)
	}
	if got.header.Get("X-Correlation-Id") != strings.ToLower(correlation) {
		t.Errorf("the answer's correlation is %q", got.header.Get("X-Correlation-Id"))
	}
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Location") != "/v1/orders/1" {
		t.Errorf("headers: %v", got.header)
	}
}

func TestMintsACorrelationIdIfNoneIsWellFormed(t *testing.T) {
	server := newShop(t, io.Discard)
	for name, sent := range map[string]string{
		"none":    "",
		"words":   secret,
		"braces":  "{0190163d-8694-739b-aea5-966c26f8ad91}",
		"compact": "0190163d8694739baea5966c26f8ad91",
		"nil":     "00000000-0000-0000-0000-000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, server, "GET", "/v1/orders", "", map[string]string{"X-Correlation-Id": sent})
			minted, err := uuid.Parse(got.header.Get("X-Correlation-Id"))
			if err != nil || minted.Version() != 7 {
				t.Errorf("got %q", got.header.Get("X-Correlation-Id"))
			}
		})
	}
}

func TestPages(t *testing.T) {
	server := newShop(t, io.Discard)
	var pages []string
	for target := "/v1/orders?limit=2"; target != ""; {
		got := send(t, server, "GET", target, "", nil)
		var list struct {
			Items []position `json:"items"`
			Next  string     `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(got.body), &list); err != nil {
			t.Fatalf("%s: %v", got.body, err)
		}
		items, err := json.Marshal(list.Items)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, string(items))
		target = ""
		if list.Next != "" {
			target = "/v1/orders?limit=2&cursor=" + list.Next
		}
	}
	want := `[{"id":1},{"id":2}] [{"id":3},{"id":4}] [{"id":5}]`
	if got := strings.Join(pages, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnEmptyListIsNotNull(t *testing.T) {
	server := newShop(t, io.Discard)
	cursor, err := httpapi.EncodeCursor(position{5})
	if err != nil {
		t.Fatal(err)
	}
	if got := send(t, server, "GET", "/v1/orders?cursor="+cursor, "", nil); got.body != "{\"items\":[]}\n" {
		t.Errorf("got %s", got.body)
	}
}

func TestHeadIsAnsweredAsGetWithoutBody(t *testing.T) {
	got := send(t, newShop(t, io.Discard), "HEAD", "/v1/orders", "", nil)
	if got.status != http.StatusOK || got.body != "" {
		t.Errorf("got %d %q", got.status, got.body)
	}
}

// lockedBuffer takes logs from the server's goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestInternalErrorsAreLoggedOnceAndNotShown(t *testing.T) {
	for _, path := range []string{"/v1/orders/broken", "/v1/orders/panic", "/v1/orders/unread"} {
		t.Run(path, func(t *testing.T) {
			var logs lockedBuffer
			got := send(t, newShop(t, &logs), "GET", path, "", nil)
			if got.status != http.StatusInternalServerError || got.problem.Type != "urn:quadrille:problem:internal" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if strings.Contains(got.body, secret) {
				t.Errorf("the cause is shown: %s", got.body)
			}
			if done := strings.HasPrefix(got.problem.Detail, "It is done"); done != strings.HasSuffix(path, "unread") {
				t.Errorf("it says %q", got.problem.Detail)
			}
			if n := strings.Count(logs.String(), secret); n != 1 {
				t.Errorf("the cause is logged %d times: %s", n, logs.String())
			}
			if id := got.header.Get("X-Correlation-Id"); !strings.Contains(logs.String(), id) {
				t.Errorf("the log does not name the correlation id %s", id)
			}
		})
	}
}

func TestProblemsOfHandlers(t *testing.T) {
	server := newShop(t, io.Discard)
	for path, want := range map[string]struct {
		status int
		code   string
		retry  string
	}{
		"/v1/orders/none":      {404, "not-found", ""},
		"/v1/orders/confirmed": {409, "conflict", ""},
		"/v1/orders/reused":    {409, "idempotency-key-reused", ""},
		"/v1/orders/busy":      {503, "unavailable", "2"},
	} {
		t.Run(path, func(t *testing.T) {
			got := send(t, server, "GET", path, "", nil)
			if got.status != want.status || got.problem.Status != want.status ||
				got.problem.Type != "urn:quadrille:problem:"+want.code || got.problem.Title == "" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if got.header.Get("Retry-After") != want.retry {
				t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
			}
		})
	}
}

func TestMethodNotAllowedNamesTheOthers(t *testing.T) {
	got := send(t, newShop(t, io.Discard), "DELETE", "/v1/orders", "", nil)
	if allow := strings.Join(got.header.Values("Allow"), ","); got.status != 405 || allow != "GET,HEAD,POST" {
		t.Errorf("got %d, Allow %q, %s", got.status, allow, got.body)
	}
}
