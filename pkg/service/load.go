package service

import (
	"errors"
	"fmt"
	"os"

	"github.com/caarlos0/env/v11"
)

// Prefix of every environment variable that is ours.
const Prefix = "QUADRILLE_"

// Load reads cfg, a pointer to a struct with `env` tags, from the process's environment variables that begin with
// Prefix. One of them that the struct does not know is an error: it is misspelt, or has no effect. The error names the
// variables at fault.
func Load(cfg any) error { return LoadFrom(cfg, env.ToMap(os.Environ())) }

// LoadFrom is Load from variables other than the process's. Others are names that are not refused, though they are
// nothing to cfg: those of services and commands that share the environment.
func LoadFrom(cfg any, environment map[string]string, others ...string) error {
	variables := Variables(cfg)
	known := others
	byField := make(map[string]string, len(variables))
	for _, v := range variables {
		known = append(known[:len(known):len(known)], v.Name)
		byField[v.field] = v.Name
	}
	errs := []error{CheckNames(environment, known)}
	err := env.ParseWithOptions(cfg, env.Options{Prefix: Prefix, Environment: environment})
	if all, ok := errors.AsType[env.AggregateError](err); ok {
		// The library names the field of the struct, which is nothing that an operator can set.
		for _, err := range all.Errors {
			if fault, ok := errors.AsType[env.ParseError](err); ok && byField[fault.Name] != "" {
				err = fmt.Errorf("%s: %w", byField[fault.Name], fault.Err)
			}
			errs = append(errs, err)
		}
	} else {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}
