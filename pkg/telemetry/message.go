package telemetry

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Message is what is known of a record on Kafka, for the attributes of its spans by OpenTelemetry's conventions.
type Message struct {
	Topic, Key string
	// ID, Type and Correlation are those of the event, empty if unknown.
	ID, Type, Correlation string
	// Size of the value in bytes. Tombstone: it has none.
	Size      int
	Tombstone bool
	// Group, Partition and Offset say where it was read. Without a group it was not.
	Group     string
	Partition int32
	Offset    int64
}

// Where a message waits. Both are spans of their own: a waterfall shows them as bars, between what came before and
// after.
const (
	OutboxWait = "outbox wait"
	KafkaWait  = "kafka wait"
)

// Wait makes the span of a time that a message has waited, beside the span of what it waited for. Clocks that disagree
// make it short, never negative.
func (s *Spans) Wait(traceparent, where string, m Message, from, to time.Time) {
	if !s.Sampled(traceparent) {
		return
	}
	if from.After(to) {
		from = to
	}
	s.start(traceparent, where+" "+m.Topic, from, trace.SpanKindInternal, m.attributes()...).
		End(trace.WithTimestamp(to))
}

// Send starts the span of a message that is handed to the broker. It is nil if the message is not sampled.
func (s *Spans) Send(traceparent string, m Message, at time.Time) trace.Span {
	if !s.Sampled(traceparent) {
		return nil
	}
	return s.start(traceparent, "send "+m.Topic, at, trace.SpanKindProducer, append(m.attributes(),
		semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"))...)
}

// Sent ends the span of a message that the broker has acknowledged.
func Sent(span trace.Span, partition int32, offset int64) {
	span.SetAttributes(place(partition, offset)...)
	span.End()
}

// Process starts the span of a message that is handled, from the moment it was read. It is nil if the message is not
// sampled.
func (s *Spans) Process(traceparent string, m Message, at time.Time) trace.Span {
	if !s.Sampled(traceparent) {
		return nil
	}
	return s.start(traceparent, "process "+m.Topic, at, trace.SpanKindConsumer, append(m.attributes(),
		semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"))...)
}

func (m Message) attributes() []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 12) // with room for the operation
	attributes = append(attributes, semconv.MessagingSystemKafka, semconv.MessagingDestinationName(m.Topic),
		semconv.MessagingKafkaMessageKey(legible(m.Key)), semconv.MessagingMessageBodySize(m.Size))
	if m.Tombstone {
		attributes = append(attributes, semconv.MessagingKafkaMessageTombstone(true))
	}
	if m.ID != "" {
		attributes = append(attributes, semconv.MessagingMessageID(legible(m.ID)))
	}
	if m.Type != "" {
		attributes = append(attributes, semconv.CloudEventsEventType(legible(m.Type)))
	}
	if m.Correlation != "" {
		attributes = append(attributes, semconv.MessagingMessageConversationID(legible(m.Correlation)))
	}
	if m.Group != "" {
		attributes = append(attributes, semconv.MessagingConsumerGroupName(m.Group))
		attributes = append(attributes, place(m.Partition, m.Offset)...)
	}
	return attributes
}

// maxText is the most of a text that somebody else may have written, in bytes.
const maxText = 255

// legible makes text fit for the exporter, which would drop all spans of a batch for one that is no UTF-8.
func legible(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "\uFFFD")
}

func place(partition int32, offset int64) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingDestinationPartitionID(strconv.Itoa(int(partition))),
		semconv.MessagingKafkaOffset(int(offset)),
	}
}
