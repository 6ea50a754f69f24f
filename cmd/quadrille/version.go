package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=…".
var version = "dev"

type versionCommand struct{}

func (versionCommand) Run() error {
	revision := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	_, err := fmt.Println("quadrille", version, revision)
	return err
}
