package demo

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// role is the variable that has this test's program play another: `quadrille up`, or one that ends at once.
const role = "QUADRILLE_TEST_DEMO_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "gone":
		os.Exit(1)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	fmt.Println(`{"kafka":"127.0.0.1:1","registry":"127.0.0.1:1"}`)
	<-stopped
	fmt.Fprintln(os.Stderr, "the disk is full")
	os.Exit(3)
}
