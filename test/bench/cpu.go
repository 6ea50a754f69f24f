package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc: USER_HZ, 100 on every Linux that Go runs on.
const clockTick = time.Second / 100

// cpu returns the processor time that each process of the platform has used, and the load itself. It is empty where
// there is no /proc.
func cpu(platform int) map[string]time.Duration {
	used := make(map[string]time.Duration)
	note := func(name string, pid int) {
		if _, spent, _, err := processTimes(pid); err == nil {
			used[name] = spent
		}
	}
	note("load and watcher", os.Getpid())
	note("broker, gateway, registry", platform)
	stats, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well formed
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _, _, err := processTimes(pid)
		line, failed := os.ReadFile(path)
		if err != nil || failed != nil || parent != platform {
			continue
		}
		if args := strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00"); len(args) > 2 && args[1] == "service" {
			note(args[2], pid)
		}
	}
	return used
}

// parents of all processes.
func parents() map[int]int {
	found := make(map[int]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, _, _, err := processTimes(pid); err == nil {
			found[pid] = parent
		}
	}
	return found
}

// machineTime returns the processor time that all programs have used together, and what a hypervisor kept back; zero
// where there is no /proc.
func machineTime() (spent time.Duration) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	const idle, ioWait, guest = 4, 5, 9 // guest time is in user time already; see proc_stat(5)
	for n, field := range strings.Fields(line) {
		if ticks, err := strconv.ParseInt(field, 10, 64); err == nil && n != idle && n != ioWait && n < guest {
			spent += time.Duration(ticks) * clockTick
		}
	}
	return spent
}

// processTimes reads a process's parent, its processor time, user and system, and that of its children that have ended.
func processTimes(pid int) (parent int, spent, ended time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from the third on; see proc(5)
	if len(fields) < 15 {
		return 0, 0, 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return 0, 0, 0, err
	}
	for n, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		switch {
		case err != nil:
			return 0, 0, 0, err
		case n < 2:
			spent += time.Duration(ticks) * clockTick
		default:
			ended += time.Duration(ticks) * clockTick
		}
	}
	return parent, spent, ended, nil
}
