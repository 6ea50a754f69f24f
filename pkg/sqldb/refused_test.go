package sqldb_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// guarded is a server that asks for passwords, has a certificate that nobody trusts, and lets one user in by TLS only.
func guarded(t *testing.T) (address *url.URL, administer func(statements ...string)) {
	t.Helper()
	server, err := pgserver.Start(t.Context(), pgserver.Config{Settings: map[string]string{
		"password_encryption": "scram-sha-256",
	}})
	if errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED ON POSTGRESQL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if address, err = url.Parse(server.URL("postgres")); err != nil {
		t.Fatal(err)
	}
	super, err := pgx.Connect(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = super.Close(t.Context()) })
	administer = func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := super.Exec(t.Context(), s); err != nil {
				t.Fatal(s, err)
			}
		}
	}
	certificate, key := selfSigned(t)
	// The server writes its own files, for they must be its user's.
	write := func(file, content string) string {
		return fmt.Sprintf("COPY (SELECT 1) TO PROGRAM 'umask 077; echo %s | base64 -d >%s'",
			base64.StdEncoding.EncodeToString([]byte(content)), file)
	}
	administer(
		"CREATE USER clerk PASSWORD 'right'", "CREATE USER courier PASSWORD 'right'", "CREATE DATABASE office",
		write("server.crt", certificate), write("server.key", key),
		write("pg_hba.conf", "host all postgres 127.0.0.1/32 trust\n"+
			"hostssl all courier 127.0.0.1/32 scram-sha-256\n"+
			"host all clerk 127.0.0.1/32 scram-sha-256\n"),
	)
	return address, administer
}

// selfSigned returns a certificate for 127.0.0.1 and its key, as PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

func TestAServerThatLetsNobodyInIsNamedWithCauseAndCure(t *testing.T) {
	address, administer := guarded(t)
	reached := func(user *url.Userinfo, database, query string) string {
		to := *address
		to.User, to.Path, to.RawQuery = user, "/"+database, query
		return to.String()
	}
	const plain = "sslmode=disable"
	refused := func(name, url string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			wantOpenError(t, url, append(want, "PostgreSQL at "+address.Host)...)
			db, err := sqldb.Open(t.Context(), url)
			if err == nil {
				_ = db.Close()
			}
			if !sqldb.IsRefused(err) {
				t.Errorf("%v is not taken for a refusal", err)
			}
		})
	}
	clerk := url.UserPassword("clerk", "right")
	administer("SELECT pg_reload_conf()")
	refused("TLS where there is none", reached(clerk, "office", "sslmode=require"), "speaks no TLS", "sslmode=disable")
	administer("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")

	refused("a wrong password", reached(url.UserPassword("clerk", "secret"), "office", plain),
		`refuses the password of user "clerk"`, "correct the url")
	refused("no password", reached(url.User("clerk"), "office", plain), `refuses the password of user "clerk"`)
	refused("a user that pg_hba.conf leaves out", reached(url.UserPassword("stranger", "secret"), "office", plain),
		`does not let user "stranger" in`, "pg_hba.conf")
	refused("a database that is missing", reached(clerk, "nowhere", plain), `no database "nowhere"`, "createdb nowhere")
	refused("no TLS where it is asked for", reached(url.UserPassword("courier", "secret"), "office", plain),
		`does not let user "courier" in without TLS`, "sslmode=require")
	refused("an unknown authority", reached(clerk, "office", "sslmode=verify-full"),
		"a certificate that is not trusted", "sslrootcert")

	t.Run("a user that may not migrate", func(t *testing.T) {
		db, err := sqldb.Open(t.Context(), reached(clerk, "office", "sslmode=require"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		super, err := pgx.Connect(t.Context(), reached(url.User("postgres"), "office", plain))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = super.Close(t.Context()) }()
		// What PostgreSQL does by itself from version 15 on.
		if _, err := super.Exec(t.Context(), "REVOKE CREATE ON SCHEMA public FROM PUBLIC"); err != nil {
			t.Fatal(err)
		}
		err = sqldb.Migrate(t.Context(), db, work.Migrations(), "work")
		if !sqldb.IsRefused(err) || !strings.Contains(err.Error(), "make it the owner of the database") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a password that was changed", func(t *testing.T) {
		db, err := sqldb.Open(t.Context(), reached(clerk, "office", plain))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		administer("ALTER USER clerk PASSWORD 'another'",
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clerk'")
		if err = db.Ping(t.Context()); err == nil {
			err = db.Ping(t.Context())
		}
		if !sqldb.IsRefused(err) || !sqldb.IsUnavailable(err) {
			t.Errorf("error %v: refused %t, unavailable %t", err, sqldb.IsRefused(err), sqldb.IsUnavailable(err))
		}
	})
}
