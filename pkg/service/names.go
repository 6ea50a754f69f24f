package service

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// TestPrefix is that of the variables that tests read, which may stand beside ours.
const TestPrefix = Prefix + "TEST_"

// CheckNames refuses every variable that begins with Prefix and is not known, and names the nearest one that is. What
// Kubernetes adds for a Service whose name begins so, such as QUADRILLE_ORDER_SERVICE_HOST, is let pass.
func CheckNames(environment map[string]string, known []string) error {
	var errs []error
	for _, name := range sortedKeys(environment) {
		if !strings.HasPrefix(name, Prefix) || strings.HasPrefix(name, TestPrefix) || slices.Contains(known, name) ||
			linked(environment, name) {
			continue
		}
		errs = append(errs, unknown(name, known))
	}
	return errors.Join(errs...)
}

func unknown(name string, known []string) error {
	if best, ok := Nearest(name, known); ok {
		return fmt.Errorf("%s is not known; did you mean %s?", name, best)
	}
	return fmt.Errorf("%s is not known", name)
}

// linked reports whether Kubernetes set the variable to tell where a Service is.
func linked(environment map[string]string, name string) bool {
	for host := range environment {
		if to, ok := strings.CutSuffix(host, "_SERVICE_HOST"); ok && (name == to+"_PORT" ||
			strings.HasPrefix(name, to+"_PORT_") || strings.HasPrefix(name, to+"_SERVICE_")) {
			return true
		}
	}
	return false
}

// Nearest returns the known name that takes the fewest edits of one letter to reach, if it takes less than a third of
// the name. The first of several wins.
func Nearest(name string, known []string) (string, bool) {
	best, least := "", 1+max(1, len(strings.TrimPrefix(name, Prefix))/3)
	for _, candidate := range known {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best, best != ""
}

// distance is Levenshtein's: how many letters must be put in, taken out or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sortedKeys(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
