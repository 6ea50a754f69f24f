package loadtest

import "testing"

func TestEveryStretchOfOrdersHasTheMix(t *testing.T) {
	var m Mix
	if err := m.UnmarshalText([]byte("tok_visa=90, tok_declined=9,tok_slow")); err != nil {
		t.Fatal(err)
	}
	for _, first := range []int{0, 1234, 1_000_000} {
		picked := make(map[string]int)
		for n := range 1000 {
			picked[m.Pick(first+n)]++
		}
		for token, want := range map[string]int{"tok_visa": 900, "tok_declined": 90, "tok_slow": 10} {
			if got := picked[token]; got < want-3 || got > want+3 {
				t.Errorf("from %d on: %d of 1000 are %s, want %d", first, got, token, want)
			}
		}
	}
}

func TestAMixIsTokensAndWeights(t *testing.T) {
	for text, ok := range map[string]bool{
		"tok_visa": true, "tok_visa=1": true, "a=1,b=2": true, "": false, "=1": false, "a=": false, "a=0": false, "a=-1": false,
		"a=x": false, "a,,b": false, "a=1.5": false,
	} {
		t.Run(text, func(t *testing.T) {
			if err := new(Mix).UnmarshalText([]byte(text)); (err == nil) != ok {
				t.Errorf("error %v", err)
			}
		})
	}
}
