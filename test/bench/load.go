package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	orderLines = 3
	// maxWaiting bounds the requests under way. What is due beyond it goes out late, and its latency counts from when
	// it was due.
	maxWaiting = 1024
	// tick is how often the load looks for what is due.
	tick = time.Millisecond
)

// placed is an order that was accepted.
type placed struct {
	id  string
	due time.Time // when the load asked for it
}

// load places orders at a fixed rate, whatever becomes of the earlier ones.
type load struct {
	url    string
	client *http.Client
	skus   int

	mu      sync.Mutex
	placed  []placed
	refused int
	why     error // of the first refusal
}

func newLoad(order string, skus int) *load {
	return &load{url: "http://" + order + "/v1/orders", skus: skus, client: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConns: maxWaiting, MaxIdleConnsPerHost: maxWaiting, DisableCompression: true},
	}}
}

// run places orders for d and returns once all of them are answered.
func (l *load) run(ctx context.Context, rate int, d time.Duration) {
	l.placed, l.refused, l.why = nil, 0, nil
	waiting := make(chan struct{}, maxWaiting)
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	started := time.Now()
	total := int(d.Seconds() * float64(rate))
	for n := 0; n < total; {
		due := min(int(time.Since(started).Seconds()*float64(rate))+1, total)
		for ; n < due; n++ {
			at := started.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
			waiting <- struct{}{}
			running.Go(func() {
				defer func() { <-waiting }()
				l.place(ctx, n, at)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *load) place(ctx context.Context, n int, due time.Time) {
	id, err := l.post(ctx, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.refused++; l.why == nil {
			l.why = err
		}
		return
	}
	l.placed = append(l.placed, placed{id, due})
}

// post returns the id of the order that it placed.
func (l *load) post(ctx context.Context, n int) (string, error) {
	var lines []string
	for i := range orderLines {
		// Neighbours share no sku, so that a batch spreads over many.
		lines = append(lines, fmt.Sprintf(`{"sku":%q,"quantity":1}`, sku((n*orderLines+i)%l.skus)))
	}
	body := `{"customer_id":"bench","email":"ada@example.com","payment_method":"tok_visa","lines":[` +
		strings.Join(lines, ",") + `]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := l.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %s", res.Status, answer)
	}
	return strings.TrimPrefix(res.Header.Get("Location"), "/v1/orders/"), nil
}
