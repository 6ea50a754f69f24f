package sim

import (
	"fmt"
	"slices"
	"strings"
)

// heard says as what the log lines of the services are counted.
func heard() map[string]string {
	return map[string]string{
		"transaction failed, trying again":             "a transaction is tried again",
		"outside calls not done, they are made again":  "an outside call is made again",
		"cannot decode yet, trying again":              "a consumer waits for the registry",
		"outbox lane stands still, trying again":       "a relay stands still",
		"consumer group's session failed":              "a consumer loses its session",
		"consumer group's coordinator does not answer": "a consumer misses its coordinator",
		"offset commit refused":                        "an offset commit is refused",
	}
}

// sometimes names all that must happen in a run of enough seeds: each fault strikes, and each way through the services
// is taken that is there for one. A name once given stays.
func sometimes() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	for _, name := range heard() {
		names = append(names, name)
	}
	for _, p := range poisons {
		names = append(names, "poison: "+p.name)
	}
	for _, m := range measured {
		names = append(names, m.means)
	}
	names = append(names, endings...)
	slices.Sort(names)
	return slices.Compact(names)
}

// never returns what has not happened.
func never(hits map[string]int) []string {
	var missing []string
	for _, name := range sometimes() {
		if hits[name] == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

// table shows how often everything happened.
func table(hits map[string]int) string {
	var b strings.Builder
	for _, name := range sometimes() {
		fmt.Fprintf(&b, "%8d  %s\n", hits[name], name)
	}
	return b.String()
}
