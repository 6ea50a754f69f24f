package schemas_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// TestTheCatalogueNamesWhoReallyReads looks from the other side: a service that reads what is not granted does not
// start, but nobody would miss a reader that the catalogue names and that does not read.
func TestTheCatalogueNamesWhoReallyReads(t *testing.T) {
	reads := map[string][]serde.Type{
		order.Name:        order.Definition(order.Config{}).Consumes,
		inventory.Name:    inventory.Definition(inventory.Config{}).Consumes,
		payment.Name:      payment.Definition(payment.Config{}).Consumes,
		notification.Name: notification.Definition(notification.Config{}).Consumes,
	}
	for _, r := range schemas.Records() {
		var readers []string
		for service, types := range reads {
			if slices.ContainsFunc(types, func(t serde.Type) bool { return t.Name == r.Name }) {
				readers = append(readers, service)
			}
		}
		slices.Sort(readers)
		if diff := cmp.Diff(readers, slices.Sorted(slices.Values(r.Consumers))); diff != "" {
			t.Errorf("%s is read by the first, the catalogue says the second:\n%s", r.Name, diff)
		}
	}
}
