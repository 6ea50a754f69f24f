// Package service assembles a service from its parts and runs it: database, unit of work, relay, consumer, timers, the
// HTTP API and the admin listener. A service's own package says what the parts are; this one says in which order they
// start and stop.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/work"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// maxTurn bounds how long a request waits for its turn: well below what its caller is likely to wait, and what its body
// may take.
const maxTurn = 5 * time.Second

// Config is what every service has to be told. The tags name the environment variables, after the prefix QUADRILLE_.
type Config struct {
	// HTTPAddr is where the API listens. Defaults to the service's own.
	HTTPAddr string `env:"HTTP_ADDR"`
	// HTTPLimit is how many requests of the API are worked on at a time. As many more wait for their turn; the others
	// are answered 503 and not done. Probes and metrics have no limit. Defaults to 500.
	HTTPLimit int `env:"HTTP_LIMIT" envDefault:"500"`
	// HTTPWait is how long a request waits for its turn before it is answered 503 and not done. Defaults to 1 s.
	HTTPWait time.Duration `env:"HTTP_WAIT" envDefault:"1s"`
	// HTTPHeld is how many requests may be held until something changes, by their query wait; they are not worked on
	// meanwhile. One beyond is answered at once. Defaults to 10000.
	HTTPHeld int `env:"HTTP_HELD" envDefault:"10000"`
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
	// MigrateOnly makes the service migrate its database and end. Defaults to false.
	MigrateOnly bool `env:"MIGRATE_ONLY" envDefault:"false"`
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
	// ParkFirstPause is the pause before an event that failed, but may succeed later, is tried again. Each next one is
	// twice as long, up to ParkMaxPause. Defaults to 1 s.
	ParkFirstPause time.Duration `env:"PARK_FIRST_PAUSE" envDefault:"1s"`
	// ParkMaxPause is the longest of these pauses. Defaults to 1 minute.
	ParkMaxPause time.Duration `env:"PARK_MAX_PAUSE" envDefault:"1m"`
	// ParkAttempts is how often such an event is tried in all before it is dead. Defaults to 20, about a quarter of an
	// hour.
	ParkAttempts int64 `env:"PARK_ATTEMPTS" envDefault:"20"`
	// ParkUnknownSchema is how long an event may have a schema that the registry does not know before it is dead.
	// Defaults to 2 minutes.
	ParkUnknownSchema time.Duration `env:"PARK_UNKNOWN_SCHEMA" envDefault:"2m"`
	// ParkUnasked is how long a timer or an answer stays parked that nobody hands in again; see work.PrunerConfig.
	// Defaults to ten times ParkMaxPause, at least 10 minutes.
	ParkUnasked time.Duration `env:"-"`

	// Version and Revision are told by /version, the log and the telemetry. They default to what Built finds.
	Version, Revision string `env:"-"`
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time `env:"-"`
	// KafkaOptions are added to every Kafka client.
	KafkaOptions []kgo.Opt `env:"-"`
	// DatabaseOptions are added when the database is opened.
	DatabaseOptions []sqldb.Option `env:"-"`
	// Listen opens the ports of the API and the admin listener. Defaults to net.Listen.
	Listen func(network, address string) (net.Listener, error) `env:"-"`
	// Dial connects to what is spoken to beside database and Kafka: the registry and, in the services that call one,
	// the outside. Defaults to nil: the connections of the operating system.
	Dial func(ctx context.Context, network, address string) (net.Conn, error) `env:"-"`
	// Refuse is asked about each event, by its key; see work.Config. Defaults to what a file says, for tests.
	Refuse func(key string) error `env:"-"`
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
	c.setBuild(Built(c.Version, c.Revision))
	if len(c.Brokers) == 0 {
		c.Brokers = []string{"127.0.0.1:9092"}
	}
	c.HTTPLimit = cmp.Or(c.HTTPLimit, 500)
	c.HTTPWait = cmp.Or(c.HTTPWait, time.Second)
	c.HTTPHeld = cmp.Or(c.HTTPHeld, 10_000)
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
	}
	c.ParkFirstPause = cmp.Or(c.ParkFirstPause, time.Second)
	c.ParkMaxPause = cmp.Or(c.ParkMaxPause, time.Minute)
	c.ParkUnasked = cmp.Or(c.ParkUnasked, max(10*c.ParkMaxPause, 10*time.Minute))
	c.ParkAttempts = cmp.Or(c.ParkAttempts, 20)
	c.ParkUnknownSchema = cmp.Or(c.ParkUnknownSchema, 2*time.Minute)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// transport connects by Dial.
func (c Config) transport() http.RoundTripper {
	if c.Dial == nil {
		return http.DefaultTransport
	}
	return &http.Transport{DialContext: c.Dial}
}

func (c Config) parking() work.Parking {
	return work.Parking{
		FirstPause: c.ParkFirstPause, MaxPause: c.ParkMaxPause, Attempts: c.ParkAttempts,
		PassingFor: c.ParkUnknownSchema,
	}
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
	if c.SkipMigrations && c.MigrateOnly {
		fault("MIGRATE_ONLY", "and %sSKIP_MIGRATIONS contradict each other", Prefix)
	}
	if c.HTTPLimit < 0 {
		fault("HTTP_LIMIT", "is negative")
	}
	if c.HTTPWait < 0 || c.HTTPWait > maxTurn {
		fault("HTTP_WAIT", "is %s; it must be between 0 and %s", c.HTTPWait, maxTurn)
	}
	if c.HTTPHeld < 0 {
		fault("HTTP_HELD", "is negative")
	}
	if c.Drain < 0 {
		fault("DRAIN", "is negative")
	}
	if c.Stall < 0 {
		fault("STALL", "is negative")
	}
	for variable, d := range map[string]time.Duration{
		"PARK_FIRST_PAUSE": c.ParkFirstPause, "PARK_MAX_PAUSE": c.ParkMaxPause,
		"PARK_UNKNOWN_SCHEMA": c.ParkUnknownSchema,
	} {
		if d < 0 {
			fault(variable, "is negative")
		}
	}
	if c.ParkAttempts < 0 {
		fault("PARK_ATTEMPTS", "is negative")
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
