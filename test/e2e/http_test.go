package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestAnIdempotencyKeyMakesOneOrder(t *testing.T) {
	p := up(t, "--ephemeral")
	url := "http://" + p.Services["order"] + "/v1/orders"
	body := func(quantity int) map[string]any {
		return map[string]any{
			"customer_id": "ada", "email": "ada@example.com", "payment_method": "tok_visa",
			"lines": []line{{"tea-001", int64(quantity)}},
		}
	}
	key := map[string]string{"Idempotency-Key": "once"}
	ids, locations := make([]string, 50), make([]string, 50)
	var senders sync.WaitGroup
	for i := range ids {
		senders.Go(func() {
			var o order
			res, err := call(http.MethodPost, url, key, body(1), &o)
			if err != nil || res.StatusCode != http.StatusAccepted {
				t.Errorf("%v: %v", res, err)
				return
			}
			ids[i], locations[i] = o.ID, res.Header.Get("Location")
		})
	}
	senders.Wait()
	for i := range ids {
		if ids[i] == "" || ids[i] != ids[0] || locations[i] != "/v1/orders/"+ids[0] {
			t.Fatalf("copy %d made %q at %q, the first %q", i, ids[i], locations[i], ids[0])
		}
	}
	p.completed(t, ids[0])
	var again order
	if _, err := call(http.MethodPost, url, key, body(1), &again); err != nil || again.Status != "confirmed" {
		t.Errorf("a late copy got %+v (%v), not the order as it stands now", again, err)
	}
	res, err := call(http.MethodPost, url, key, body(2), nil)
	if res == nil || res.StatusCode != http.StatusConflict {
		t.Errorf("the key with another body: %v", err)
	}
	if l := p.levels(t, "tea-001"); l.Sold != 1 {
		t.Errorf("sold %d, want 1", l.Sold)
	}
}

