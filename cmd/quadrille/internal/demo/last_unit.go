package demo

import (
	"slices"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// lastUnit: fifty customers want the only one at the same time. One gets it, the others pay nothing.
func lastUnit(s *scene) {
	const buyers = 50
	cake := s.stocked(1)
	ids := s.placeAll(slices.Repeat([]client.Purchase{one(cake)}, buyers)...)
	won := 0
	for _, id := range ids {
		o, err := s.Completed(s.ctx, id)
		s.check(err)
		if o.Status == "confirmed" {
			won++
			s.ends(id, confirmed)
		} else {
			s.ends(id, soldOut)
		}
	}
	if won != 1 {
		s.fail("%d of %d buyers got the last one", won, buyers)
	}
	s.levels(cake, 1, 1)
	s.saw("1 of %d confirmed, %d out of stock", buyers, buyers-won)
}
