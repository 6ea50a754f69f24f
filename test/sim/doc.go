// Package sim plays the whole platform in one process and in virtual time: the four services as they are, the embedded
// broker, the registry, the payment gateway and the mailbox, on a network in memory and on SQLite files. A seed draws
// who orders what and what goes wrong meanwhile; then everything heals, comes to rest, and the checker decides whether
// each guarantee held.
//
// What follows from a seed exactly is the Plan: products, errands and faults, and the templates of the databases. The
// course of a run is nearly the same each time, not exactly: goroutines are scheduled and maps walked as the runtime
// likes, ids of requests are random, and with them the partitions. On one processor a seed that fails mostly fails
// again; shrinking plays it several times.
//
// Read world.go for what there is, kind.go for what goes wrong, errand.go and customer.go for what people do, run.go
// for a run from its beginning to its end, and campaign.go for many of them.
package sim