func TestPagesHoldEveryOrderOnce(t *testing.T) {
	p := up(t, "--ephemeral")
	placed := make(map[string]bool)
	for range 25 {
		placed[p.place(t, "tok_visa", line{"tea-001", 1}).ID] = true
	}
	cursor, pages := "", 0
	for {
		var page struct {
			Items      []order
			NextCursor string `json:"next_cursor"`
		}
		url := "http://" + p.Services["order"] + "/v1/orders?limit=10&customer_id=ada"
		if cursor != "" {
			url += "&cursor=" + cursor
		}
		if _, err := call(http.MethodGet, url, nil, nil, &page); err != nil {
			t.Fatal(err)
		}
		pages++
		for _, o := range page.Items {
			if !placed[o.ID] {
				t.Errorf("%s is listed twice, or was never placed", o.ID)
			}
			delete(placed, o.ID)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(placed) > 0 || pages != 3 {
		t.Errorf("%d orders are missing after %d pages", len(placed), pages)
	}
}

func TestALongPollEndsWithTheChange(t *testing.T) {
	p := up(t, "--ephemeral")
	url := "http://" + p.Services["order"] + "/v1/orders/"
	var waiters sync.WaitGroup
	for range 20 {
		waiters.Go(func() {
			placed, err := placeAt(p.Services["order"], "tok_slow", line{"tea-001", 1})
			if err != nil {
				t.Error(err)
				return
			}
			var o order
			if _, err := call(http.MethodGet, url+placed.ID+"?wait=30s", nil, nil, &o); err != nil || o.Status != "confirmed" {
				t.Errorf("the poll ended with %+v (%v)", o, err)
			}
		})
	}
	waiters.Wait()

	var o order
	stuck := p.place(t, "tok_timeout", line{"tea-001", 1})
	if _, err := call(http.MethodGet, url+stuck.ID+"?wait=100ms", nil, nil, &o); err != nil || o.Status != "pending" {
		t.Errorf("a poll whose time is over got %+v (%v)", o, err)
	}
}

func TestTheClockCancelsAnOrderThatStaysPending(t *testing.T) {
	p := up(t, "--ephemeral", "--set", "QUADRILLE_ORDER_TIMEOUT=1s", "--set", "QUADRILLE_GATEWAY_TIMEOUT=500ms")
	placed := p.place(t, "tok_timeout", line{"tea-001", 1})
	o := p.completed(t, placed.ID)
	if o.Status != "cancelled" || o.Reason != "timed_out" {
		t.Errorf("ended as %+v", o)
	}
	if l := p.levels(t, "tea-001"); l.Reserved != 0 || l.Sold != 0 {
		t.Errorf("stock is %+v", l)
	}
}

func TestEveryTokenLeadsToItsEnd(t *testing.T) {
	p := up(t, "--ephemeral")
	tests := []struct{ token, end string }{
		{"tok_visa", "confirmed  committed captured"},
		{"tok_flaky", "confirmed  committed captured"},
		{"tok_slow", "confirmed  committed captured"},
		{"tok_declined", "cancelled payment_declined released voided"},
		{"tok_insufficient_funds", "cancelled payment_declined released voided"},
		{"tok_capture_declined", "cancelled payment_failed released voided"},
		{"tok_refund_declined", "confirmed  committed captured"},
	}
	for _, tt := range tests {
		t.Run(tt.token, func(t *testing.T) {
			o := p.completed(t, p.place(t, tt.token, line{"tea-001", 1}).ID)
			if end := fmt.Sprintf("%s %s %s %s", o.Status, o.Reason, o.Steps[0].Status, o.Steps[1].Status); end != tt.end {
				t.Errorf("ended as %q, want %q", end, tt.end)
			}
		})
	}
	t.Run("a customer cancels before and after confirmation", func(t *testing.T) {
		for _, token := range []string{"tok_slow", "tok_visa"} {
			placed := p.place(t, token, line{"tea-001", 1})
			url := "http://" + p.Services["order"] + "/v1/orders/" + placed.ID
			if token == "tok_visa" {
				p.completed(t, placed.ID)
			}
			var o order
			if _, err := call(http.MethodPost, url+"/cancellation", nil, map[string]string{"reason": "Changed my mind"}, &o); err != nil {
				t.Fatal(err)
			}
			if o = p.completed(t, placed.ID); o.Status != "cancelled" || o.Reason != "customer_request" {
				t.Errorf("%s ended as %+v", token, o)
			}
			var second order
			res, err := call(http.MethodPost, url+"/cancellation", nil, map[string]string{"reason": "Again"}, &second)
			if err != nil || res.StatusCode != http.StatusAccepted || second.Version != o.Version {
				t.Errorf("a second cancellation: %+v (%v)", second, err)
			}
		}
	})
}

func TestTimeTravelShowsAnOrderAsItWas(t *testing.T) {
	p := up(t, "--ephemeral")
	placed := p.place(t, "tok_visa", line{"tea-001", 1})
	url := "http://" + p.Services["order"] + "/v1/orders/" + placed.ID
	last := p.completed(t, placed.ID)
	want := []string{"pending", "pending", "pending", "confirmed"}
	for version := int64(1); version <= last.Version; version++ {
		var o order
		if _, err := call(http.MethodGet, fmt.Sprintf("%s?version=%d", url, version), nil, nil, &o); err != nil {
			t.Fatal(err)
		}
		if o.Version != version || version <= 4 && o.Status != want[version-1] {
			t.Errorf("version %d is %+v", version, o)
		}
	}
	if res, err := call(http.MethodGet, fmt.Sprintf("%s?version=%d", url, last.Version+1), nil, nil, nil); err == nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("a version to come: %v", err)
	}
	var before order
	early := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	if res, err := call(http.MethodGet, url+"?at="+early, nil, nil, &before); err == nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("an hour before it was placed: %+v, %v", before, err)
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	if _, err := call(http.MethodGet, url+"?at="+now, nil, nil, &before); err != nil || before.Version != last.Version {
		t.Errorf("now: %+v, %v", before, err)
	}
}
