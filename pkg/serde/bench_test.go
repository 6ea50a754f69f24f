package serde_test

import (
	"testing"

	"github.com/hamba/avro/v2"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func BenchmarkAppend(b *testing.B) {
	_, client := start(b)
	codec := open(b, client, purchaseType)
	data := sample()
	var value []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if value, err = codec.Append(value[:0], data); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(value)))
}

func BenchmarkDecode(b *testing.B) {
	_, client := start(b)
	codec := open(b, client, purchaseType)
	value := encode(b, codec, sample())
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := codec.Decode(b.Context(), topic, value); err != nil {
			b.Fatal(err)
		}
	}
}

// The library alone, which is not safe to use: what the guard and the framing add is the difference.
func BenchmarkUnguarded(b *testing.B) {
	schema, err := avro.ParseWithCache(purchaseSchema, "", &avro.SchemaCache{})
	if err != nil {
		b.Fatal(err)
	}
	api := avro.Config{}.Freeze()
	data := sample()
	body, err := api.Marshal(schema, data)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := api.Marshal(schema, data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := api.Unmarshal(schema, body, new(purchase)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNew(b *testing.B) {
	_, client := start(b)
	open(b, client, purchaseType)
	for b.Loop() {
		if _, err := serde.New(b.Context(), client, []serde.Type{purchaseType}); err != nil {
			b.Fatal(err)
		}
	}
}
