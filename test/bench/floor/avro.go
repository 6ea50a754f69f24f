package main

import (
	"encoding/binary"
	"time"
)

// schemaID stands for the number that the registry gave: five bytes with the magic one before it.
const schemaID = 1

// encoder writes what Avro does with strings, numbers and arrays.
type encoder []byte

func newValue() encoder {
	return binary.BigEndian.AppendUint32(append(make(encoder, 0, 256), 0), schemaID)
}

func (e encoder) long(n int64) encoder { return binary.AppendVarint(e, n) }

func (e encoder) text(s string) encoder { return append(e.long(int64(len(s))), s...) }

func (e encoder) time(t time.Time) encoder { return e.long(t.UnixMicro()) }

// lines writes them with the price of one, if prices are asked for. They are one block, which tells its size, as the
// services' are.
func (e encoder) lines(all []line, prices bool) encoder {
	var block encoder
	for _, l := range all {
		block = block.text(l.SKU).long(l.Quantity)
		if prices {
			block = block.long(l.UnitPrice)
		}
	}
	return append(e.long(int64(-len(all))).long(int64(len(block))), append(block, 0)...)
}

// The values of the events, as schemas/avro has them.

func orderPlaced(id string, e orderEvent) []byte {
	const noSalesChannel = 0
	return newValue().text(id).text(e.CustomerID).text(e.Email).text(e.PaymentMethod).text(e.Currency).long(e.Total).
		lines(e.Lines, true).time(e.At).long(noSalesChannel)
}

func orderConfirmed(id string, e orderEvent) []byte {
	return newValue().text(id).text(e.Currency).long(e.Total).time(e.At)
}

// stockChanged is StockReserved as well as StockCommitted.
func stockChanged(id string, lines []line, at time.Time) []byte {
	return newValue().text(id).lines(lines, false).time(at)
}

// paid is PaymentAuthorized as well as PaymentCaptured.
func paid(id string, amount int64, currency string, at time.Time) []byte {
	return newValue().text(id).long(amount).text(currency).time(at)
}

func notificationSent(id string, at time.Time) []byte {
	const kindConfirmation = 1
	return newValue().text(id).long(kindConfirmation).text(messageID(id)).time(at)
}

// decoder reads it. What is not as expected panics: the records are our own.
type decoder []byte

func newDecoder(value []byte) *decoder {
	d := decoder(value[5:])
	return &d
}

func (d *decoder) long() int64 {
	n, size := binary.Varint(*d)
	*d = (*d)[size:]
	return n
}

func (d *decoder) text() string {
	n := d.long()
	s := string((*d)[:n])
	*d = (*d)[n:]
	return s
}

func (d *decoder) lines() []line {
	var all []line
	for n := d.long(); n != 0; n = d.long() {
		d.long() // the size of the block
		for range -n {
			all = append(all, line{SKU: d.text(), Quantity: d.long(), UnitPrice: d.long()})
		}
	}
	return all
}

// placed is an OrderPlaced.
type placed struct {
	email, method, currency string
	total                   int64
	lines                   []line
}

func (m *message) placed() (p placed) {
	d := newDecoder(m.value)
	d.text() // the order's id, then the customer's
	d.text()
	p.email, p.method, p.currency, p.total, p.lines = d.text(), d.text(), d.text(), d.long(), d.lines()
	return p
}
