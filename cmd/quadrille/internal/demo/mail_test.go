package demo

import (
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

func TestMailsThatWereReceived(t *testing.T) {
	kinds := []string{"confirmation", "refund"}
	arrived := []client.Mail{{MessageID: "<1@q>"}, {MessageID: "2@q"}}
	noted := []client.Notification{{Kind: "refund", Status: "sent", MessageID: "2@q"}, {Kind: "confirmation", Status: "sent", MessageID: "1@q"}}
	sent := map[string]string{"confirmation": "1@q", "refund": "2@q"}
	swapped := []client.Mail{arrived[1], arrived[0]}
	pending := []client.Notification{noted[0], {Kind: "confirmation", Status: "pending", MessageID: "1@q"}}
	tests := []struct {
		name    string
		mails   []client.Mail
		noted   []client.Notification
		sent    map[string]string
		refused string
	}{
		{"all of them", arrived, noted, sent, ""},
		{"one twice", append(arrived[:2:2], arrived[0]), noted, sent, ""},
		{"one under two ids", append(arrived[:2:2], client.Mail{MessageID: "3@q"}), noted, sent, "3 mails arrived"},
		{"none", nil, nil, nil, "0 mails arrived"},
		{"in another order", swapped, noted, sent, "mail 1, of the confirmation"},
		{"one that the service does not know as sent", arrived, pending, sent, "no confirmation was sent"},
		{"one that Kafka knows nothing of", arrived, noted, map[string]string{"refund": "2@q"}, "Kafka has 1"},
		{"another id on Kafka", arrived, noted, map[string]string{"confirmation": "9@q", "refund": "2@q"}, `on Kafka as "9@q"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			refusal(t, mailed(kinds, tt.mails, tt.noted, tt.sent), tt.refused)
		})
	}
}

func TestARepeatedMailIsReadOnce(t *testing.T) {
	got := distinct([]client.Mail{{ID: 1, MessageID: "<1@q>"}, {ID: 2, MessageID: "1@q"}, {ID: 3, MessageID: "2@q"}})
	if len(got) != 2 || got[0].ID != 1 || got[1].ID != 3 {
		t.Errorf("mails %+v", got)
	}
}

func TestMailsThatKafkaTellsOf(t *testing.T) {
	mail := func(id, kind string) record {
		r := said("notification.events", "NotificationSent", id, 1)
		r.Data = &schemas.NotificationSent{Kind: schemas.MailKind(kind), MessageID: id + "@q"}
		return r
	}
	failed := said("notification.events", "NotificationFailed", "9", 1)
	failed.Data = &schemas.NotificationFailed{}
	sent, err := sentOf([]record{said("order.events", "OrderPlaced", "1", 1), mail("2", "refund"), mail("2", "refund")})
	if err != nil || len(sent) != 1 || sent["refund"] != "2@q" {
		t.Errorf("sent %v (%v)", sent, err)
	}
	_, err = sentOf([]record{mail("2", "refund"), mail("3", "refund")})
	refusal(t, err, "one NotificationSent on Kafka is too many")
	_, err = sentOf([]record{failed})
	refusal(t, err, "one NotificationFailed on Kafka is too many")
}
