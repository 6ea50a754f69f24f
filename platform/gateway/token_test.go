package gateway

import "testing"

func TestEveryTokenIsKnown(t *testing.T) {
	for _, token := range append(Tokens(), "tok_unknown") {
		if known := token.decline() != CodeInvalidPaymentMethod; known != (token != "tok_unknown") {
			t.Errorf("%s is known: %t", token, known)
		}
	}
}
