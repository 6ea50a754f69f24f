package deadletter

import (
	"errors"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
)

// ErrConfirm says that nobody was there to be asked. The command line lacks --yes.
var ErrConfirm = errors.New("nobody can be asked here: give --yes to")

// Choice of the letters that a ruling is about: by name, or by a filter.
type Choice struct {
	Letters []letterID `arg:"" optional:"" help:"Letters, such as order/17; without them, those that the filter names."`
	Filter
	All bool `help:"All there are, if no other filter is given."`
	operate.Operator
	Rate int  `help:"At most so many letters a second." default:"10"`
	Yes  bool `short:"y" help:"Do not ask."`
	JSON bool `help:"Print what was done as JSON, an object a line; asks nothing, so that a filter needs --yes."`
}

func (c Choice) validate() error {
	filtered := c.Topic != "" || c.Key != "" || c.Type != "" || c.Class != "" || c.OlderThan != "" || len(c.Service) > 0
	switch {
	case c.Rate < 1:
		return errors.New("--rate must be at least 1")
	case len(c.Letters) > 0 && (filtered || c.All):
		return errors.New("give letters or a filter, not both")
	case len(c.Letters) == 0 && !filtered && !c.All:
		return errors.New("give letters such as order/17, a filter such as --class undecodable, or --all")
	}
	return nil
}
