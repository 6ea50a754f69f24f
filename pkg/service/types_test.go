package service

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func TestTypes(t *testing.T) {
	record := func(name, topic string) serde.Type {
		return serde.Type{Name: name, Topic: topic, Schema: "{}", New: func() event.Data { return nil }}
	}
	all := []serde.Type{
		record("quadrille.order.OrderPlaced", "order.events"), record("quadrille.order.ReOrderPlaced", "order.events"),
		record("quadrille.payment.PaymentVoided", "payment.events"),
	}
	got := Types(all, "PaymentVoided", "OrderPlaced")
	if len(got) != 2 || got[0].Name != all[2].Name || got[1].Name != all[0].Name {
		t.Errorf("types %v", got)
	}
	if diff := cmp.Diff([]string{"order.events", "payment.events"}, topics(all)); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}

	defer func() {
		if reason, _ := recover().(string); !strings.Contains(reason, "OrderPlacd") {
			t.Errorf("panic %q does not name what is unknown", reason)
		}
	}()
	Types(all, "OrderPlaced", "OrderPlacd")
	t.Error("no panic for an unknown name")
}

func TestOwnedAreTheTypesThatAServicePublishes(t *testing.T) {
	all := []serde.Type{
		{Name: "quadrille.order.OrderPlaced", Owner: "order"},
		{Name: "quadrille.inventory.StockReserved", Owner: "inventory"},
		{Name: "quadrille.order.OrderCancelled", Owner: "order"},
	}
	got := Owned(all, "order")
	if len(got) != 2 || got[0].Name != all[0].Name || got[1].Name != all[2].Name {
		t.Errorf("owned %v", got)
	}
	if got := Owned(all, "console"); len(got) != 0 {
		t.Errorf("a service that owns nothing publishes %v", got)
	}
}
