// Package serve opens the ports of the embedded platform and answers HTTP on them.
package serve

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen opens a TCP port for what name says, such as "schema registry". Port 0 takes a free one. For a port that is
// taken the error, which is syscall.EADDRINUSE, names it, what wanted it, and the cure.
func Listen(addr, name string) (net.Listener, error) { return ListenOn(net.Listen, addr, name) }

// ListenOn is [Listen] on a network of the caller's.
func ListenOn(open func(network, addr string) (net.Listener, error), addr, name string) (net.Listener, error) {
	listener, err := open("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, Busy(addr, name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s for the %s: %w", addr, name, err)
	}
	return listener, nil
}

// Busy describes a port that another program holds.
func Busy(addr, name string, err error) error {
	_, port, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		port = addr
	}
	return fmt.Errorf("port %s is taken, and the %s needs it: stop the program that listens there "+
		"(`lsof -i :%s` names it), or give the %s another address: %w", port, name, port, name, err)
}
