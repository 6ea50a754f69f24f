package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/load"
)

// wantedOfFloor is the least share of the floor's capacity that the platform must reach.
const wantedOfFloor = 0.5

// onServers measures the platform and the floor in turn, so that both meet the same servers and the same machine. Then
// it shows the latencies of both at equal rates, below the platform's capacity.
func onServers(ctx context.Context, cfg config) (err error) {
	s, err := startServers(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if cfg.quick {
		return glance(ctx, cfg, s)
	}
	all := make(map[string][]capacity)
	for round := range cfg.rounds {
		for _, name := range []string{floorName, platformName} {
			fmt.Fprintf(os.Stderr, "round %d: %s …\n", round+1, name)
			err := on(ctx, cfg, s, name, func(x *stand) error {
				c, err := saturate(ctx, x, cfg, underWay, rampUp, 2*cfg.duration)
				all[name] = append(all[name], c)
				return err
			})
			if err != nil {
				return fmt.Errorf("round %d of the %s: %w", round+1, name, err)
			}
		}
	}
	fmt.Print(capacityTable(all, underWay), realTable(all))
	half := int(median(all[platformName]).rate()) / 2
	rates := []int{lowRate, half, half * 8 / 5}
	if cfg.rate > 0 {
		rates = []int{cfg.rate}
	}
	for _, name := range []string{floorName, platformName} {
		if err := on(ctx, cfg, s, name, func(x *stand) error { return latencies(ctx, x, cfg, rates) }); err != nil {
			return fmt.Errorf("latencies of the %s: %w", name, err)
		}
	}
	return nil
}

// glance sees whether it all works, and whether the floor still does what the services do.
func glance(ctx context.Context, cfg config, s *servers) error {
	if err := s.logStatements(ctx); err != nil {
		return err
	}
	all, executed := make(map[string][]capacity), make(map[string]statements)
	for _, name := range []string{floorName, platformName} {
		fmt.Fprintf(os.Stderr, "%s …\n", name)
		err := on(ctx, cfg, s, name, func(x *stand) error {
			began, err := s.logSize()
			if err != nil {
				return err
			}
			c, err := saturate(ctx, x, cfg, fewUnderWay, time.Second, cfg.duration)
			if err != nil {
				return err
			}
			all[name] = []capacity{c}
			executed[name], err = s.statementsFrom(began)
			return err
		})
		if err != nil {
			return fmt.Errorf("the %s: %w", name, err)
		}
	}
	fmt.Print(capacityTable(all, fewUnderWay), realTable(all))
	if err := compare(executed[floorName], executed[platformName]); err != nil {
		return err
	}
	fmt.Println("The floor executes the services' statements, and leaves out none that writes or locks.")
	return nil
}

// on sets one of the two up, warms it up, and has it measured.
func on(ctx context.Context, cfg config, s *servers, name string, measured func(*stand) error) (err error) {
	x, err := setUp(ctx, cfg, s, name)
	defer func() { err = errors.Join(err, x.stop()) }()
	if err != nil {
		return err
	}
	if _, err := measure(ctx, x.cpu, x.watcher, x.load(cfg), warmUpRate, warmUp); err != nil {
		return err
	}
	if err := s.analyze(ctx); err != nil {
		return err
	}
	return measured(x)
}

func (x *stand) load(cfg config) *load.Load {
	return load.New(load.Config{
		Order: x.order, Purchase: func(n int) client.Purchase { return purchase(n, cfg.skus) },
	})
}

// latencies prints those at each rate, and where the time of the highest sustained one goes.
func latencies(ctx context.Context, x *stand, cfg config, rates []int) error {
	var outcomes []outcome
	l := x.load(cfg)
	for _, rate := range rates {
		fmt.Fprintf(os.Stderr, "%s: %d orders/s for %s …\n", x.name, rate, cfg.duration)
		o, err := measure(ctx, x.cpu, x.watcher, l, rate, cfg.duration)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, o)
	}
	fmt.Print(sagaTable("the "+x.name+" on Kafka and PostgreSQL", outcomes))
	if best, ok := highest(outcomes); ok {
		fmt.Print(stageTable(best))
	}
	return nil
}
