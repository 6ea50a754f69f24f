package work

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// Class says what kind of failure made a message a letter. Classes are stable: operators filter by them.
type Class string

// The classes of letters.
const (
	// ClassHeaders: the envelope is missing or contradicts itself or the data.
	ClassHeaders Class = "headers"
	// ClassUndecodable: the bytes are not what they should be.
	ClassUndecodable Class = "undecodable"
	// ClassUnknownSchema: the registry does not know the schema id, yet.
	ClassUnknownSchema Class = "unknown_schema"
	// ClassContradiction: the id came before with other bytes.
	ClassContradiction Class = "contradiction"
	// ClassNotYet: something of another key has to come first.
	ClassNotYet Class = "not_yet"
	// ClassRefused: the domain refused it.
	ClassRefused Class = "refused"
	// ClassPanic: the code that decides has a bug.
	ClassPanic Class = "panic"
	// ClassEncode: what it led to is no event that may be published.
	ClassEncode Class = "encode"
	// ClassSave: the database took everything but this.
	ClassSave Class = "save"
	// ClassBehind: nothing is wrong with it, it waits behind another of its key.
	ClassBehind Class = "behind"
)

// contradiction begins the ids of records whose own id belongs to another.
const contradiction = "contradiction/"

var (
	// errMoved says that a letter is no longer as it was when it was taken out of its queue.
	errMoved  = errors.New("moved meanwhile by another")
	errEncode = errors.New("encode event")
)

// Parking says how long what fails is tried again before it is dead. What would fail the same way again is dead at
// once.
type Parking struct {
	// FirstPause is that after the first failure; each next one is twice as long, up to MaxPause. Half of each is
	// random. They default to 1 s and 1 minute.
	FirstPause, MaxPause time.Duration
	// Attempts is how often it is tried in all. Defaults to 20, which is about a quarter of an hour.
	Attempts int64
	// PassingFor is how long a Fault may be Passing, such as a schema that the registry does not know yet. Defaults to
	// 2 minutes.
	PassingFor time.Duration
}

func (p Parking) withDefaults() Parking {
	p.FirstPause = cmp.Or(p.FirstPause, time.Second)
	p.MaxPause = cmp.Or(p.MaxPause, time.Minute)
	p.Attempts = cmp.Or(p.Attempts, 20)
	p.PassingFor = cmp.Or(p.PassingFor, 2*time.Minute)
	return p
}

// verdict says what becomes of a message that failed.
type verdict struct {
	state string
	class Class
	// retryAt is nil if it is dead.
	retryAt *time.Time
}

// judge decides whether a message that failed with err for the attemptth time, and first at failed, is parked or dead.
func (p Parking) judge(err error, recurs bool, attempt int64, failed, now time.Time) verdict {
	class := classOf(err)
	var fault *Fault
	again := attempt < p.Attempts
	switch {
	case class == ClassBehind:
		attempt, again = 1, true
	case errors.As(err, &fault):
		again = fault.Passing && now.Sub(failed) < p.PassingFor
	case recurs, class == ClassNotYet, class == ClassSave:
	default:
		again = false
	}
	if !again {
		return verdict{state: stateDead, class: class}
	}
	at := now.Add(p.pause(attempt))
	return verdict{stateParked, class, &at}
}

// pause grows with the attempts made, at least one.
func (p Parking) pause(attempt int64) time.Duration {
	pause := p.FirstPause
	for range min(max(attempt-1, 0), 40) {
		if pause >= p.MaxPause {
			break
		}
		pause *= 2
	}
	pause = min(pause, p.MaxPause)
	return pause/2 + rand.N(pause/2+1)
}

// pinned is the error of a message whose transaction failed when it stood alone.
type pinned struct{ error }

// Unwrap returns why the transaction failed.
func (p pinned) Unwrap() error { return p.error }

func classOf(err error) Class {
	var fault *Fault
	var save pinned
	var later interface{ NotYet() bool }
	switch {
	case errors.Is(err, ErrBehind):
		return ClassBehind
	case errors.Is(err, ErrReused):
		return ClassContradiction
	case errors.As(err, &fault):
		return fault.Class
	case errors.As(err, &save):
		return ClassSave
	case errors.Is(err, ErrPanic):
		return ClassPanic
	case errors.Is(err, errEncode):
		return ClassEncode
	case errors.As(err, &later) && later.NotYet():
		return ClassNotYet
	}
	return ClassRefused
}

// maxError is the most of an error's text that is kept, in bytes.
const maxError = 1000

// legible makes text of others fit for both databases.
func legible(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
