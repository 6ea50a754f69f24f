package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine says what the figures belong to.
func machine() string {
	text := fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load before " + strings.Fields(string(load))[0]
	}
	return text
}
