package schemas_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

// orderPlaced1 is the Go type of OrderPlaced as it was generated from version 1.
type orderPlaced1 struct {
	OrderID       string              `avro:"order_id"`
	CustomerID    string              `avro:"customer_id"`
	Email         string              `avro:"email"`
	PaymentMethod string              `avro:"payment_method"`
	Currency      string              `avro:"currency"`
	Total         int64               `avro:"total"`
	Lines         []schemas.OrderLine `avro:"lines"`
	PlacedAt      time.Time           `avro:"placed_at"`
}

func (*orderPlaced1) EventType() string { return "quadrille.order.OrderPlaced" }

// TestTwoReleasesOfOrderPlacedReadEachOther decodes the golden bytes of each version as the other's release does. The
// second version added sales_channel, which its bytes hold.
func TestTwoReleasesOfOrderPlacedReadEachOther(t *testing.T) {
	client := start(t)
	versions := schemas.Golden()["quadrille.order.OrderPlaced"]
	if len(versions) < 2 {
		t.Fatalf("%d golden versions of OrderPlaced", len(versions))
	}
	before := serde.Type{
		Name: "quadrille.order.OrderPlaced", Topic: "order.events", Schema: versions[0].Schema,
		New: func() event.Data { return new(orderPlaced1) },
	}
	var values [][]byte
	for _, v := range versions[:2] {
		id, err := client.RegisterSchema(t.Context(), before.Subject(), sr.Schema{Schema: v.Schema}, -1, -1)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), v.Body...))
	}
	read := func(codec *serde.Codec, value []byte) (event.Data, []string) {
		_, data, err := codec.Decode(t.Context(), before.Topic, value)
		if err != nil {
			t.Fatal(err)
		}
		return data, codec.UnknownFields(value)
	}
	earlier, err := serde.New(t.Context(), client, []serde.Type{before})
	if err != nil {
		t.Fatal(err)
	}

	data, unknown := read(open(t, client), values[0])
	placed := data.(*schemas.OrderPlaced)
	if placed.OrderID == "" || placed.SalesChannel != nil || unknown != nil {
		t.Errorf("version 1 read today as %s, without %v", marshal(t, placed), unknown)
	}
	data, unknown = read(open(t, client), values[1])
	placed = data.(*schemas.OrderPlaced)
	if placed.SalesChannel == nil || *placed.SalesChannel != "tea-shop-app" || unknown != nil {
		t.Errorf("version 2 read today as %s, without %v", marshal(t, placed), unknown)
	}

	want := &orderPlaced1{
		OrderID: placed.OrderID, CustomerID: placed.CustomerID, Email: placed.Email, PaymentMethod: placed.PaymentMethod,
		Currency: placed.Currency, Total: placed.Total, Lines: placed.Lines, PlacedAt: placed.PlacedAt,
	}
	data, unknown = read(earlier, values[1])
	if diff := cmp.Diff(event.Data(want), data); diff != "" {
		t.Errorf("version 2 read by the release before (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sales_channel"}, unknown); diff != "" {
		t.Errorf("and left out (-want +got):\n%s", diff)
	}
}
