package loadtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Mix of payment tokens.
type Mix struct {
	tokens []string
	// until holds the sum of the weights up to and including each token.
	until []int
}

// UnmarshalText reads tokens and their weights, such as "tok_visa=90,tok_declined=10". A token alone weighs 1.
func (m *Mix) UnmarshalText(text []byte) error {
	*m = Mix{}
	sum := 0
	for _, part := range strings.Split(string(text), ",") {
		token, given, found := strings.Cut(strings.TrimSpace(part), "=")
		weight := 1
		if found {
			var err error
			if weight, err = strconv.Atoi(given); err != nil || weight < 1 || weight > 1_000_000 {
				return fmt.Errorf("the weight of %s is %q, not a number from 1 to 1000000", token, given)
			}
		}
		if token == "" {
			return fmt.Errorf("%q is no mix such as tok_visa=90,tok_declined=10", text)
		}
		sum += weight
		m.tokens, m.until = append(m.tokens, token), append(m.until, sum)
	}
	return nil
}

// Pick returns the token of the nth order. Every stretch of orders has the mix, not only the whole: multiples of the
// golden ratio fall evenly.
func (m Mix) Pick(n int) string {
	_, place := math.Modf(float64(n) * math.Phi)
	at := int(place * float64(m.until[len(m.until)-1]))
	for i, until := range m.until {
		if at < until {
			return m.tokens[i]
		}
	}
	return m.tokens[len(m.tokens)-1]
}
