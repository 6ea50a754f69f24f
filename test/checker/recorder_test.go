package checker

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// transport answers requests in memory.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestARecorderNotesWhatAsksForAChange(t *testing.T) {
	recorder := &Recorder{Base: transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"lines":[]}` {
			t.Errorf("the service got %q (%v)", body, err)
		}
		switch r.URL.Path {
		case "/v1/lost":
			return nil, errors.New("connection reset")
		case "/v1/refused":
			return &http.Response{StatusCode: http.StatusConflict, Body: http.NoBody}, nil
		}
		header := http.Header{"Location": {"/v1/orders/7"}}
		return &http.Response{StatusCode: http.StatusAccepted, Header: header, Body: http.NoBody}, nil
	})}
	caller := &http.Client{Transport: recorder}
	for _, path := range []string{"/v1/orders", "/v1/lost", "/v1/refused"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://order"+path,
			strings.NewReader(`{"lines":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "k")
		res, err := caller.Do(req)
		if lost := path == "/v1/lost"; (err != nil) != lost {
			t.Errorf("%s: %v", path, err)
		} else if !lost {
			res.Body.Close()
		}
	}
	want := []Sent{
		{"POST", "/v1/orders", "k", []byte(`{"lines":[]}`), 202, "7"},
		{"POST", "/v1/lost", "k", []byte(`{"lines":[]}`), 0, ""},
		{"POST", "/v1/refused", "k", []byte(`{"lines":[]}`), 409, ""},
	}
	if diff := cmp.Diff(want, recorder.Sent()); diff != "" {
		t.Error("noted (-want +got):\n" + diff)
	}
}

func TestARecorderPassesOverWhatOnlyReads(t *testing.T) {
	recorder := &Recorder{Base: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})}
	res, err := (&http.Client{Transport: recorder}).Get("http://order/v1/orders")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if sent := recorder.Sent(); sent == nil || len(sent) != 0 {
		t.Errorf("noted %v, want none, but not nil", sent)
	}
}
