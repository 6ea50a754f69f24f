package event

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The header names of the CloudEvents 1.0 Kafka protocol binding in binary mode, and ours beside them.
const (
	headerSpecVersion = "ce_specversion"
	headerID          = "ce_id"
	headerType        = "ce_type"
	headerSource      = "ce_source"
	headerSubject     = "ce_subject"
	headerTime        = "ce_time"
	headerContentType = "content-type"
	headerCorrelation = "ce_correlationid"
	headerCausation   = "ce_causationid"
	headerSequence    = "ce_sequence"
	headerTrace       = "traceparent"

	contentType = "application/avro"
)

// ErrHeaders is wrapped by every error of Parse: the envelope is missing or contradicts itself, and no retry mends it.
var ErrHeaders = errors.New("bad event headers")

// traceparent is that of W3C Trace Context, version 00.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// Headers returns the envelope of e as Kafka headers. Topic, Key and Data travel in the record itself.
func Headers(e Event) []Header {
	headers := []Header{
		{headerSpecVersion, []byte("1.0")},
		{headerID, []byte(e.ID)},
		{headerType, []byte(e.Type)},
		{headerSource, []byte(e.Source)},
		{headerSubject, []byte(e.Key)},
		{headerTime, e.Time.UTC().AppendFormat(nil, time.RFC3339Nano)},
		{headerSequence, strconv.AppendInt(nil, e.Sequence, 10)},
		{headerCorrelation, []byte(e.Cause.Correlation)},
		{headerCausation, []byte(e.Cause.ID)},
		{headerContentType, []byte(contentType)},
	}
	if e.Cause.Trace != "" {
		headers = append(headers, Header{headerTrace, []byte(e.Cause.Trace)})
	}
	return headers
}

// TypeOf returns what headers claim to be the event's type, whatever it is; empty if they claim none.
func TypeOf(headers []Header) string {
	for _, h := range headers {
		if h.Key == headerType {
			return string(h.Value)
		}
	}
	return ""
}

// Parse reads the envelope that Headers wrote. Topic and Data are left for the caller; unknown headers are ignored, and
// of a header that occurs twice the first counts. A malformed traceparent is ignored, as W3C Trace Context demands. On
// an error that wraps ErrHeaders the returned Event still carries whatever was well formed: above all ID, which is
// empty only if that header itself was missing or no UUID.
func Parse(key []byte, headers []Header) (Event, error) {
	e := Event{Key: string(key)}
	values := make(map[string]string, len(headers))
	for _, h := range headers {
		if _, seen := values[h.Key]; !seen {
			values[h.Key] = string(h.Value)
		}
	}

	var faults []error
	fault := func(header, what string) { faults = append(faults, fmt.Errorf("%s %s", header, what)) }
	id := func(header string) string {
		if len(values[header]) != 36 || uuid.Validate(values[header]) != nil {
			fault(header, "is not a UUID")
			return ""
		}
		return values[header]
	}

	e.ID = id(headerID)
	e.Cause.Correlation = id(headerCorrelation)
	e.Cause.ID = id(headerCausation)
	if trace := values[headerTrace]; traceparent.MatchString(trace) {
		e.Cause.Trace = trace
	}
	if e.Type = values[headerType]; e.Type == "" {
		fault(headerType, "is missing")
	}
	if e.Source = values[headerSource]; e.Source == "" {
		fault(headerSource, "is missing")
	}
	if values[headerSpecVersion] != "1.0" {
		fault(headerSpecVersion, "is not 1.0")
	}
	if values[headerSubject] != e.Key || e.Key == "" {
		fault(headerSubject, "differs from the record's key")
	}
	var err error
	if e.Sequence, err = strconv.ParseInt(values[headerSequence], 10, 64); err != nil || e.Sequence < 1 {
		fault(headerSequence, "is not a positive integer")
	}
	if e.Time, err = time.Parse(time.RFC3339Nano, values[headerTime]); err != nil {
		fault(headerTime, "is not an RFC 3339 time")
	}
	e.Time = e.Time.UTC()
	if len(faults) > 0 {
		return e, fmt.Errorf("%w: %w", ErrHeaders, errors.Join(faults...))
	}
	return e, nil
}
