package api

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

type listOrders struct {
	httpapi.Page
	CustomerID string       `query:"customer_id" minLength:"1" maxLength:"128"`
	Status     order.Status `query:"status" enum:"pending,confirmed,cancelled"`
}

type orderList struct{ Body httpapi.List[Order] }

func (a *API) list(ctx context.Context, in *listOrders) (*orderList, error) {
	var before store.Position
	if _, err := httpapi.DecodeCursor(in.Cursor, &before); err != nil {
		return nil, err
	}
	found, err := store.Orders(ctx, a.parts.DB, store.Filter{
		CustomerID: in.CustomerID, Status: in.Status, Before: before, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, problem(err)
	}
	items := make([]Order, len(found))
	for i, o := range found {
		items[i] = viewOf(o)
	}
	list, err := httpapi.NewList(items, in.Limit, func(o Order) store.Position {
		return store.Position{PlacedAt: o.PlacedAt, OrderID: o.ID}
	})
	return &orderList{list}, err
}

// Product that can be ordered, as this service last heard of it.
type Product struct {
	SKU     string `json:"sku"`
	Name    string `json:"name"`
	Price   Money  `json:"price"`
	Version int64  `json:"version"`
}

type productList struct{ Body httpapi.List[Product] }

type skuPosition struct {
	SKU string `json:"sku"`
}

func (a *API) products(ctx context.Context, in *struct{ httpapi.Page }) (*productList, error) {
	var after skuPosition
	if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := store.Products(ctx, a.parts.DB, after.SKU, in.Limit+1)
	if err != nil {
		return nil, problem(err)
	}
	items := make([]Product, len(found))
	for i, p := range found {
		items[i] = Product{p.SKU, p.Name, Money{p.Price, httpapi.CurrencyCode(p.Currency)}, p.Version}
	}
	list, err := httpapi.NewList(items, in.Limit, func(p Product) skuPosition { return skuPosition{p.SKU} })
	return &productList{list}, err
}
