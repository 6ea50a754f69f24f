package mail_test

import (
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// An order that is confirmed and then cancelled: each message is folded into the room, and after each the log says
// which mail is to be sent next.
func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	room := &mail.Room{}
	fold := func(m mail.Message) {
		events, err := m.Decide(room)
		if err != nil {
			fmt.Println("refused:", err)
			return
		}
		for _, e := range events {
			fmt.Printf("version %d: %T\n", e.Stamped().Version, e)
		}
		if call, due := room.Logs["o-1"].Next(); due {
			fmt.Println("send", call.MessageID)
		}
	}

	fold(mail.OrderConfirmed{OrderID: "o-1", Total: 4_200, Currency: "EUR", At: now}) // nobody knows yet where to
	fold(mail.OrderPlaced{
		OrderID: "o-1", Address: "ada@example.com", Domain: "shop.example", Total: 4_200, Currency: "EUR", At: now,
	})
	fold(mail.OrderCancelled{OrderID: "o-1", Reason: mail.ReasonTimedOut, Total: 4_200, Currency: "EUR", At: now})
	fold(mail.Answer{OrderID: "o-1", Kind: mail.Confirmation, Outcome: mail.Sent, At: now})

	// Output:
	// send o-1.confirmation@shop.example
	// send o-1.confirmation@shop.example
	// version 4: mail.MailSent
	// send o-1.cancellation@shop.example
}
