package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=…".
var version = "dev"

type versionCommand struct {
	JSON bool `help:"Print it as JSON."`
}

// Run prints what was built, from which revision.
func (c versionCommand) Run() error {
	revision := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{
			"version": version, "revision": revision, "go": runtime.Version(),
		})
	}
	_, err := fmt.Println("quadrille", version, revision)
	return err
}
