package parts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

const kafkaJava = 17

// KafkaConfig says which cluster to start.
type KafkaConfig struct {
	// Store has the jars.
	Store Store
	// Nodes is how many brokers there are, each a controller too. With three or more every record is on three, and
	// acknowledged once it is on two. Defaults to 1.
	Nodes int
	// Data is the folder of the nodes' logs, Logs that of what they say.
	Data, Logs string
	// Advertised is where clients are told that each node is, such as the addresses of proxies. Defaults to where the
	// nodes listen.
	Advertised func(node int, listens string) (string, error)
}

// Kafka is a cluster that runs.
type Kafka struct {
	nodes   []*node
	command []string
}

// node is one of the cluster's.
type node struct {
	// listens and advertised are for clients, peer for the other brokers.
	listens, advertised, peer, controller string
	// directory is the id of its log folder, by which the first controllers know each other.
	directory  string
	properties string
	log        string
	process    *process
}

// StartKafka starts a cluster and returns once all nodes are members. Nothing is left running after an error.
func StartKafka(ctx context.Context, cfg KafkaConfig) (_ *Kafka, err error) {
	cfg.Nodes = max(cfg.Nodes, 1)
	if cfg.Advertised == nil {
		cfg.Advertised = func(_ int, listens string) (string, error) { return listens, nil }
	}
	path, err := java(ctx, kafkaJava, "Kafka "+kafkaVersion)
	if err != nil {
		return nil, err
	}
	jars, err := cfg.Store.Kafka(ctx)
	if err != nil {
		return nil, err
	}
	k := &Kafka{command: []string{
		path, "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + filepath.Join(cfg.Data, "log4j2.properties"), "-cp", filepath.Join(jars, "*"),
	}}
	if err := k.plan(cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Stop())
		}
	}()
	if err := k.format(ctx); err != nil {
		return nil, err
	}
	for i := range k.nodes {
		if err := k.Start(i); err != nil {
			return nil, err
		}
	}
	return k, k.Ready(ctx)
}

// plan gives each node its addresses and writes its configuration.
func (k *Kafka) plan(cfg KafkaConfig) error {
	if err := errors.Join(os.MkdirAll(cfg.Data, 0o755), os.MkdirAll(cfg.Logs, 0o755)); err != nil {
		return fmt.Errorf("folders of Kafka: %w", err)
	}
	addrs, err := launch.FreeAddresses(3 * cfg.Nodes)
	if err != nil {
		return err
	}
	for i := range cfg.Nodes {
		n := &node{
			listens: addrs[3*i], peer: addrs[3*i+1], controller: addrs[3*i+2], directory: newUUID(),
			properties: filepath.Join(cfg.Data, fmt.Sprintf("node-%d.properties", i)),
			log:        filepath.Join(cfg.Logs, fmt.Sprintf("kafka-%d.log", i)),
		}
		if n.advertised, err = cfg.Advertised(i, n.listens); err != nil {
			return err
		}
		k.nodes = append(k.nodes, n)
	}
	if err := os.WriteFile(filepath.Join(cfg.Data, "log4j2.properties"), []byte(kafkaLogging), 0o644); err != nil {
		return fmt.Errorf("configuration of Kafka: %w", err)
	}
	for i, n := range k.nodes {
		text := k.configuration(i, filepath.Join(cfg.Data, fmt.Sprint("node-", i)))
		if err := os.WriteFile(n.properties, []byte(text), 0o644); err != nil {
			return fmt.Errorf("configuration of Kafka: %w", err)
		}
	}
	return nil
}

// format makes the log folders.
func (k *Kafka) format(ctx context.Context) error {
	var first []string
	for i, n := range k.nodes {
		first = append(first, fmt.Sprintf("%d@%s:%s", i, n.controller, n.directory))
	}
	cluster := newUUID()
	g, ctx := errgroup.WithContext(ctx)
	for _, n := range k.nodes {
		g.Go(func() error {
			args := slices.Concat(k.command[1:], []string{"kafka.tools.StorageTool", "format", "-t", cluster,
				"-c", n.properties, "--initial-controllers", strings.Join(first, ",")})
			return run(exec.CommandContext(ctx, k.command[0], args...))
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("format the logs of Kafka: %w", err)
	}
	return nil
}

// newUUID is one in Kafka's writing, which does not begin with a hyphen.
func newUUID() string {
	var id [16]byte
	for {
		_, _ = rand.Read(id[:]) // never fails
		if text := base64.RawURLEncoding.EncodeToString(id[:]); text[0] != '-' {
			return text
		}
	}
}

// Start starts a node that does not run, without waiting for it.
func (k *Kafka) Start(i int) (err error) {
	n := k.nodes[i]
	n.process, err = start(fmt.Sprint("Kafka node ", i), n.log, nil,
		slices.Concat(k.command, []string{"kafka.Kafka", n.properties})...)
	return err
}

// Kill ends a node at once, as SIGKILL does.
func (k *Kafka) Kill(i int) { k.nodes[i].process.kill() }

// Ready waits until every node knows all others.
func (k *Kafka) Ready(ctx context.Context) error {
	for i := range k.nodes {
		err := k.until(ctx, i, func(_ *kadm.Client, seen kadm.Metadata) error {
			if len(seen.Brokers) < len(k.nodes) {
				return fmt.Errorf("it knows %d of %d nodes", len(seen.Brokers), len(k.nodes))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// InSync waits until every partition is on every node that it belongs to, and is led by the one that is first among
// these.
func (k *Kafka) InSync(ctx context.Context) error {
	return k.until(ctx, 0, func(admin *kadm.Client, seen kadm.Metadata) error {
		for _, topic := range seen.Topics.Sorted() {
			for _, p := range topic.Partitions.Sorted() {
				switch {
				case len(p.ISR) < len(p.Replicas):
					return fmt.Errorf("partition %d of %s is on %v of %v", p.Partition, p.Topic, p.ISR, p.Replicas)
				case p.Leader != p.Replicas[0]:
					_, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
					return errors.Join(err, fmt.Errorf("%d leads partition %d of %s", p.Leader, p.Partition, p.Topic))
				}
			}
		}
		return nil
	})
}

// until asks a node until look returns nil. Each time it asks as somebody new, for a client keeps what it was told.
func (k *Kafka) until(ctx context.Context, i int, look func(*kadm.Client, kadm.Metadata) error) error {
	return k.nodes[i].process.ready(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		client, err := kgo.NewClient(kgo.SeedBrokers(k.nodes[i].peer), kgo.DisableClientMetrics())
		if err != nil {
			return err
		}
		defer client.Close()
		admin := kadm.NewClient(client)
		seen, err := admin.Metadata(ctx)
		if err != nil {
			return err
		}
		return look(admin, seen)
	})
}

// Addrs is where clients find the nodes.
func (k *Kafka) Addrs() []string {
	addrs := make([]string, len(k.nodes))
	for i, n := range k.nodes {
		addrs[i] = n.advertised
	}
	return addrs
}

// Peers is where the nodes find each other, whatever is advertised to clients.
func (k *Kafka) Peers() []string {
	addrs := make([]string, len(k.nodes))
	for i, n := range k.nodes {
		addrs[i] = n.peer
	}
	return addrs
}

// Stop stops all nodes.
func (k *Kafka) Stop() error {
	var g errgroup.Group // together, for one alone is no quorum to sign off at
	for _, n := range k.nodes {
		g.Go(n.process.stop)
	}
	return g.Wait()
}
