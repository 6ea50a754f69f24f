//go:build !failpoint

package failpoint

// Hit does nothing.
func Hit(Point) {}

// Arm does nothing.
func Arm() error { return nil }
