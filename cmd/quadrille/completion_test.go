package main

import (
	"testing"

	kongcompletion "github.com/jotaen/kong-completion"
)

// A tag that names no predictor would end the program before it did anything.
func TestEveryPredictorIsThere(t *testing.T) {
	parser, err := newParser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kongcompletion.Command(parser, kongcompletion.WithPredictors(predictors())); err != nil {
		t.Error(err)
	}
}
