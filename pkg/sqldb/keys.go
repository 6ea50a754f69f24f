package sqldb

import "slices"

// Keys returns a row for each of ids, once and in order: the order in which rows are locked. It sorts ids in place.
func Keys[K any](ids []string, key func(id string) K) []K {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	keys := make([]K, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	return keys
}
