package client

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Notification is what the notification service tells of a mail.
type Notification struct {
	OrderID   string `json:"order_id"`
	Kind      string `json:"kind"`   // confirmation, cancellation or refund
	Status    string `json:"status"` // waiting, pending, sent or failed
	Reason    string `json:"reason"` // why it failed
	MessageID string `json:"message_id"`
}

// Notifications returns those about an order.
func (c *Client) Notifications(ctx context.Context, orderID string) ([]Notification, error) {
	query := url.Values{"order_id": {orderID}, "limit": {"100"}}
	return all[Notification](ctx, c, c.Services["notification"], "/v1/notifications", query)
}

// AllNotifications returns those about all orders.
func (c *Client) AllNotifications(ctx context.Context) ([]Notification, error) {
	return all[Notification](ctx, c, c.Services["notification"], "/v1/notifications", most())
}

// Mail is one that the mailbox of the platform has received.
type Mail struct {
	ID        int64     `json:"id"` // rises in the order of arrival
	From      string    `json:"from"`
	To        []string  `json:"to"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	OrderID   string    `json:"order_id"`
	Date      time.Time `json:"date"`
	Text      string    `json:"text"` // left out in lists
}

// Mails returns those about an order, without their texts, in the order of their arrival.
func (c *Client) Mails(ctx context.Context, orderID string) ([]Mail, error) {
	type list struct {
		Mails []Mail `json:"mails"`
	}
	query := url.Values{"order_id": {orderID}}
	found, err := get[list](ctx, c, c.Mail, "/v1/mails?"+query.Encode())
	return found.Mails, err
}

// AllMails returns those that the mailbox has received so far, as Mails does.
func (c *Client) AllMails(ctx context.Context) ([]Mail, error) {
	type page struct {
		Mails []Mail `json:"mails"`
		Next  int64  `json:"next"`
	}
	var mails []Mail
	for after := int64(0); ; {
		p, err := get[page](ctx, c, c.Mail, fmt.Sprintf("/v1/mails?limit=10000&after=%d", after))
		if err != nil || len(p.Mails) == 0 {
			return mails, err
		}
		mails, after = append(mails, p.Mails...), p.Next
	}
}

// ReadMail returns a mail with its text.
func (c *Client) ReadMail(ctx context.Context, id int64) (Mail, error) {
	return get[Mail](ctx, c, c.Mail, fmt.Sprintf("/v1/mails/%d", id))
}
