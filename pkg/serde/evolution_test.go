package serde_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

func TestOtherVersionsAreReadAsOurs(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)
	tests := map[string]struct {
		writer  string
		value   map[string]any
		want    *purchase
		unknown []string
	}{
		"an older one without what has a default": {
			writer: `{"type":"record","name":"Purchase","namespace":"shop","fields":[
				{"name":"id","type":"string"},
				{"name":"reason","type":{"type":"enum","name":"Reason","symbols":["unknown","gift"],"default":"unknown"}},
				{"name":"total","type":"int"},
				{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
					{"name":"sku","type":"string"},{"name":"quantity","type":"int"}]}}},
				{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`,
			value: map[string]any{"id": "old", "reason": "gift", "total": 5, "at": at,
				"lines": []map[string]any{{"sku": "a", "quantity": 1}}},
			want: &purchase{ID: "old", Reason: "gift", Total: 5, Lines: []line{{"a", 1}}, At: at},
		},
		"a newer one in another order, with a symbol and fields we do not know": {
			writer: `{"type":"record","name":"Purchase","namespace":"shop","fields":[
				{"name":"tags","type":{"type":"map","values":["null","long","string"]},"default":{}},
				{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
				{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
					{"name":"colours","type":{"type":"array","items":"string"},"default":[]},
					{"name":"quantity","type":"long"},{"name":"sku","type":"string"}]}}},
				{"name":"by_hand","type":"boolean","default":false},
				{"name":"total","type":"long"},
				{"name":"detail","type":["string","null"],"default":""},
				{"name":"reason","type":{"type":"enum","name":"Reason",
					"symbols":["unknown","whim","gift","need"],"default":"unknown"}},
				{"name":"id","type":"string"}]}`,
			value: map[string]any{"id": "new", "reason": "whim", "detail": map[string]any{"string": "so"}, "total": int64(7),
				"by_hand": true, "at": at, "tags": map[string]any{"a": nil, "b": map[string]any{"long": int64(1)}},
				"lines": []map[string]any{{"sku": "a", "quantity": int64(1), "colours": []string{"red", "green"}}}},
			want: &purchase{ID: "new", Reason: "unknown", Detail: new("so"), Total: 7, ByHand: true,
				Lines: []line{{"a", 1}}, At: at},
			unknown: []string{"tags", "lines.colours"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			registry, client := start(t)
			codec := open(t, client, purchaseType)
			registry.SeedSchema("another", 1, 50, sr.Schema{Schema: test.writer})
			body, err := avro.Marshal(avro.MustParse(test.writer), test.value)
			if err != nil {
				t.Fatal(err)
			}
			value := framed(50, body...)
			if unknown := codec.UnknownFields(value); unknown != nil {
				t.Errorf("the fields %v are unknown of a schema that was not met", unknown)
			}
			_, data, err := codec.Decode(t.Context(), topic, value)
			if err != nil {
				t.Fatalf("G9: not read as ours: %v", err)
			}
			if diff := cmp.Diff(test.want, data); diff != "" {
				t.Errorf("G9: not read as ours (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.unknown, codec.UnknownFields(value)); diff != "" {
				t.Errorf("unknown fields (-want +got):\n%s", diff)
			}
		})
	}
}
