package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Whoever reads the page is in a hurry: what it says must be understood as it stands.
func TestEveryCommandOfThePageOfOperationsParses(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)^\\$ (quadrille .*)$|`(quadrille [^`]* --[^`]*)`").FindAllStringSubmatch(string(page), -1)
	if len(commands) < 8 {
		t.Fatalf("found %d commands", len(commands))
	}
	for _, found := range commands {
		line := strings.ReplaceAll(found[1]+found[2], "\n ", "")
		parser, err := newParser(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(words(t, line)[1:]); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
