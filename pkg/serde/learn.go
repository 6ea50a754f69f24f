package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/sync/errgroup"
)

const (
	// learnAtOnce bounds the requests that are under way, learnWithin how long a slow registry holds up the start.
	learnAtOnce = 4
	learnWithin = 15 * time.Second
)

// learn reads what the registry has of the types' topics, all versions, of other types too and such as were deleted
// since: the first event of one, be it of no interest, would else wait for a registry that is away, and what is behind
// it too. It does without what it cannot read, for nothing of it is needed yet; the error names some of that.
func (c *Codec) learn(ctx context.Context, types []Type) error {
	ctx, cancel := context.WithTimeout(sr.WithParams(ctx, sr.ShowDeleted), learnWithin)
	defer cancel()
	topics := make(map[string]bool)
	for _, t := range types {
		topics[t.Topic] = true
	}
	var group errgroup.Group // without a context: one that fails ends no other
	group.SetLimit(learnAtOnce)
	for topic := range topics {
		// A registry that does not know the parameter lists them all.
		subjects, err := c.registry.Subjects(sr.WithParams(ctx, sr.ShowDeleted, sr.SubjectPrefix(topic+"-")))
		if err != nil {
			group.Go(func() error { return fmt.Errorf("list the subjects of %s: %w", topic, err) })
		}
		for _, subject := range subjects {
			// A record's full name has no dash; a topic's may.
			if at := strings.LastIndexByte(subject, '-'); at > 0 && subject[:at] == topic {
				group.Go(func() error { return c.learnSubject(ctx, subject) })
			}
		}
	}
	return group.Wait()
}

func (c *Codec) learnSubject(ctx context.Context, subject string) (missed error) {
	versions, err := c.registry.SubjectVersions(ctx, subject)
	if err != nil {
		return fmt.Errorf("list the versions of %s: %w", subject, err)
	}
	for _, version := range versions {
		found, err := c.registry.SchemaByVersion(ctx, subject, version)
		if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong || isMissing(err) {
			continue // the answer does not tell the id; an event that has it asks
		}
		if err != nil {
			missed = fmt.Errorf("read version %d of %s: %w", version, subject, err)
			continue
		}
		if !c.keep(found.ID, c.newDecoderOf(found.ID, found.Schema)) {
			return fmt.Errorf("the topics have more than %d schemas", maxDecoders)
		}
	}
	return missed
}

// keep has a decoder stay for good, unless there are too many.
func (c *Codec) keep(id int, d *decoder) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[id] == nil {
		if len(c.known) >= maxDecoders {
			return false
		}
		c.known[id] = d
	}
	return true
}
