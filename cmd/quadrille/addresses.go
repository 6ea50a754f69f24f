package main

import (
	"fmt"
	"net"
	"strconv"
)

// addresses of a running platform, all on 127.0.0.1.
type addresses struct {
	Kafka    string `json:"kafka"`
	Registry string `json:"registry"`
	Gateway  string `json:"gateway"`
	// Services and Admin are by the name of the service.
	Services map[string]string `json:"services"`
	Admin    map[string]string `json:"admin"`
}

const host = "127.0.0.1"

func defaultAddresses() addresses {
	return addresses{
		Kafka: host + ":9092", Registry: host + ":8091", Gateway: host + ":8090",
		Services: map[string]string{"order": host + ":8081", "inventory": host + ":8082", "payment": host + ":8083"},
		Admin:    map[string]string{"order": host + ":9081", "inventory": host + ":9082", "payment": host + ":9083"},
	}
}

// freeAddresses takes ports that are free now.
func freeAddresses() (addresses, error) {
	a := addresses{Services: make(map[string]string), Admin: make(map[string]string)}
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close() // held only so that no port comes twice
		}
	}()
	take := func() (string, error) {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			return "", fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, l)
		return net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)), nil
	}
	for _, to := range []*string{&a.Kafka, &a.Registry, &a.Gateway} {
		addr, err := take()
		if err != nil {
			return a, err
		}
		*to = addr
	}
	for _, name := range serviceNames {
		for _, m := range []map[string]string{a.Services, a.Admin} {
			addr, err := take()
			if err != nil {
				return a, err
			}
			m[name] = addr
		}
	}
	return a, nil
}
