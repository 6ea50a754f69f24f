package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// Levels of a product's stock.
type Levels struct {
	Available int64 `json:"available"`
	Reserved  int64 `json:"reserved"`
	Sold      int64 `json:"sold"`
}

// Levels returns those of a product.
func (c *Client) Levels(ctx context.Context, sku string) (Levels, error) {
	return get[Levels](ctx, c, c.Services["inventory"], "/v1/products/"+sku)
}

// Stock puts a product on sale, adds to its stock and waits until order knows it.
func (c *Client) Stock(ctx context.Context, sku string, price Money, quantity int64) error {
	if err := c.Supply(ctx, sku, price, quantity); err != nil {
		return err
	}
	return Until(ctx, "order to know "+sku, func() error {
		known, err := c.OnSale(ctx)
		if err == nil && !slices.Contains(known, sku) {
			err = fmt.Errorf("it knows %d products without it", len(known))
		}
		return err
	})
}

// Supply puts a product on sale and adds to its stock. Order hears of it later.
func (c *Client) Supply(ctx context.Context, sku string, price Money, quantity int64) error {
	product := "http://" + c.Services["inventory"] + "/v1/products/" + sku
	put := map[string]any{"name": sku, "price": price}
	if _, err := c.Call(ctx, http.MethodPut, product, put, nil); err != nil {
		return err
	}
	_, err := c.Call(ctx, http.MethodPost, product+"/restocks", map[string]any{"quantity": quantity}, nil)
	return err
}

// OnSale returns the products that order knows.
func (c *Client) OnSale(ctx context.Context) ([]string, error) {
	type product struct {
		SKU string `json:"sku"`
	}
	known, err := all[product](ctx, c, c.Services["order"], "/v1/products", most())
	skus := make([]string, len(known))
	for i, p := range known {
		skus[i] = p.SKU
	}
	return skus, err
}

// Product as inventory shows it, and, without its levels, as order knows it.
type Product struct {
	SKU     string `json:"sku"`
	Name    string `json:"name"`
	Price   Money  `json:"price"`
	Version int64  `json:"version"`
	Levels
}

// Products returns those that a service lists: inventory's own, or what order has heard of them.
func (c *Client) Products(ctx context.Context, service string) ([]Product, error) {
	return all[Product](ctx, c, c.Services[service], "/v1/products", most())
}

// Reservation is what is held for an order.
type Reservation struct {
	Status string `json:"status"` // none, reserved, failed, committed or released
	Lines  []Line `json:"lines"`
}

// Reservation returns that of an order.
func (c *Client) Reservation(ctx context.Context, orderID string) (Reservation, error) {
	return get[Reservation](ctx, c, c.Services["inventory"], "/v1/reservations/"+orderID)
}
