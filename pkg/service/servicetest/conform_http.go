package servicetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// anyID stands in a path where it is about no resource in particular.
const anyID = "00000000-0000-7000-8000-000000000000"

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// description is what is looked at of an OpenAPI document.
type description struct {
	Paths map[string]map[string]struct {
		OperationID string          `json:"operationId"`
		Summary     string          `json:"summary"`
		RequestBody json.RawMessage `json:"requestBody"`
		Responses   map[string]struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
}

// serve plays the story and answers requests to the service's API by handler while rule runs.
func (s *stage[I, S, E]) serve(ctx context.Context, rule func(http.Handler, description) error) error {
	if _, _, err := s.play(ctx, s.backend(), s.portions(whole)); err != nil {
		return err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Service: s.def.Name, LogTo: io.Discard})
	if err != nil {
		return err
	}
	clock := func() time.Time { return storyTime.Add(time.Hour) }
	unit := work.New(work.Service[I, S, E]{
		Name: s.def.Name, Load: s.def.Load, Save: s.def.Save, Publish: s.def.Publish, Encode: Encoder(s.codec),
	}, s.db, work.Config{Clock: clock, Logger: slog.New(slog.DiscardHandler)})
	mux, api := httpapi.New(httpapi.Config{
		Title: s.def.Title, Logger: tel.Logger, Tracer: tel.Tracer, Meter: tel.Meter,
	})
	s.def.Routes(api, &service.Parts[I, S, E]{
		Config: service.Config{Clock: clock}, DB: s.db, Unit: unit, Telemetry: tel,
	})

	unitCtx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	var ended error
	running.Go(func() { ended = unit.Run(unitCtx) })
	var d description
	answer := ask(ctx, mux, http.MethodGet, "/openapi.json", "", "")
	if err = json.Unmarshal(answer.Body.Bytes(), &d); err != nil {
		err = fmt.Errorf("/openapi.json: status %d: %w", answer.Code, err)
	} else {
		err = rule(mux, d)
	}
	stop()
	running.Wait()
	return errors.Join(err, ended, tel.Shutdown(ctx))
}

func ask(ctx context.Context, handler http.Handler, method, path, key, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set(httpapi.IdempotencyHeader, key)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, req)
	return answer
}

// each runs fn for each operation, in order.
func (d description) each(fn func(method, path string) error) error {
	var operations [][2]string
	for path, methods := range d.Paths {
		for method := range methods {
			operations = append(operations, [2]string{path, method})
		}
	}
	slices.SortFunc(operations, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var errs []error
	for _, o := range operations {
		if err := fn(strings.ToUpper(o[1]), o[0]); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", strings.ToUpper(o[1]), o[0], err))
		}
	}
	return errors.Join(errs...)
}

// apiDocumentsProblems asks that each operation has a name and a summary, and shows each refusal as a problem.
func (s *stage[I, S, E]) apiDocumentsProblems(ctx context.Context) error {
	return s.serve(ctx, func(_ http.Handler, d description) error {
		return d.each(func(method, path string) error {
			op := d.Paths[path][strings.ToLower(method)]
			var errs []error
			if op.OperationID == "" || op.Summary == "" {
				errs = append(errs, errors.New("it has no name or no summary"))
			}
			for _, status := range httpapi.Refusals(method) {
				if _, ok := op.Responses[strconv.Itoa(status)]; !ok {
					errs = append(errs, fmt.Errorf("the answer %d is not documented", status))
				}
			}
			for status, response := range op.Responses {
				if _, ok := response.Content["application/problem+json"]; !ok && status >= "400" {
					errs = append(errs, fmt.Errorf("the answer %s is documented as no problem", status))
				}
			}
			return errors.Join(errs...)
		})
	})
}

// apiRefusesUnknown sends each operation a parameter and a field that it does not know, and a body that names one field
// twice.
func (s *stage[I, S, E]) apiRefusesUnknown(ctx context.Context) error {
	return s.serve(ctx, func(handler http.Handler, d description) error {
		return d.each(func(method, path string) error {
			target := placeholder.ReplaceAllString(path, anyID)
			type sent struct {
				what, query, body string
				want              httpapi.FieldCode
			}
			requests := []sent{{what: "an unknown parameter", query: "?of_tomorrow=1", want: httpapi.FieldUnknown}}
			if d.Paths[path][strings.ToLower(method)].RequestBody != nil {
				requests[0].body = "{}"
				requests = append(requests,
					sent{what: "an unknown field", body: `{"of_tomorrow":1}`, want: httpapi.FieldUnknown},
					sent{what: "a field twice", body: `{"a":1,"a":2}`, want: httpapi.FieldDuplicate})
			}
			var errs []error
			for _, r := range requests {
				answer := ask(ctx, handler, method, target+r.query, "", r.body)
				var problem httpapi.Problem
				err := json.Unmarshal(answer.Body.Bytes(), &problem)
				told := func(f httpapi.Field) bool { return f.Code == r.want }
				if err != nil || !slices.ContainsFunc(problem.Errors, told) {
					errs = append(errs,
						fmt.Errorf("%s is not refused as %s: %d %s", r.what, r.want, answer.Code, answer.Body))
				}
			}
			return errors.Join(errs...)
		})
	})
}

// commandsAreDoneOnce sends the example of each POST twice under one Idempotency-Key, then another body under it.
func (s *stage[I, S, E]) commandsAreDoneOnce(ctx context.Context) error {
	return s.serve(ctx, func(handler http.Handler, d description) error {
		return d.each(func(method, path string) error {
			if method != http.MethodPost {
				return nil
			}
			pattern := regexp.MustCompile("^" + placeholder.ReplaceAllString(path, "[^/]+") + "$")
			at := slices.IndexFunc(s.posts, func(p Post) bool { return pattern.MatchString(p.Path) })
			if at < 0 {
				return errors.New("the story has no example of it")
			}
			return s.doneOnce(ctx, handler, s.posts[at])
		})
	})
}

func (s *stage[I, S, E]) doneOnce(ctx context.Context, handler http.Handler, p Post) error {
	first := ask(ctx, handler, http.MethodPost, p.Path, "first", p.Body)
	if first.Code >= 300 {
		return fmt.Errorf("the example is refused: %d %s", first.Code, first.Body)
	}
	done, err := s.look(ctx)
	if err != nil {
		return err
	}
	again := ask(ctx, handler, http.MethodPost, p.Path, "first", p.Body)
	if again.Code != first.Code || again.Body.String() != first.Body.String() {
		return fmt.Errorf("the repetition is answered with %d %s, the first was with %d %s", again.Code, again.Body,
			first.Code, first.Body)
	}
	other := ask(ctx, handler, http.MethodPost, p.Path, "first", p.Other)
	if other.Code != http.StatusConflict || !strings.Contains(other.Body.String(), string(httpapi.KeyReused)) {
		return fmt.Errorf("another body under the same key is answered with %d %s", other.Code, other.Body)
	}
	after, err := s.look(ctx)
	if err == nil {
		err = done.compare(after)
	}
	if err != nil {
		return fmt.Errorf("the repetition: %w", err)
	}
	if other := ask(ctx, handler, http.MethodPost, p.Path, "second", p.Other); other.Code >= 300 {
		return fmt.Errorf("the other example is refused: %d %s", other.Code, other.Body)
	}
	return nil
}
