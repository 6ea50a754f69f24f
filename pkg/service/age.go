package service

import "time"

// Duration returns how long that is, 0 if none was given.
func (a Age) Duration() time.Duration {
	d, err := time.ParseDuration(string(a))
	if err != nil { // Resolve lets only the empty one through
		return 0
	}
	return d
}
