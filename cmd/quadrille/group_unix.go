//go:build unix

package main

import "syscall"

// ownGroup keeps the terminal's Ctrl-C from the services: they are stopped in order, by their parent.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
