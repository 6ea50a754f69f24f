//go:build !unix

package pgserver

import (
	"errors"
	"syscall"
)

type account struct{}

func unprivileged() (account, error) {
	return account{}, errors.New("a server of one's own is only started on Unix; name one with its url")
}

func (account) attributes() *syscall.SysProcAttr { return nil }

func (account) folder(dir string) (string, error) { return dir, nil }

func killSession(int) {}
