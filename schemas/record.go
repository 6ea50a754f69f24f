package schemas

import "strings"

// Data is what the Go type of every event can say: the full name of its Avro record.
type Data = interface{ EventType() string }

// Record is the contract of one event.
type Record struct {
	// Name is the full name of the Avro record, Topic where it is published, Schema its text.
	Name, Topic, Schema string
	// Owner is the one service that publishes it, Consumers are those that may read it.
	Owner     string
	Consumers []string
	// New returns a pointer to an empty value of its Go type.
	New func() Data
}

// Simple returns the last part of its name, which is unique among the records: their Go types share a package.
func (r Record) Simple() string { return simple(r.Name) }

func simple(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// record is called by what the generator writes. Owner and consumers are those of the catalogue.
func record(name, topic, path string, empty func() Data) Record {
	r := Record{Name: name, Topic: topic, Schema: text(path), New: empty}
	for _, t := range catalogue() {
		if t.Name == topic {
			r.Owner, r.Consumers = t.Owner, t.events[simple(name)]
		}
	}
	return r
}

func text(path string) string {
	data, err := files.ReadFile(path)
	if err != nil {
		panic(err) // the generator wrote the path, and the file is embedded
	}
	return string(data)
}
