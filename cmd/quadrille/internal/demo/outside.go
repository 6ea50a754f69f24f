package demo

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// outside is a part of the world around the services that runs as a process of its own, so that it can be taken away
// and given back. Its data lasts.
type outside struct {
	cfg launch.Config
	// answers is nil once it does.
	answers func(ctx context.Context, started *launch.Process) error
	// process is nil while it is away.
	process *launch.Process
}

// newBroker is not started yet.
func newBroker(program, addr, data string) *outside {
	return &outside{
		cfg: launch.Config{Path: program, Args: []string{"broker", "--lifeline", "--addr", addr, "--data", data}},
		answers: func(ctx context.Context, started *launch.Process) error {
			_, err := started.Line(ctx) // its address, once the topics are there
			return err
		},
	}
}

// newGateway is not started yet. It takes its time with the slow card.
func newGateway(program, addr, data string) *outside {
	return &outside{
		cfg: launch.Config{Path: program, Args: []string{
			"gateway", "--lifeline", "--addr", addr, "--data", data, "--slow", slowCard.String(),
		}},
		answers: func(ctx context.Context, started *launch.Process) error {
			gateway := client.New(client.Addresses{Gateway: addr})
			return client.Until(ctx, "the gateway", func() error {
				select {
				case <-started.Exited():
					return nil // which start tells
				default:
				}
				_, err := gateway.Operations(ctx)
				return err
			})
		},
	}
}

// start returns once it answers.
func (o *outside) start(ctx context.Context) error {
	process, err := launch.Start(o.cfg)
	if err != nil {
		return err
	}
	err = o.answers(ctx, process)
	select {
	case <-process.Exited():
		err = fmt.Errorf("%s ended", o.cfg.Args[0])
	default:
	}
	if err != nil {
		return errors.Join(err, process.Stop(syscall.SIGTERM))
	}
	o.process = process
	return nil
}

// kill takes it away in the middle of whatever it does.
func (o *outside) kill() error {
	process := o.process
	o.process = nil
	if err := process.Stop(syscall.SIGKILL); err != nil {
		return err
	}
	if !launch.Ended(process.PID()) {
		return fmt.Errorf("process %d still runs", process.PID())
	}
	return nil
}

// stop is the end, if it is not away.
func (o *outside) stop() error {
	if o.process == nil {
		return nil
	}
	return o.process.Stop(syscall.SIGTERM)
}
