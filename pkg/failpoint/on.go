//go:build failpoint

package failpoint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// variable names the points.
const variable = "QUADRILLE_TEST_FAILPOINT"

// errMalformed refuses what cannot be read.
var errMalformed = errors.New("not POINT or POINT=HITS, separated by commas")

var points = []Point{
	UnitLoaded, UnitDecided, UnitSaved, InboxInserted, LetterWritten, OutboxInserted, LetterMoving, LetterMoved,
	UnitCommitted, CommandCommitted, RelayHandedOver, RelayProduced, ConsumerTaken, ConsumerYielding, CallClaimed,
	CallAnswered, CallTaken, TimerDue, Migrated,
}

// armed are the hits that are left, by point. It is the state of the process that is to be killed.
var armed atomic.Pointer[map[Point]*atomic.Int64]

// Arm reads the variable. Without it no point kills.
func Arm() error {
	left, err := parse(os.Getenv(variable))
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	armed.Store(&left)
	return nil
}

// Hit kills the process if this is the hit that was armed. It does not return then.
func Hit(at Point) {
	left := armed.Load()
	if left == nil || (*left)[at] == nil || (*left)[at].Add(-1) != 0 {
		return
	}
	fmt.Fprintln(os.Stderr, "failpoint: killed at", at)
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("failpoint: cannot be killed at %s: %v", at, err))
	}
	select {} // the signal is on its way
}

func parse(text string) (map[Point]*atomic.Int64, error) {
	left := make(map[Point]*atomic.Int64)
	if text == "" {
		return left, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, count, given := strings.Cut(part, "=")
		hits := int64(1)
		if given {
			var err error
			if hits, err = strconv.ParseInt(count, 10, 64); err != nil || hits < 1 {
				return nil, fmt.Errorf("%w: %q", errMalformed, part)
			}
		}
		if !slices.Contains(points, Point(name)) {
			return nil, fmt.Errorf("%q is no point; there are %v", name, points)
		}
		left[Point(name)] = new(atomic.Int64)
		left[Point(name)].Store(hits)
	}
	return left, nil
}
