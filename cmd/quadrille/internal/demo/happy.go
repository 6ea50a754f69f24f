package demo

import (
	"github.com/quadrille-platform/quadrille/platform/client"
)

// happyPath: stock and payment answer, in whichever order; then the order is confirmed and both do their second part.
func happyPath(s *scene) {
	tea := s.stocked(10)
	placed := s.place("tok_visa", tea, 2)
	o := s.ends(placed.ID, confirmed)
	if o.Total != (client.Money{Amount: 2 * price.Amount, Currency: price.Currency}) {
		s.fail("two at %d cost %+v", price.Amount, o.Total)
	}
	s.levels(tea, 10, 2)
	s.saw("confirmed, 2 sold, %d %s taken", o.Total.Amount, o.Total.Currency)
}

// salesChannel: the field came with version 2 of the schema; orders with and without it are placed alike.
func salesChannel(s *scene) {
	tea := s.stocked(10)
	bought := client.Buy("tok_visa", client.Line{SKU: tea, Quantity: 1})
	bought.SalesChannel = "web"
	o, err := s.Place(s.ctx, bought)
	s.check(err)
	silent := s.place("tok_visa", tea, 1)
	if o = s.ends(o.ID, confirmed); o.SalesChannel != "web" {
		s.fail("the order shows the sales channel %q", o.SalesChannel)
	}
	s.ends(silent.ID, confirmed)
	for id, want := range map[string]string{o.ID: "web", silent.ID: ""} {
		event, err := s.tape.await(s.ctx, id, "OrderPlaced")
		s.check(err)
		if got := channelOf(event); got != want {
			s.fail("OrderPlaced carries the sales channel %q, not %q", got, want)
		}
	}
	s.levels(tea, 10, 2)
	s.saw("sales_channel web beside none")
}
