package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// version and revision are set by the linker: -ldflags "-X main.version=… -X main.revision=…".
var version, revision string

type versionCommand struct {
	JSON bool `help:"Print it as JSON."`
}

// Run prints what was built, from which revision.
func (c versionCommand) Run() error {
	build := service.Built(version, revision)
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{
			"version": build.Version, "revision": build.Revision, "go": runtime.Version(),
		})
	}
	_, err := fmt.Println("quadrille", build)
	return err
}
