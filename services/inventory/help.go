package inventory

import _ "embed"

//go:embed service.go
var source string

// Source is where -help and the configuration page find the comments of Config.
func (Config) Source() string { return source }
