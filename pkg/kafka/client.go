// Package kafka consumes events into a unit of work and knows how far a consumer group has come. It also makes the
// topics, which only a deployment does, and the clients that everything else shares.
package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"
)

// Config says how to reach the brokers.
type Config struct {
	// Brokers are "host:port" addresses to start from.
	Brokers []string
	// ClientID names this process to the brokers.
	ClientID string
	// Logger gets the client's own messages from warnings up. Defaults to slog.Default().
	Logger *slog.Logger
	// Options are appended to every client: TLS, SASL, hooks, a dialer.
	Options []kgo.Opt
}

// NewClient returns a client with the options that all of ours share. It does not wait for a broker.
func NewClient(cfg Config, opts ...kgo.Opt) (*kgo.Client, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	all := []kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.ClientID(cfg.ClientID),
		kgo.WithLogger(kslog.New(slog.New(warnings{cfg.Logger.Handler()}).With("component", "kafka"))),
		kgo.DisableClientMetrics(), // what we measure goes out by our own means
		kgo.WithHooks(unhurried{}),
		// By default a client asks who leads a partition every 5 s at most, and each step of a failover waits for that.
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MaxDecompressBatchBytes(maxBatchBytes),
		kgo.RetryBackoffFn(func(tries int) time.Duration {
			return min(50*time.Millisecond<<min(tries, 6), time.Second)
		}),
	}
	all = append(all, cfg.Options...)
	client, err := kgo.NewClient(append(all, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client for %v: %w", cfg.Brokers, err)
	}
	return client, nil
}

// metadataMinAge is how often a client asks at most where the leaders of partitions are.
const metadataMinAge = 500 * time.Millisecond

// maxBatchBytes bounds a batch of records that is read, once it is unpacked: twice the largest that our producers send.
// Some thousand compressed bytes may claim more than there is memory.
const maxBatchBytes = 4 << 20

// dialPause is how long a client waits after a failed dial.
const dialPause = 100 * time.Millisecond

// unhurried holds a client up after a failed dial. While nobody listens, franz-go 1.22.2 sets a group's session up
// again after each failure, at once and without end: a whole processor would be busy dialling.
type unhurried struct{}

var _ kgo.HookBrokerConnect = unhurried{}

// OnBrokerConnect implements [kgo.HookBrokerConnect].
func (unhurried) OnBrokerConnect(_ kgo.BrokerMetadata, took time.Duration, _ net.Conn, err error) {
	if err != nil {
		time.Sleep(dialPause - took)
	}
}

// warnings passes on what is at least a warning: a Kafka client tells its life at info.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
