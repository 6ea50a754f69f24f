package api

import (
	"context"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

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
	Version int64   `query:"version" minimum:"1" doc:"The order as it was after its event of this number"`
	At      instant `query:"at" doc:"The order as it was at this instant, which must have passed"`
}

// instant is a time that may be left out: the zero time is one that can be asked for.
type instant struct {
	Time  time.Time
	given bool
}

var (
	_ huma.ParamWrapper   = (*instant)(nil)
	_ huma.ParamReactor   = (*instant)(nil)
	_ huma.SchemaProvider = instant{}
)

// Receiver has huma parse the time.
func (i *instant) Receiver() reflect.Value { return reflect.ValueOf(&i.Time).Elem() }

// OnParamSet learns whether there is one.
func (i *instant) OnParamSet(given bool, _ any) { i.given = given }

// Schema is that of a time.
func (instant) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[time.Time]())
}

type orderBody struct{ Body Order }

func (a *API) get(ctx context.Context, in *getOrder) (*orderBody, error) {
	if in.At.Time.After(a.parts.Now()) {
		return nil, httpapi.Invalid("at", httpapi.FieldLarge, "must not be in the future")
	}
	past := in.Version > 0 || in.At.given
	if past && in.Wait.Duration() > 0 {
		return nil, httpapi.Invalid("wait", httpapi.FieldInvalid, "does not go with version or at, which never change")
	}
	if !past && in.Wait.Duration() > 0 {
		return a.await(ctx, in)
	}
	if in.At.given && in.At.Time.IsZero() { // which the store would take for no bound
		return nil, problem(store.ErrNotFound)
	}
	o, err := store.Order(ctx, a.parts.DB, in.ID, store.Until{Version: in.Version, At: in.At.Time})
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
