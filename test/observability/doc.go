// Package observability tests what operators see: the alerting rules and boards under deploy/observability, on the real
// Prometheus and Alertmanager, watching the platform while it is broken on purpose. Its tests need these programs and
// the build tag observability; what can be told of the files alone is tested without.
package observability
