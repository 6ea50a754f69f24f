package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

var errPortTaken = errors.New("another process took the port meanwhile")

// watchdog is the server's parent. It stops the server with signal $1 when its standard input ends. Once the server has
// stopped it removes folder $2, unless that is empty. The rest is the server's command.
const watchdog = `
signal=$1; remove=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -s "$signal" $server; } 2>/dev/null &
watcher=$!
exec 3<&-
wait $server
status=$?
kill $watcher 2>/dev/null
[ -z "$remove" ] || rm -rf "$remove"
exit $status
`

// initialize makes the data folder unless there is one.
func initialize(ctx context.Context, binaries, dir string, account account) error {
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = dir, account.attributes()
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// launch starts the server under its watchdog, without waiting for it.
func launch(cfg Config, dir string, port int, log *os.File, account account) (*Server, error) {
	// An immediate shutdown is enough for data that nobody reads again.
	signal, remove := "QUIT", dir
	if cfg.Dir != "" {
		signal, remove = "INT", ""
	}
	arguments := append([]string{"-c", watchdog, "watchdog", signal, remove}, cfg.command(dir, port)...)
	cmd := exec.Command("/bin/sh", arguments...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = dir, account.attributes(), log, log
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	return &Server{
		port: port, lifeline: lifeline, exited: exited, kill: func() { killSession(cmd.Process.Pid) },
	}, nil
}

// command is the server's command line.
func (cfg Config) command(dir string, port int) []string {
	durable := "off"
	if cfg.Durable {
		durable = "on"
	}
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": strconv.Itoa(port),
		"max_connections": "200", "fsync": durable, "synchronous_commit": durable, "full_page_writes": durable,
	}
	maps.Copy(settings, cfg.Settings)
	command := []string{filepath.Join(cfg.Binaries, "postgres"), "-D", filepath.Join(dir, "data")}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		command = append(command, "-c", name+"="+settings[name])
	}
	return command
}
