package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// ask asks the admin API and decodes the answer.
func ask[T any](t *testing.T, s served, method, path, operator, body string) (status int, answer T) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if operator != "" {
		request.Header.Set(httpapi.OperatorHeader, operator)
	}
	recorder := httptest.NewRecorder()
	s.admin.ServeHTTP(recorder, request)
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s answered %d %s: %v", method, path, recorder.Code, recorder.Body, err)
	}
	return recorder.Code, answer
}

// Each order waits for what its status says, since that status began; one whose saga has ended is not listed.
func TestSagasTellWhatTheyWaitFor(t *testing.T) {
	s := open(t)
	now := event.Now(time.Now)
	stories := []struct {
		answers []order.Answer
		cancel  bool
		want    []string // nil: it has ended
	}{
		{nil, false, []string{"StockReserved", "PaymentAuthorized"}},
		{[]order.Answer{order.StockReserved{}}, false, []string{"PaymentAuthorized"}},
		{[]order.Answer{order.StockReserved{}, order.PaymentAuthorized{}}, false, []string{"StockCommitted", "PaymentCaptured"}},
		{[]order.Answer{order.StockReserved{}, order.PaymentAuthorized{}, order.PaymentCaptured{}}, false, []string{"StockCommitted"}},
		{[]order.Answer{
			order.StockReserved{}, order.PaymentAuthorized{}, order.PaymentCaptured{}, order.StockCommitted{},
		}, false, nil},
		{[]order.Answer{
			order.StockReserved{}, order.PaymentAuthorized{}, order.PaymentCaptured{}, order.StockCommitted{},
		}, true, []string{"StockReleased", "PaymentRefunded"}},
		{[]order.Answer{order.StockReservationFailed{}, order.StockReleased{}}, false, []string{"PaymentVoided"}},
		{[]order.Answer{order.StockReservationFailed{}, order.StockReleased{}, order.PaymentVoided{}}, false, nil},
	}
	want := make(map[string][]string)
	for i, story := range stories {
		id, at := event.NewID(), now.Add(time.Duration(i-100)*time.Minute)
		s.do(order.Place{
			OrderID: id, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa",
			Lines: []order.Item{{SKU: "tea", Quantity: 1}}, At: at, Timeout: time.Hour,
		})
		for _, a := range story.answers {
			s.do(order.Answered{OrderID: id, At: at, Answer: a})
		}
		if story.cancel {
			s.do(order.Cancel{OrderID: id, At: at})
		}
		if story.want != nil {
			want[fmt.Sprint(id, " since ", at)] = story.want
		}
	}
	got := make(map[string][]string)
	cursor, last := "", time.Time{}
	for {
		status, page := ask[httpapi.List[api.Saga]](t, s, http.MethodGet, "/admin/v1/sagas?older_than=0s&limit=2"+cursor, "", "")
		if status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
		for _, saga := range page.Items {
			got[fmt.Sprint(saga.OrderID, " since ", saga.Since)] = saga.WaitingFor
			if saga.Since.Before(last) || !saga.Stuck {
				t.Errorf("out of its order, or not stuck: %+v", saga)
			}
			last = saga.Since
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sagas (-want +got):\n%s", diff)
	}
	for query, n := range map[string]int{"": 6, "?older_than=98m": 3, "?older_than=200m": 0} {
		if _, page := ask[httpapi.List[api.Saga]](t, s, http.MethodGet, "/admin/v1/sagas"+query, "", ""); len(page.Items) != n {
			t.Errorf("%q lists %d, want %d", query, len(page.Items), n)
		}
	}
	if status, _ := ask[any](t, s, http.MethodGet, "/admin/v1/sagas?older_than=soon", "", ""); status != 422 {
		t.Errorf("an age that is none: %d", status)
	}
}

func TestARebuildIsAskedForByName(t *testing.T) {
	s := open(t)
	const path, body = "/admin/v1/rebuilds", `{"model":"orders"}`
	for name, test := range map[string]struct {
		method, path, operator, body string
		want                         int
	}{
		"by nobody":           {http.MethodPost, path, "", body, 400},
		"of no model":         {http.MethodPost, path, "ada", `{}`, 422},
		"of an unknown model": {http.MethodPost, path, "ada", `{"model":"letters"}`, 404},
		"never, of orders":    {http.MethodGet, path + "/orders", "", "", 404},
		"never, of letters":   {http.MethodGet, path + "/letters", "", "", 404},
	} {
		if status, answer := ask[any](t, s, test.method, test.path, test.operator, test.body); status != test.want {
			t.Errorf("%s: %d, want %d: %v", name, status, test.want, answer)
		}
	}
	status, begun := ask[api.Rebuild](t, s, http.MethodPost, path, "ada", body)
	if status != http.StatusAccepted || begun.State != "running" || begun.Operator != "ada" || begun.EndedAt != nil {
		t.Errorf("begun: %d %+v", status, begun)
	}
	if status, _ := ask[any](t, s, http.MethodPost, path, "bob", body); status != http.StatusConflict {
		t.Errorf("a second one: %d", status)
	}
	if status, now := ask[api.Rebuild](t, s, http.MethodGet, path+"/orders", "", ""); status != 200 || !cmp.Equal(now, begun) {
		t.Errorf("looked at: %d %+v", status, now)
	}
}
