package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A tree of one package, and the test that guards its guarantee.
const (
	code = `// Package sum adds.
package sum

// Add adds.
func Add(a, b int) int {
	return a + b
}
`
	guard = `package sum

import "testing"

func TestAdd(t *testing.T) {
	if got := Add(2, 3); got != 5 {
		t.Errorf("G2: the sum is %d", got)
	}
}

func TestPanic(t *testing.T) {
	if Add(2, 3) != 5 {
		panic("G2: the sum is wrong")
	}
}

func TestBroken(t *testing.T) { t.Error("G2: the sum is unknown") }

func TestSkipped(t *testing.T) { t.Skip() }
`
)

// TestOnlyWhatIsCaughtPasses keeps the bank honest.
func TestOnlyWhatIsCaughtPasses(t *testing.T) {
	t.Setenv("GOWORK", "off")
	root := t.TempDir()
	write(t, root, "go.mod", "module sum\n\ngo 1.26.0\n")
	write(t, root, "sum/sum.go", code)
	write(t, root, "sum/sum_test.go", guard)
	b := &bank{root: root, work: t.TempDir(), healthy: make(map[string]func() (string, error))}

	for name, tc := range map[string]struct {
		from, to, test, says string
		want                 error
		told                 string
	}{
		"caught":                 {"a + b", "a - b", "TestAdd", "the sum is -1", nil, ""},
		"no bug":                 {"a + b", "b + a", "TestAdd", "the sum is", errEscaped, "passes"},
		"another test":           {"a + b", "a - b", "TestOther", "the sum is", errHealthy, "does not run"},
		"says something else":    {"a + b", "a - b", "TestAdd", "the sum is 7", errEscaped, "without saying"},
		"does not build":         {"a + b", "a +", "TestAdd", "the sum is", errBuild, "sum.go"},
		"does not vet":           {"a + b", "map[bool]int{a == 1 || a == 1: a + b}[true]", "TestAdd", "the sum is", errBuild, "sum.go"},
		"does not apply":         {"a * b", "a - b", "TestAdd", "the sum is", errPatch, "sum.go"},
		"fails with and without": {"a + b", "a - b", "TestBroken", "the sum is", errHealthy, "unknown"},
		"is skipped":             {"a + b", "a - b", "TestSkipped", "the sum is", errHealthy, "does not run"},
		"ends in a panic":        {"a + b", "a - b", "TestPanic", "the sum is wrong", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			patch := fmt.Sprintf("--- a/sum/sum.go\n+++ b/sum/sum.go\n@@ -5,3 +5,3 @@\n func Add(a, b int) int {\n"+
				"-\treturn %s\n+\treturn %s\n }\n", tc.from, tc.to)
			file := write(t, t.TempDir(), "bug.patch", patch)
			err := b.catch(t.Context(), bug{
				name: strings.ReplaceAll(name, " ", "-"), file: file, breaks: "G2", pkg: "sum",
				run: "^" + tc.test + "$", says: "G2: " + tc.says,
			})
			if !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.told) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.told)
			}
		})
	}
}
