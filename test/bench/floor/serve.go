package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// readers is how many orders are read at a time for their answers: the service's pool.
const readers = 8

// serve takes orders until ctx ends, and says where.
func (o *orders) serve(ctx context.Context, g *errgroup.Group, cfg config) error {
	pool, err := pgxpool.New(ctx, fmt.Sprintf("%s&pool_max_conns=%d", o.service.url, readers))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	listener, err := net.Listen("tcp", cfg.listen)
	if err != nil {
		pool.Close()
		return fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/orders", func(w http.ResponseWriter, r *http.Request) { o.place(w, r, pool) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	g.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	g.Go(func() error {
		defer pool.Close()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	fmt.Println(listener.Addr())
	return nil
}

// place answers once the order is committed, with the order as it is read then.
func (o *orders) place(w http.ResponseWriter, r *http.Request, pool *pgxpool.Pool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m := &message{
		scope: "POST /v1/orders", id: newOrderID(), key: newOrderID(), digest: digest(body), at: instant(),
		status: http.StatusAccepted, correlation: newOrderID(), cause: newOrderID(), trace: newTrace(),
		purchase: new(purchase),
	}
	if err := json.Unmarshal(body, m.purchase); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	committed := make(chan struct{})
	if err := o.service.send(r.Context(), m, func() { close(committed) }); err != nil {
		return
	}
	select {
	case <-committed:
	case <-r.Context().Done():
		return
	}
	state, err := read(r.Context(), pool, m.key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/v1/orders/"+m.key)
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(struct {
		ID         string    `json:"id"`
		CustomerID string    `json:"customer_id"`
		Status     string    `json:"status"`
		Version    int64     `json:"version"`
		Total      any       `json:"total"`
		Lines      []line    `json:"lines"`
		Steps      []any     `json:"steps"`
		Completed  bool      `json:"completed"`
		PlacedAt   time.Time `json:"placed_at"`
	}{
		m.key, state.first.CustomerID, state.status(), state.version,
		map[string]any{"amount": state.first.Total, "currency": state.first.Currency}, state.first.Lines, []any{},
		state.openSince() == nil, state.first.At,
	})
}

// read folds an order in a transaction that sees one snapshot.
func read(ctx context.Context, pool *pgxpool.Pool, id string) (*orderState, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, beginOne); err != nil {
		return nil, err
	}
	states, err := loadStreams(ctx, conn.Conn(), []string{id})
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "COMMIT"); err != nil {
		return nil, err
	}
	return states[id], nil
}
