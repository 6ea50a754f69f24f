package service

import (
	"runtime/debug"
	"testing"
)

func TestBuildIsWhatTheLinkerWasToldElseWhatGoHasNoted(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	commit, dirty := debug.BuildSetting{Key: "vcs.revision", Value: "6e87f4d"},
		debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	for name, test := range map[string]struct {
		version, revision string
		info              *debug.BuildInfo
		want              string
	}{
		"nobody has said anything":      {"", "", info(""), "dev unknown"},
		"a build in a folder":           {"", "", info("(devel)"), "dev unknown"},
		"an installed module":           {"", "", info("v1.4.2"), "v1.4.2 unknown"},
		"a build in a clone":            {"", "", info("(devel)", commit, clean), "dev 6e87f4d"},
		"a build in a changed clone":    {"", "", info("(devel)", commit, dirty), "dev 6e87f4d+dirty"},
		"the linker was told a version": {"1.4.3", "", info("v1.4.2", commit, clean), "1.4.3 6e87f4d"},
		"the linker was told both":      {"1.4.3", "0fdf9c1", info("v1.4.2", commit, dirty), "1.4.3 0fdf9c1"},
	} {
		if got := built(test.version, test.revision, test.info).String(); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestConfigKeepsItsBuild(t *testing.T) {
	cfg := Config{}
	cfg.setBuild(Build{"1.4.3", "0fdf9c1"})
	if cfg = cfg.WithDefaults("", "", ""); cfg.Version != "1.4.3" || cfg.Revision != "0fdf9c1" {
		t.Errorf("version %s, revision %s", cfg.Version, cfg.Revision)
	}
	if cfg = (Config{}).WithDefaults("", "", ""); cfg.Version == "" || cfg.Revision == "" {
		t.Errorf("by default version %q, revision %q", cfg.Version, cfg.Revision)
	}
}
