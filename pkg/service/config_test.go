package service

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func good() Config {
	return Config{}.WithDefaults("127.0.0.1:8081", "127.0.0.1:9081", "sqlite:order.db")
}

func TestDefaultsAreValidAndThoseOfTheEnvironment(t *testing.T) {
	if err := good().Validate(); err != nil {
		t.Error(err)
	}
	var loaded Config
	if err := Load(&loaded); err != nil {
		t.Fatal(err)
	}
	loaded = loaded.WithDefaults("127.0.0.1:8081", "127.0.0.1:9081", "sqlite:order.db")
	if diff := cmp.Diff(good(), loaded, cmpopts.IgnoreFields(Config{}, "Clock")); diff != "" {
		t.Errorf("an empty environment against WithDefaults (-want +got):\n%s", diff)
	}
}

func TestLoadReadsTheEnvironment(t *testing.T) {
	for variable, value := range map[string]string{
		"HTTP_ADDR": "127.0.0.1:1", "ADMIN_ADDR": "127.0.0.1:2", "ADMIN_TOKEN": "secret", "DATABASE_URL": "sqlite:x",
		"SKIP_MIGRATIONS": "true", "MIGRATE_ONLY": "true", "KAFKA_BROKERS": "a:1,b:2", "REGISTRY_URL": "http://r", "LOG_LEVEL": "warn", "DRAIN": "3s",
		"STALL": "4s", "PARK_FIRST_PAUSE": "5s", "PARK_MAX_PAUSE": "6s", "PARK_ATTEMPTS": "7",
		"PARK_UNKNOWN_SCHEMA": "8s", "HTTP_LIMIT": "9", "HTTP_WAIT": "10s", "HTTP_HELD": "11",
	} {
		t.Setenv("QUADRILLE_"+variable, value)
	}
	var got Config
	if err := Load(&got); err != nil {
		t.Fatal(err)
	}
	want := Config{
		HTTPAddr: "127.0.0.1:1", AdminAddr: "127.0.0.1:2", AdminToken: "secret", DatabaseURL: "sqlite:x",
		SkipMigrations: true, MigrateOnly: true, Brokers: []string{"a:1", "b:2"}, RegistryURL: "http://r", LogLevel: slog.LevelWarn, Drain: 3 * time.Second,
		Stall: 4 * time.Second, ParkFirstPause: 5 * time.Second, ParkMaxPause: 6 * time.Second, ParkAttempts: 7,
		ParkUnknownSchema: 8 * time.Second, HTTPLimit: 9, HTTPWait: 10 * time.Second, HTTPHeld: 11,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestLoadNamesTheVariableAtFault(t *testing.T) {
	type embedding struct {
		Config
		Timeout time.Duration `env:"ORDER_TIMEOUT"`
	}
	for variable, value := range map[string]string{
		"QUADRILLE_DRAIN": "soon", "QUADRILLE_LOG_LEVEL": "loud", "QUADRILLE_ORDER_TIMEOUT": "2",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			err := Load(new(embedding))
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("error %v does not name %s", err, variable)
			}
		})
	}
}

func TestValidateNamesTheVariableAtFault(t *testing.T) {
	tests := map[string]struct {
		spoil func(*Config)
		want  []string
	}{
		"HTTP address": {func(c *Config) { c.HTTPAddr = "8081" }, []string{"QUADRILLE_HTTP_ADDR"}},
		"admin address and what follows": {
			func(c *Config) { c.AdminAddr = "localhost" }, []string{"QUADRILLE_ADMIN_ADDR"},
		},
		"no database":       {func(c *Config) { c.DatabaseURL = "" }, []string{"QUADRILLE_DATABASE_URL"}},
		"no brokers":        {func(c *Config) { c.Brokers = nil }, []string{"QUADRILLE_KAFKA_BROKERS"}},
		"a broker's port":   {func(c *Config) { c.Brokers = []string{"a:1", "b"} }, []string{"QUADRILLE_KAFKA_BROKERS"}},
		"registry's scheme": {func(c *Config) { c.RegistryURL = "127.0.0.1:8091" }, []string{"QUADRILLE_REGISTRY_URL"}},
		"negative limit":    {func(c *Config) { c.HTTPLimit = -1 }, []string{"QUADRILLE_HTTP_LIMIT"}},
		"endless wait":      {func(c *Config) { c.HTTPWait = time.Minute }, []string{"QUADRILLE_HTTP_WAIT"}},
		"negative held":     {func(c *Config) { c.HTTPHeld = -1 }, []string{"QUADRILLE_HTTP_HELD"}},
		"negative drain":    {func(c *Config) { c.Drain = -1 }, []string{"QUADRILLE_DRAIN"}},
		"negative stall":    {func(c *Config) { c.Stall = -1 }, []string{"QUADRILLE_STALL"}},
		"several at once": {
			func(c *Config) { c.HTTPAddr, c.DatabaseURL = "", "" }, []string{"QUADRILLE_HTTP_ADDR", "QUADRILLE_DATABASE_URL"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := good()
			test.spoil(&cfg)
			err := cfg.Validate()
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not name %s", err, want)
				}
			}
		})
	}
}

func TestAdminListenerStaysOnLoopbackWithoutAToken(t *testing.T) {
	for addr, alone := range map[string]bool{
		"127.0.0.1:9081": true, "127.8.8.8:9081": true, "[::1]:9081": true, "localhost:9081": true,
		":9081": false, "0.0.0.0:9081": false, "[::]:9081": false, "10.0.0.1:9081": false, "order:9081": false,
	} {
		cfg := good()
		cfg.AdminAddr = addr
		if err := cfg.Validate(); (err == nil) != alone {
			t.Errorf("%s without a token: %v", addr, err)
		}
		cfg.AdminToken = "secret"
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s with a token: %v", addr, err)
		}
	}
}

func TestBusyPortIsNamedWithItsCure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Config{}.listen(taken.Addr().String(), "the HTTP API of order", "QUADRILLE_HTTP_ADDR")
	for _, want := range []string{"the HTTP API of order", taken.Addr().String(), "in use", "set QUADRILLE_HTTP_ADDR"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
