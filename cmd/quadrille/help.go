package main

// Help is shown by `quadrille up --help`.
func (upCommand) Help() string {
	return `Starts a broker that speaks Kafka's protocol, a schema registry and a payment gateway, creates the topics,
registers the schemas, and starts each service as a process of its own, which it starts again if it dies. It prints the
addresses when all is ready, and stops everything, in order, on Ctrl-C. The data folder is found again by the next
start; "quadrille reset" removes it.

Examples:

  quadrille up                                             on the documented ports, data in ./data
  quadrille up --ephemeral --free-ports --json             beside another one, for a test
  quadrille up --without payment                           to start payment in a debugger
  quadrille up --in-process                                all services in this process
  quadrille up --database order=postgres://localhost/orders
  quadrille up --set QUADRILLE_ORDER_TIMEOUT=10s --addr kafka=127.0.0.1:19092`
}

// Help is shown by `quadrille service --help`.
func (serviceCommand) Help() string {
	return `Runs what the service's image runs, until it is told to stop. It needs a broker, a registry and topics to be
there sooner or later, and waits for them. --env lists the variables that configure it.

Examples:

  quadrille service order
  quadrille service inventory --env`
}

// Help is shown by `quadrille gateway --help`.
func (gatewayCommand) Help() string {
	return `Runs the gateway alone: an HTTP server shaped as card processors are, whose test tokens succeed, decline,
fail for a while or never answer. "quadrille up" has one already.

Examples:

  quadrille gateway
  quadrille gateway --addr 127.0.0.1:18090 --data /tmp/gateway
  quadrille gateway --data '' --slow 200ms                 keeps nothing`
}

// Help is shown by `quadrille apply --help`.
func (applyCommand) Help() string {
	return `Makes the contracts true: every topic of the catalogue exists with its partitions and retention, every
schema is registered under FULL_TRANSITIVE compatibility, every database that is named is migrated. It is a
deployment's task, to be run before the services of a new version; "quadrille up" does it at each start. It fails if
the registry refuses a schema; "quadrille check" says so beforehand.

Examples:

  quadrille apply
  quadrille apply --brokers kafka-1:9092,kafka-2:9092 --registry http://registry:8081
  quadrille apply --wait 2m                                of servers that have just been started
  quadrille apply --databases order=postgres://localhost/orders
  quadrille apply --json`
}

// Help is shown by `quadrille version --help`.
func (versionCommand) Help() string {
	return `Examples:

  quadrille version
  quadrille version --json`
}
