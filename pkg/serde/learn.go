package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/sync/errgroup"
)

// learnAtOnce bounds the requests that are under way.
const learnAtOnce = 8

// learn fetches what the registry has of the types' topics, all versions, those of other types too: the first event of
// one, be it of no interest, would else wait for a registry that is away, and all events behind it.
func (c *Codec) learn(ctx context.Context, types []Type) error {
	subjects, err := c.registry.Subjects(ctx)
	if skip, err := missed(err); skip || err != nil {
		return err
	}
	topics := make(map[string]bool)
	for _, t := range types {
		topics[t.Topic] = true
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(learnAtOnce)
	for _, subject := range subjects {
		// A record's full name has no dash; a topic's may.
		if at := strings.LastIndexByte(subject, '-'); at > 0 && topics[subject[:at]] {
			group.Go(func() error { return c.learnSubject(ctx, subject) })
		}
	}
	return group.Wait()
}

func (c *Codec) learnSubject(ctx context.Context, subject string) error {
	versions, err := c.registry.SubjectVersions(ctx, subject)
	if skip, err := missed(err); skip || err != nil {
		return err
	}
	for _, version := range versions {
		found, err := c.registry.SchemaByVersion(ctx, subject, version)
		if skip, err := missed(err); err != nil {
			return err
		} else if skip || found.Type != sr.TypeAvro {
			continue
		}
		c.mu.Lock()
		if c.decoders[found.ID] == nil && len(c.decoders) < maxDecoders {
			c.decoders[found.ID] = c.newDecoder(found.ID, found.Schema.Schema)
		}
		c.mu.Unlock()
	}
	return nil
}

// missed says whether what was asked for is deleted by now or too long, which waits until an event needs it; the error
// is any other.
func missed(err error) (skip bool, _ error) {
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong || isMissing(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: read the schemas of the topics: %w", ErrUnavailable, err)
	}
	return false, nil
}
