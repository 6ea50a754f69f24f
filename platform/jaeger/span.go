package jaeger

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Trace is all that one request led to, as far as it was recorded.
type Trace struct {
	ID    string
	Spans []Span // in the order in which they began
}

// Span is a piece of work, or of waiting.
type Span struct {
	ID string
	// Parent is the id of the span that it is a part of or follows from, empty at the root.
	Parent  string
	Service string
	Name    string
	// Kind is server, client, producer, consumer or internal.
	Kind  string
	Start time.Time
	// Duration to the microsecond.
	Duration   time.Duration
	Attributes map[string]string
	// Links are spans of other traces that it has to do with, as "trace/span".
	Links []string
	// Failed says that the span ended in an error.
	Failed bool
}

// End is when it was over.
func (s Span) End() time.Time { return s.Start.Add(s.Duration) }

// answer is that of Jaeger's API.
type answer struct {
	Data []struct {
		TraceID   string                 `json:"traceID"`
		Spans     []spanJSON             `json:"spans"`
		Processes map[string]processJSON `json:"processes"`
	} `json:"data"`
	Errors []struct {
		Message string `json:"msg"`
	} `json:"errors"`
}

type spanJSON struct {
	SpanID        string `json:"spanID"`
	OperationName string `json:"operationName"`
	References    []struct {
		RefType string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	StartTime int64     `json:"startTime"` // in microseconds since 1970
	Duration  int64     `json:"duration"`  // in microseconds
	Tags      []tagJSON `json:"tags"`
	ProcessID string    `json:"processID"`
}

type tagJSON struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

type processJSON struct {
	ServiceName string `json:"serviceName"`
}

func (a answer) traces() []Trace {
	traces := make([]Trace, len(a.Data))
	for i, d := range a.Data {
		t := Trace{ID: d.TraceID}
		for _, s := range d.Spans {
			t.Spans = append(t.Spans, s.span(d.TraceID, d.Processes[s.ProcessID].ServiceName))
		}
		slices.SortStableFunc(t.Spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
		traces[i] = t
	}
	slices.SortFunc(traces, func(a, b Trace) int {
		return cmp.Or(a.start().Compare(b.start()), cmp.Compare(a.ID, b.ID))
	})
	return traces
}

func (t Trace) start() time.Time {
	if len(t.Spans) == 0 {
		return time.Time{}
	}
	return t.Spans[0].Start
}

func (s spanJSON) span(trace, service string) Span {
	span := Span{
		ID: s.SpanID, Service: service, Name: s.OperationName, Kind: "internal",
		Start: time.UnixMicro(s.StartTime).UTC(), Duration: time.Duration(s.Duration) * time.Microsecond,
		Attributes: make(map[string]string, len(s.Tags)),
	}
	for _, r := range s.References {
		if r.RefType == "CHILD_OF" && r.TraceID == trace {
			span.Parent = r.SpanID
		} else {
			span.Links = append(span.Links, r.TraceID+"/"+r.SpanID)
		}
	}
	for _, tag := range s.Tags {
		value := fmt.Sprint(tag.Value)
		switch tag.Key {
		case "span.kind":
			span.Kind = value
		case "error":
			span.Failed = value == "true"
		default:
			span.Attributes[tag.Key] = value
		}
	}
	return span
}
