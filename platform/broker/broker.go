// Package broker runs a Kafka broker inside the process: it speaks Kafka's wire protocol, keeps its logs and committed
// offsets in a folder, and needs neither Docker nor a JVM. It is for development and tests; services cannot tell it
// from a real one.
package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/quadrille-platform/quadrille/platform/internal/folder"
	"github.com/quadrille-platform/quadrille/platform/internal/serve"
)

const name = "broker"

// Config says where the broker listens and what it keeps.
type Config struct {
	// Addr is the host and port to listen on. The host must be 127.0.0.1, since that is what the broker tells its
	// clients; port 0 takes a free one. Defaults to 127.0.0.1:0.
	Addr string
	// Data is the folder of the logs and offsets, created if need be. Defaults to none: everything is kept in memory.
	Data string
	// Sync makes each produced batch durable before it is acknowledged, as a power cut may demand; without it nothing
	// is lost when only the process is killed. Defaults to false.
	Sync bool
	// SessionTimeout is how long a consumer that fell silent keeps its partitions. Defaults to 3 s.
	SessionTimeout time.Duration
	// Heartbeat is how often consumers must speak. Defaults to 300 ms.
	Heartbeat time.Duration
	// Listen opens the port; tests put a network in memory here. Defaults to net.Listen.
	Listen func(network, address string) (net.Listener, error)
	// Logger receives the broker's warnings and errors; at debug level, its requests too. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = 3 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 300 * time.Millisecond
	}
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// port returns the port of Addr, after checking that the rest of the Config makes sense.
func (c Config) port() (int, error) {
	host, text, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return 0, fmt.Errorf("broker address %q is not host:port", c.Addr)
	}
	if host != "127.0.0.1" && host != "localhost" {
		return 0, fmt.Errorf("broker address %q: the host must be 127.0.0.1", c.Addr)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("broker address %q: the port must be a number from 0 to 65535", c.Addr)
	}
	if c.Heartbeat < 0 || c.SessionTimeout <= c.Heartbeat {
		return 0, fmt.Errorf("broker session timeout %v must be longer than its heartbeat %v",
			c.SessionTimeout, c.Heartbeat)
	}
	return int(port), nil
}

// Broker is a running broker. Its methods may be called concurrently.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	close   func() error
}

// Start runs a broker until Close. Topics exist only once somebody has created them; a client's mention creates none.
// A second Start on the same folder finds the topics, logs and committed offsets of the first, however that ended.
func Start(config Config) (*Broker, error) {
	config = config.withDefaults()
	port, err := config.port()
	if err != nil {
		return nil, err
	}
	release, err := folder.Own(config.Data, name)
	if err != nil {
		return nil, err
	}

	options := []kfake.Opt{
		kfake.Ports(port), // one port, one broker
		kfake.ClusterID("quadrille"),
		kfake.ListenFn(config.Listen),
		kfake.WithLogger(logger{config.Logger}),
		kfake.BrokerConfigs(map[string]string{
			"group.consumer.session.timeout.ms":    milliseconds(config.SessionTimeout),
			"group.consumer.heartbeat.interval.ms": milliseconds(config.Heartbeat),
		}),
	}
	if config.Data != "" {
		if err := forgetMembers(config.Data); err != nil {
			return nil, errors.Join(err, release())
		}
		options = append(options, kfake.DataDir(config.Data))
	}
	if config.Sync {
		options = append(options, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.Join(serve.Busy(config.Addr, name, err), release())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the broker on %s: %w", config.Addr, err), release())
	}

	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0]}
	b.close = sync.OnceValue(func() error {
		cluster.Close()
		return release()
	})
	return b, nil
}

// Addr returns the host and port for clients, such as "127.0.0.1:9092".
func (b *Broker) Addr() string { return b.addr }

// Cluster gives tests what no client can ask of a broker: faults, compaction on demand, a look at groups.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }

// Close cuts off every client, writes what is left to the data folder and gives the folder free. Further calls return
// what the first returned.
func (b *Broker) Close() error { return b.close() }

// forgetMembers drops what a broker that was closed has noted of the members of consumer groups: a member whose session
// ran out before the next start would own its partitions for ever, and nobody else would get them. All join anew.
func forgetMembers(data string) error {
	err := os.Remove(filepath.Join(data, "session_state.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the members of consumer groups: %w", err)
	}
	return nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
