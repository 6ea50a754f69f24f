// Package service assembles a service from its parts and runs it: database, unit of work, relay, consumer, timers, the
// HTTP API and the admin listener. A service's own package says what the parts are; this one says in which order they
// start and stop.
package service

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is what every service has to be told. The tags name the environment variables, after the prefix QUADRILLE_.
type Config struct {
	// HTTPAddr is where the API listens. Defaults to the service's own.
	HTTPAddr string `env:"HTTP_ADDR"`
	// AdminAddr is where probes and metrics are served. Defaults to the service's own.
	AdminAddr string `env:"ADMIN_ADDR"`
	// AdminToken is the bearer token that the admin listener asks for, except for its probes. Without one it only
	// listens on loopback.
	AdminToken string `env:"ADMIN_TOKEN" secret:"true"`
	// DatabaseURL is the service's own database, postgres://… or sqlite:///file. No two services share one.
	DatabaseURL string `env:"DATABASE_URL" secret:"true"`
	// SkipMigrations makes the service wait until another, such as a cluster's migration job, has migrated its
	// database. Defaults to false: it does so itself when it starts.
	SkipMigrations bool `env:"SKIP_MIGRATIONS" envDefault:"false"`
	// Brokers are the Kafka brokers to start from. Defaults to 127.0.0.1:9092.
	Brokers []string `env:"KAFKA_BROKERS" envDefault:"127.0.0.1:9092"`
	// RegistryURL is the schema registry. Defaults to http://127.0.0.1:8091.
	RegistryURL string `env:"REGISTRY_URL" envDefault:"http://127.0.0.1:8091"`
	// LogLevel is the least severe level that is written: debug, info, warn or error. Defaults to info.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// Drain is how long requests and batches under way may take to finish at shutdown. Defaults to 10 s.
	Drain time.Duration `env:"DRAIN" envDefault:"10s"`
	// Stall is how long a consumer group may stand still before its backlog no longer holds timers back. Defaults to
	// 60 s.
	Stall time.Duration `env:"STALL" envDefault:"60s"`

	// Version is told by /version. Defaults to "dev".
	Version string `env:"-"`
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time `env:"-"`
	// KafkaOptions are added to every Kafka client.
	KafkaOptions []kgo.Opt `env:"-"`
	// Logger replaces JSON on standard error.
	Logger *slog.Logger `env:"-"`
}

// WithDefaults fills in what is not set, with the service's own addresses and database.
func (c Config) WithDefaults(httpAddr, adminAddr, databaseURL string) Config {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&c.HTTPAddr, httpAddr)
	set(&c.AdminAddr, adminAddr)
	set(&c.DatabaseURL, databaseURL)
	set(&c.RegistryURL, "http://127.0.0.1:8091")
	set(&c.Version, "dev")
	if len(c.Brokers) == 0 {
		c.Brokers = []string{"127.0.0.1:9092"}
	}
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Validate names every variable that is at fault.
func (c Config) Validate() error {
	var errs []error
	fault := func(variable, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s%s %s", Prefix, variable, fmt.Sprintf(format, args...)))
	}
	address := func(variable, addr string) {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fault(variable, "is %q, which is not host:port", addr)
		}
	}
	address("HTTP_ADDR", c.HTTPAddr)
	address("ADMIN_ADDR", c.AdminAddr)
	if len(c.Brokers) == 0 {
		fault("KAFKA_BROKERS", "is empty; it is host:port,host:port,…")
	}
	for _, broker := range c.Brokers {
		address("KAFKA_BROKERS", broker)
	}
	if u, err := url.Parse(c.RegistryURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault("REGISTRY_URL", "is not http://host:port or https://host:port")
	}
	if c.DatabaseURL == "" {
		fault("DATABASE_URL", "is empty; it is postgres://… or sqlite:///file")
	}
	if c.AdminToken == "" && !loopback(c.AdminAddr) {
		fault("ADMIN_ADDR", "is %q, which others can reach; set QUADRILLE_ADMIN_TOKEN or listen on 127.0.0.1",
			c.AdminAddr)
	}
	if c.Drain < 0 {
		fault("DRAIN", "is negative")
	}
	if c.Stall < 0 {
		fault("STALL", "is negative")
	}
	return errors.Join(errs...)
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
