// Package checker decides whether the platform kept its guarantees. It looks at what anybody can see of a platform at
// rest: the topics, the HTTP APIs, the gateway's own record, the mailbox and, where it is let in, the databases; and at
// what the clients know themselves, which is what they sent and what was answered.
//
// [Gather] collects a [State], [Check] judges it. Check is a pure function, so that it can be tested with states that
// break each guarantee on purpose.
package checker

import (
	"fmt"
	"slices"
	"strings"
)

// Violation is a guarantee that did not hold.
type Violation struct {
	// Guarantee is G1 to G8, or G10 for a read model.
	Guarantee string
	// Key is the order id or the sku that it is about, empty if it is about none.
	Key string
	// What was seen.
	What string
}

// String begins with the guarantee.
func (v Violation) String() string {
	if v.Key == "" {
		return v.Guarantee + ": " + v.What
	}
	return fmt.Sprintf("%s: %s: %s", v.Guarantee, v.Key, v.What)
}

// Check returns all that was violated, sorted. The state is one at rest.
func Check(s State) []Violation {
	c := &check{index: newIndex(s)}
	c.accepted()
	c.once()
	c.inOrder()
	c.stock()
	c.money()
	c.ended()
	c.accounted()
	c.poison()
	c.readModels()
	slices.SortFunc(c.found, func(a, b Violation) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(c.found)
}

// Report is one violation a line, at most limit of them and then how many more there are.
func Report(violations []Violation, limit int) string {
	var b strings.Builder
	for i, v := range violations {
		if i == limit {
			fmt.Fprintf(&b, "and %d more\n", len(violations)-limit)
			break
		}
		fmt.Fprintln(&b, v)
	}
	return b.String()
}

// check collects violations.
type check struct {
	*index
	found []Violation
}

func (c *check) violated(guarantee, key, format string, args ...any) {
	c.found = append(c.found, Violation{guarantee, key, fmt.Sprintf(format, args...)})
}
