package api

import (
	"context"
	"net/http"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/store"
)

// Product as clients see it.
type Product struct {
	SKU       string    `json:"sku"`
	Name      string    `json:"name"`
	Price     Money     `json:"price"`
	Available int64     `json:"available" doc:"Can be reserved"`
	Reserved  int64     `json:"reserved" doc:"Held for pending orders"`
	Sold      int64     `json:"sold" doc:"Belongs to confirmed orders"`
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

func productOf(p *stock.Product) Product {
	return Product{
		SKU: p.SKU, Name: p.Name, Price: Money{p.Price, httpapi.CurrencyCode(p.Currency)},
		Available: p.Available, Reserved: p.Reserved, Sold: p.Sold, Version: p.Version, UpdatedAt: p.UpdatedAt,
	}
}

type productBody struct{ Body Product }

type productList struct{ Body httpapi.List[Product] }

type skuPosition struct {
	SKU string `json:"sku"`
}

func (a *API) listProducts(ctx context.Context, in *struct{ httpapi.Page }) (*productList, error) {
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
		items[i] = productOf(p)
	}
	list, err := httpapi.NewList(items, in.Limit, func(p Product) skuPosition { return skuPosition{p.SKU} })
	return &productList{list}, err
}

func (a *API) getProduct(ctx context.Context, in *SKU) (*productBody, error) {
	return a.product(ctx, in.SKU)
}

func (a *API) product(ctx context.Context, sku string) (*productBody, error) {
	p, err := store.Product(ctx, a.parts.DB, sku)
	if err != nil {
		return nil, problem(err)
	}
	return &productBody{productOf(p)}, nil
}

type putProduct struct {
	SKU
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"200" example:"Green tea, 100 g"`
		Price Money  `json:"price"`
	}
}

func (a *API) putProduct(ctx context.Context, in *putProduct) (*productBody, error) {
	now := a.parts.Now()
	receipt, err := a.do(ctx, service.Command[stock.Message]{
		Body: in.Body, Key: in.SKU.SKU, Status: http.StatusOK, At: now,
		Input: stock.PutProduct{
			SKU: in.SKU.SKU, Name: in.Body.Name, Price: in.Body.Price.Amount, Currency: string(in.Body.Price.Currency),
			At: now, RepublishAfter: a.republishAfter,
		},
	})
	if err != nil {
		return nil, err
	}
	return a.product(ctx, receipt.Key)
}

type restock struct {
	SKU
	httpapi.Idempotency
	Body struct {
		Quantity int64 `json:"quantity" minimum:"1" maximum:"1000000000" example:"100"`
	}
}

func (a *API) restock(ctx context.Context, in *restock) (*productBody, error) {
	now := a.parts.Now()
	receipt, err := a.do(ctx, service.Command[stock.Message]{
		Idempotency: in.Key, Body: in.Body, Key: in.SKU.SKU, Status: http.StatusOK, At: now,
		Input: stock.Restock{SKU: in.SKU.SKU, Quantity: in.Body.Quantity, At: now},
	})
	if err != nil {
		return nil, err
	}
	body, err := a.product(ctx, receipt.Key)
	if err != nil {
		return nil, httpapi.DoneUnread(err) // again, it would be booked twice
	}
	return body, nil
}
