package service

import (
	"cmp"
	"runtime/debug"
)

// Build says which program this is.
type Build struct {
	// Version is a release such as "1.4.2", "dev" if nobody has named it.
	Version string `json:"version"`
	// Revision is the commit that it was made from, with "+dirty" if files were changed since; "unknown" if neither the
	// linker nor the Go command has noted it.
	Revision string `json:"revision"`
}

// Built returns what the linker was told, -ldflags "-X main.version=… -X main.revision=…", and of what is empty what
// the Go command has noted in the binary.
func Built(version, revision string) Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return built(version, revision, info)
}

func built(version, revision string, info *debug.BuildInfo) Build {
	if noted := info.Main.Version; noted != "(devel)" {
		version = cmp.Or(version, noted)
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit != "" && settings["vcs.modified"] == "true" {
		commit += "+dirty"
	}
	return Build{cmp.Or(version, "dev"), cmp.Or(revision, commit, "unknown")}
}

// String is both, version first.
func (b Build) String() string { return b.Version + " " + b.Revision }
