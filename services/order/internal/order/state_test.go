package order_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

var bookkeeping = cmpopts.IgnoreFields(order.Order{}, "Stored", "Snapshot")

// full returns an order in which no field is zero.
func full(t *testing.T) *order.Order {
	t.Helper()
	o := &order.Order{}
	count := -1
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		count++
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(start.Add(time.Duration(count) * time.Microsecond)))
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range v.Len() {
				fill(v.Index(i))
			}
		case v.Kind() == reflect.String:
			v.SetString("text " + string(rune('a'+count%26)))
		case v.Kind() == reflect.Int64:
			v.SetInt(int64(count))
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		default:
			t.Fatalf("an order has a %s; say here how to fill it", v.Type())
		}
	}
	fill(reflect.ValueOf(o).Elem())
	return o
}

// placedOf returns the event that the order began with.
func placedOf(o *order.Order) order.Placed {
	return order.Placed{
		Head:       order.Head{OrderID: o.ID, Version: 1, At: o.PlacedAt},
		CustomerID: o.CustomerID, Email: o.Email, PaymentMethod: o.PaymentMethod, Currency: o.Currency, Total: o.Total,
		Lines: o.Lines, Deadline: o.Deadline, SalesChannel: o.SalesChannel,
	}
}

// What is encoded is every field of an order. If it fails for a new one, encode that too and raise order.Fold.
func TestNothingOfAnOrderIsLost(t *testing.T) {
	o := full(t)
	text, err := order.EncodeState(o)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := order.DecodeState(text)
	if diff := cmp.Diff(o, decoded, bookkeeping); err != nil || diff != "" {
		t.Errorf("state: %v (-want +got):\n%s", err, diff)
	}
	if text, err = order.EncodeProgress(o); err != nil {
		t.Fatal(err)
	}
	restored, err := order.Restore(placedOf(o), o.Status, o.Version, text)
	if diff := cmp.Diff(o, restored, bookkeeping); err != nil || diff != "" {
		t.Errorf("progress: %v (-want +got):\n%s", err, diff)
	}
}

// These texts belong to this number. Whoever changes one changes the number first, so that no release reads what another
// has written and takes it for the whole.
func TestTheEncodedFormBelongsToItsFold(t *testing.T) {
	const (
		fold  = 1
		state = `{"ID":"text b","CustomerID":"text c","Email":"text d","PaymentMethod":"text e",` +
			`"Lines":[{"sku":"text h","quantity":8,"unit_price":9},{"sku":"text l","quantity":12,"unit_price":13}],` +
			`"Total":14,"Currency":"text p","SalesChannel":"text q","Status":"text r","Reason":"text s",` +
			`"Detail":"text t","PlacedAt":"2026-03-01T12:00:00.00002Z","Deadline":"2026-03-01T12:00:00.000021Z",` +
			`"ConfirmedAt":"2026-03-01T12:00:00.000022Z","CancelledAt":"2026-03-01T12:00:00.000023Z",` +
			`"UpdatedAt":"2026-03-01T12:00:00.000024Z",` +
			`"Stock":{"Reserved":"2026-03-01T12:00:00.000026Z","Failed":"2026-03-01T12:00:00.000027Z",` +
			`"Committed":"2026-03-01T12:00:00.000028Z","Released":"2026-03-01T12:00:00.000029Z"},` +
			`"Payment":{"Authorized":"2026-03-01T12:00:00.000031Z","Declined":"2026-03-01T12:00:00.000032Z",` +
			`"Captured":"2026-03-01T12:00:00.000033Z","CaptureFailed":"2026-03-01T12:00:00.000034Z",` +
			`"Voided":"2026-03-01T12:00:00.000035Z","Refunded":"2026-03-01T12:00:00.000036Z","SettledByHand":true},` +
			`"Version":38}`
		progress = `{"reason":"text s","detail":"text t","updated":1772366400000024,"confirmed":1772366400000022,` +
			`"cancelled":1772366400000023,"stock_reserved":1772366400000026,"stock_failed":1772366400000027,` +
			`"stock_committed":1772366400000028,"stock_released":1772366400000029,` +
			`"payment_authorized":1772366400000031,"payment_declined":1772366400000032,` +
			`"payment_captured":1772366400000033,"payment_capture_failed":1772366400000034,` +
			`"payment_voided":1772366400000035,"payment_refunded":1772366400000036,"settled_by_hand":true}`
	)
	gotState, err := order.EncodeState(full(t))
	if err != nil {
		t.Fatal(err)
	}
	gotProgress, err := order.EncodeProgress(full(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{fold, state, progress}, []any{order.Fold, string(gotState), string(gotProgress)}); diff != "" {
		t.Errorf("fold, state, progress (-want +got):\n%s", diff)
	}
}

func TestADamagedStateIsAnError(t *testing.T) {
	if o, err := order.DecodeState([]byte(`{"Total":"6"}`)); err == nil || o != nil {
		t.Errorf("decoded %v, error = %v", o, err)
	}
	if o, err := order.Restore(order.Placed{}, order.StatusPending, 1, []byte(`{`)); err == nil || o != nil {
		t.Errorf("restored %v, error = %v", o, err)
	}
}
