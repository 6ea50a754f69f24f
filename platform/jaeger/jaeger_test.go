package jaeger_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

func open(t *testing.T, status int, body string) *jaeger.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := jaeger.New(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Spans come in any order, some before their parents, some without.
func TestATreeOfWhatThereIs(t *testing.T) {
	c := open(t, http.StatusOK, `{"data":[{"traceID":"t","processes":{"p":{"serviceName":"order"}},"spans":[
		{"spanID":"c","operationName":"late","startTime":30,"duration":100,"processID":"p",
			"references":[{"refType":"CHILD_OF","traceID":"t","spanID":"a"}]},
		{"spanID":"b","operationName":"early","startTime":20,"duration":5,"processID":"p",
			"references":[{"refType":"CHILD_OF","traceID":"t","spanID":"a"}]},
		{"spanID":"d","operationName":"orphan","startTime":40,"duration":1,"processID":"p",
			"references":[{"refType":"CHILD_OF","traceID":"t","spanID":"gone"}]},
		{"spanID":"a","operationName":"root","startTime":10,"duration":50,"processID":"p","references":[]}]}]}`)
	trace, err := c.Read(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	var walk func(nodes []*jaeger.Node, depth int)
	walk = func(nodes []*jaeger.Node, depth int) {
		for _, n := range nodes {
			seen = append(seen, fmt.Sprint(depth, " ", n.Name))
			walk(n.Children, depth+1)
		}
	}
	walk(trace.Tree(), 0)
	if want := []string{"0 root", "1 early", "1 late", "0 orphan"}; !slices.Equal(seen, want) {
		t.Errorf("tree %q, want %q", seen, want)
	}
	if took := trace.Duration().Microseconds(); took != 120 {
		t.Errorf("the trace took %d µs, want 120", took)
	}
	if empty := (jaeger.Trace{}); empty.Duration() != 0 || len(empty.Tree()) != 0 {
		t.Error("an empty trace is not")
	}
}

func TestATraceThatIsNotThereHasNoSpans(t *testing.T) {
	c := open(t, http.StatusNotFound, `{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}`)
	trace, err := c.Read(t.Context(), "t")
	if err != nil || len(trace.Spans) != 0 || trace.ID != "t" {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestWhatIsNoJaegerIsTold(t *testing.T) {
	for name, c := range map[string]*jaeger.Client{
		"an error":     open(t, http.StatusBadGateway, "gone"),
		"another page": open(t, http.StatusOK, "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.Find(t.Context(), "order", nil); !errors.Is(err, jaeger.ErrAway) {
				t.Errorf("error %v", err)
			}
		})
	}
	for _, address := range []string{"", "127.0.0.1:16686", "ftp://127.0.0.1", "http://"} {
		if _, err := jaeger.New(address); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
}
