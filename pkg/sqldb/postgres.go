package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connectTimeout bounds a connection attempt whose url has no connect_timeout.
	connectTimeout = 10 * time.Second
	// maxLifetime lets a pool follow a fail-over and free what a session has gathered.
	maxLifetime = time.Hour
	// silence is how long a server's host may acknowledge nothing. What waits for an answer of a host that has died has
	// no bound of its own, and the kernel would send again for a quarter of an hour.
	silence = 20 * time.Second
)

// dialer is the client's side of sessionSettings.
var dialer = net.Dialer{
	Control:         func(network, _ string, c syscall.RawConn) error { return giveUp(network, c, silence) },
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
}

// sessionSettings let the server end a session whose client has gone without a word, a host that lost its power:
// its locks would otherwise stand for hours. The timeout, in ms, is far above what any transaction of ours takes; the
// rest has the kernel look after 10 s of silence, and give up on what stays unacknowledged for 20 s. On a Unix socket
// the server passes over them.
var sessionSettings = map[string]string{
	"idle_in_transaction_session_timeout": "60000",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "20000",
}

func openPostgres(ctx context.Context, url string, cfg config) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	config.DialFunc = dialer.DialContext
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range sessionSettings {
		_, given := config.RuntimeParams[name]
		// The server would let a parameter of its own win over the same one within options.
		if !given && !strings.Contains(config.RuntimeParams["options"], name) {
			config.RuntimeParams[name] = value
		}
	}
	connector := stdlib.GetConnector(*config, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}))
	handle := sql.OpenDB(postgresConnector{connector, config})
	handle.SetMaxOpenConns(cfg.connections)
	handle.SetMaxIdleConns(cfg.connections)
	handle.SetConnMaxLifetime(maxLifetime)
	if err := handle.PingContext(ctx); err != nil {
		_ = handle.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool := postgresPool{handle}
	return &DB{
		dialect:  Postgres,
		writers:  pool,
		readers:  pool,
		migrator: func(context.Context) (*sql.DB, func(), error) { return handle, func() {}, nil },
		closers:  []func() error{handle.Close},
	}, nil
}

// postgresConnector names the cause and the cure of each connection that fails, the first as well as those of a server
// whose passwords were changed since.
type postgresConnector struct {
	driver.Connector
	config *pgx.ConnConfig
}

// Connect implements driver.Connector.
func (c postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		err = postgresCure(c.config, err)
	}
	return conn, err
}

// postgresCure says of a failed connection what to do about it. pgx never repeats the password.
func postgresCure(config *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("%s:%d", config.Host, config.Port)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case untrusted:
		return fmt.Errorf("PostgreSQL at %s shows a certificate that is not trusted; name its authority in the url "+
			"(sslrootcert=FILE): %w", where, err)
	case ok && strings.Contains(pg.Message, "no encryption"):
		return fmt.Errorf("PostgreSQL at %s does not let user %q in without TLS; ask for it in the url "+
			"(sslmode=require), or allow it in pg_hba.conf: %w", where, config.User, err)
	case isWithoutTLS(err):
		return fmt.Errorf("PostgreSQL at %s speaks no TLS; leave it out in the url (sslmode=disable): %w", where, err)
	case ok && pg.Code == "28P01":
		return fmt.Errorf("PostgreSQL at %s refuses the password of user %q; correct the url: %w",
			where, config.User, err)
	case ok && pg.Code[:2] == "28":
		return fmt.Errorf("PostgreSQL at %s does not let user %q in; create the user, or allow it in pg_hba.conf: %w",
			where, config.User, err)
	case ok && pg.Code == "3D000":
		return fmt.Errorf("PostgreSQL at %s has no database %q; create it (createdb %s): %w",
			where, config.Database, config.Database, err)
	case ok:
		return err
	default:
		return fmt.Errorf("PostgreSQL at %s cannot be reached; start it, or correct the url: %w", where, err)
	}
}

// postgresPool leaves pooling to database/sql, which checks a connection before it lends it, and statements to pgx,
// which prepares each text once a connection.
type postgresPool struct{ db *sql.DB }

func (p postgresPool) acquire(ctx context.Context) (*session, error) {
	conn, err := p.db.Conn(ctx)
	if err == nil {
		return &session{conn: conn}, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	// Whatever the reason, a password changed included, no statement is at fault.
	return nil, &unavailableError{err}
}

func (p postgresPool) release(s *session, broken bool) { s.close(broken) }

// postgresAlive says whether the connection still stands.
func postgresAlive(s *session) bool {
	alive := false
	_ = s.conn.Raw(func(conn any) error {
		alive = !conn.(*stdlib.Conn).Conn().IsClosed()
		return nil
	})
	return alive
}

// commitPostgres does not take a rollback for a commit: to COMMIT of a failed transaction PostgreSQL answers ROLLBACK,
// without an error.
func commitPostgres(ctx context.Context, s *session) error {
	return s.conn.Raw(func(conn any) error {
		tag, err := conn.(*stdlib.Conn).Conn().Exec(ctx, "COMMIT")
		if err == nil && tag.String() == "ROLLBACK" {
			return ErrAborted
		}
		return err
	})
}
