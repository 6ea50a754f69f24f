package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// OrderID is a path parameter.
type OrderID struct {
	ID string `path:"id" format:"uuid"`
}

type getOrder struct {
	OrderID
	httpapi.LongPoll
	Version int64     `query:"version" minimum:"1" doc:"The order as it was after its event of this number"`
	At      time.Time `query:"at" doc:"The order as it was at this instant, which must have passed"`
}

type orderBody struct{ Body Order }

func (a *API) get(ctx context.Context, in *getOrder) (*orderBody, error) {
	if in.At.After(a.parts.Now()) {
		return nil, httpapi.Invalid("at", httpapi.FieldLarge, "must not be in the future")
	}
	until := store.Until{Version: in.Version, At: in.At}
	past := until != store.Until{}
	if past && in.Wait.Duration() > 0 {
		return nil, httpapi.Invalid("wait", httpapi.FieldInvalid, "does not go with version or at, which never change")
	}
	if !past && in.Wait.Duration() > 0 {
		return a.await(ctx, in)
	}
	o, err := store.Order(ctx, a.parts.DB, in.ID, until)
	if err != nil {
		return nil, problem(err)
	}
	return &orderBody{viewOf(o)}, nil
}

// await registers first and reads then, so that no change falls between.
func (a *API) await(ctx context.Context, in *getOrder) (*orderBody, error) {
	changed, forget := a.waiters.Register(in.ID)
	defer forget()
	view, err := a.read(ctx, in.ID)
	if err != nil || view.Status != order.StatusPending {
		return &orderBody{view}, err
	}
	waiting, cancel := in.Wait.Context(ctx)
	defer cancel()
	select {
	case <-changed:
	case <-waiting.Done():
	}
	view, err = a.read(ctx, in.ID)
	return &orderBody{view}, err
}

// read returns an order as it stands now.
func (a *API) read(ctx context.Context, id string) (Order, error) {
	o, err := store.Order(ctx, a.parts.DB, id, store.Until{})
	if err != nil {
		return Order{}, problem(err)
	}
	return viewOf(o), nil
}
