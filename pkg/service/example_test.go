package service_test

import (
	"fmt"
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// A service's main loads its configuration from the environment, with the service's own addresses as defaults.
func ExampleLoad() {
	os.Setenv("QUADRILLE_DRAIN", "3s")
	defer os.Unsetenv("QUADRILLE_DRAIN")

	var cfg service.Config
	if err := service.Load(&cfg); err != nil {
		fmt.Println(err)
		return
	}
	cfg = cfg.WithDefaults("127.0.0.1:8081", "127.0.0.1:9081", "sqlite:data/order.db")
	fmt.Println(cfg.HTTPAddr, cfg.Drain, cfg.Validate())

	cfg.AdminAddr = ":9081"
	fmt.Println(cfg.Validate())
	// Output:
	// 127.0.0.1:8081 3s <nil>
	// QUADRILLE_ADMIN_ADDR is ":9081", which others can reach; set QUADRILLE_ADMIN_TOKEN or listen on 127.0.0.1
}
