// Command generate writes the Go types of the Avro schemas under avro/<topic>/<Record>.avsc.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("schemas", "avro", "folder of the schemas")
	out := flag.String("out", "events_gen.go", "file to write")
	flag.Parse()
	source, err := Generate(os.DirFS(*root))
	if err == nil {
		err = os.WriteFile(*out, source, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
