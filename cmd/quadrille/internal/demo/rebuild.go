package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// rebuild: a read model holds nothing that its events do not. It is made anew while orders come, and nobody hears of
// it. What was wrong in it is right afterwards.
func rebuild(s *scene) {
	tea, cake := s.stocked(others), s.stocked(crowd)
	for _, id := range s.placeAll(slices.Repeat([]client.Purchase{s.own(tea)}, others)...) {
		s.ends(id, confirmed)
	}
	before := s.listed(tea)
	events := s.tape.sizes()
	if s.site != nil {
		s.garble(before, tea)
		if before.same(s.listed(tea)) == nil {
			s.fail("the lists show nothing of what is wrong in the tables")
		}
	}

	// One order after another, until both are done.
	ctx, cancel := context.WithCancel(s.ctx)
	placed := make(chan []string, 1)
	var failed error
	go func() {
		var ids []string
		for len(ids) == 0 || ctx.Err() == nil && len(ids) < crowd && failed == nil {
			o, err := s.Place(s.ctx, s.own(cake))
			ids, failed = append(ids, o.ID), err
		}
		placed <- ids
	}()
	began := time.Now()
	models := []string{"orders", "catalogue"}
	var err error
	for _, model := range models {
		if err = s.rebuilt(model); err != nil {
			break
		}
	}
	took := time.Since(began)
	cancel()
	ids := <-placed
	s.check(firstOf(err, failed))

	s.check(before.same(s.listed(tea)))
	for _, id := range ids {
		s.ends(id, confirmed)
	}
	for _, o := range s.listed(cake).orders {
		s.check(confirmed.of(o))
	}
	s.levels(tea, others, others)
	s.levels(cake, crowd, int64(len(ids)))
	if s.site != nil { // elsewhere others may be at work
		s.check(onlyAbout(ids, events, s.tape.sizes()))
	}
	repaired := "nothing garbled, for the database is not ours"
	if s.site != nil {
		repaired = "a garbled order and a garbled price repaired"
	}
	s.saw("%s rebuilt in %d ms while %d orders came; %s", strings.Join(models, " and "), took.Milliseconds(),
		len(ids), repaired)
}

// onlyAbout checks that no records came of other keys than ids.
func onlyAbout(ids []string, before, after map[string]int) error {
	for key, n := range after {
		if n > before[key] && !slices.Contains(ids, key) {
			return fmt.Errorf("%d records of %s came to Kafka", n-before[key], key)
		}
	}
	return nil
}

// own buys one unit in the name of a customer who buys nothing else.
func (s *scene) own(sku string) client.Purchase {
	bought := one(sku)
	bought.CustomerID = "for-" + sku
	return bought
}

// lists are what the order service lists of the orders of a product, and its price.
type lists struct {
	orders []client.Order
	price  client.Money
}

func (s *scene) listed(sku string) (l lists) {
	var page struct {
		Items []client.Order `json:"items"`
	}
	query := url.Values{"customer_id": {s.own(sku).CustomerID}, "limit": {"100"}}
	_, err := s.Call(s.ctx, http.MethodGet, "http://"+s.Services["order"]+"/v1/orders?"+query.Encode(), nil, &page)
	s.check(err)
	if l.orders = page.Items; len(l.orders) == 0 {
		s.fail("no order of %s is listed", sku)
	}
	products, err := s.Products(s.ctx, "order")
	s.check(err)
	for _, p := range products {
		if p.SKU == sku {
			l.price = p.Price
			return l
		}
	}
	s.fail("%s is not listed", sku)
	return l
}

// same checks that other lists say the same.
func (l lists) same(other lists) error {
	if l.price != other.price {
		return fmt.Errorf("the listed price was %+v and is %+v", l.price, other.price)
	}
	if len(l.orders) != len(other.orders) {
		return fmt.Errorf("%d orders were listed and %d are", len(l.orders), len(other.orders))
	}
	for i, o := range l.orders {
		if now := other.orders[i]; !reflect.DeepEqual(o, now) {
			return fmt.Errorf("the list had %+v and has %+v", o, now)
		}
	}
	return nil
}

// garble changes an order and a product in the tables that are read, and in no event.
func (s *scene) garble(l lists, sku string) {
	db, err := sqldb.Open(s.ctx, "sqlite://"+filepath.ToSlash(filepath.Join(s.site.data, "order.db")),
		sqldb.WithoutFileLock())
	s.check(err)
	defer func() { s.err = errors.Join(s.err, db.Close()) }()
	s.until("the garbled rows", func() error {
		return db.Tx(s.ctx, func(tx *sqldb.Tx) error {
			rows := int64(0)
			for _, suffix := range []string{"", "_2"} {
				orders, err1 := tx.Exec(s.ctx, `UPDATE orders`+suffix+` SET status = 'cancelled' WHERE order_id = $1`,
					l.orders[0].ID)
				products, err2 := tx.Exec(s.ctx, `UPDATE catalogue`+suffix+` SET price = 1 WHERE sku = $1`, sku)
				if err := firstOf(err1, err2); err != nil {
					return err
				}
				rows += orders + products
			}
			if rows != 2 {
				return fmt.Errorf("%d rows were changed", rows)
			}
			return nil
		})
	})
}

// rebuilt has a read model of the order service made anew and waits for its end.
func (s *scene) rebuilt(model string) error {
	if _, err := s.StartRebuild(s.ctx, model, operator); err != nil {
		return err
	}
	return client.Until(s.ctx, "the rebuild of "+model, func() error {
		now, err := s.Rebuild(s.ctx, model)
		if err == nil && (now.State != "done" || now.Done == 0) {
			err = fmt.Errorf("it is %s after %d: %s", now.State, now.Done, now.Error)
		}
		return err
	})
}
