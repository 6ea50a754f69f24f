package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// run does the errand and returns when nothing is left to be done.
func (e Errand) run(w *World, n int) {
	switch e.Do {
	case "order":
		id := e.place(w, n)
		if id != "" && e.Follows {
			w.people.Go(func() { e.follow(w, id) })
		}
		if id != "" && e.CancelAfter > 0 {
			time.Sleep(e.CancelAfter)
			e.ask(w, order.Name, http.MethodPost, "/v1/orders/"+id+"/cancellation", fmt.Sprintf("cancel-%d", n),
				map[string]string{"reason": "no need any more"})
		}
	case "restock":
		e.ask(w, inventory.Name, http.MethodPost, "/v1/products/"+e.SKU+"/restocks", fmt.Sprintf("restock-%d", n),
			map[string]int64{"quantity": e.Amount})
	case "price":
		e.ask(w, inventory.Name, http.MethodPut, "/v1/products/"+e.SKU, "",
			map[string]any{"name": e.SKU, "price": client.Money{Amount: e.Amount, Currency: "EUR"}})
	case "err":
		e.err(w, n)
	case "read":
		e.ask(w, order.Name, http.MethodGet, "/v1/orders", "", nil)
		e.ask(w, inventory.Name, http.MethodGet, "/v1/products/"+e.SKU, "", nil)
	}
}

// err asks for what must be refused.
func (e Errand) err(w *World, n int) {
	twice := client.Buy("tok_visa", client.Line{SKU: e.SKU, Quantity: 1}, client.Line{SKU: e.SKU, Quantity: 2})
	unknown := client.Buy("tok_visa", client.Line{SKU: "nothing", Quantity: 1})
	many := client.Buy("tok_visa", client.Line{SKU: e.SKU, Quantity: 1_000_000})
	for i, p := range []client.Purchase{twice, unknown, many} {
		p.CustomerID = fmt.Sprintf("customer-%d-%d", n, i)
		e.ask(w, order.Name, http.MethodPost, "/v1/orders", fmt.Sprintf("err-%d-%d", n, i), p)
	}
	e.ask(w, order.Name, http.MethodPost, "/v1/orders/0197f1a0-0000-7000-8000-000000000000/cancellation", "",
		map[string]string{"reason": "there is none"})
	e.ask(w, inventory.Name, http.MethodPost, "/v1/products/nothing/restocks", "", map[string]int64{"quantity": 1})
	e.ask(w, inventory.Name, http.MethodPost, "/v1/products/"+e.SKU+"/restocks", "",
		map[string]int64{"quantity": 1_000_000_000_000})
}

// place places the order and returns its id, if the customer has heard of it.
func (e Errand) place(w *World, n int) string {
	var placed struct {
		ID string `json:"id"`
	}
	body := e.ask(w, order.Name, http.MethodPost, "/v1/orders", fmt.Sprintf("place-%d", n), e.Purchase)
	if body != nil {
		_ = json.Unmarshal(body, &placed)
	}
	return placed.ID
}

// follow looks at an order's payment and mails now and then.
func (e Errand) follow(w *World, id string) {
	for range 8 {
		e.send(w, payment.Name, http.MethodGet, "/v1/payments/"+id, "", nil)
		e.send(w, notification.Name, http.MethodGet, "/v1/notifications?order_id="+id, "", nil)
		time.Sleep(stroke)
	}
}

// ask sends a request until it is answered for good or its sender has had enough, and returns the body of a success.
func (e Errand) ask(w *World, service, method, path, key string, body any) []byte {
	if e.Twice && method == http.MethodPost {
		w.people.Go(func() { e.send(w, service, method, path, key, body) })
	}
	for range e.Tries {
		status, answer := e.send(w, service, method, path, key, body)
		switch {
		case status >= 200 && status < 300:
			return answer
		case status >= 400 && status < 500:
			return nil
		}
		time.Sleep(e.Patience / 4)
	}
	return nil
}

func (e Errand) send(w *World, service, method, path, key string, body any) (status int, answer []byte) {
	inc := w.anyOf(service)
	if inc == nil {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(w.ctx, e.Patience)
	defer cancel()
	status, answer, err := w.call(ctx, inc.api, method, path, key, body)
	w.log("%s %s (%s) at %s: %d %v", method, path, key, inc.name, status, err)
	return status, answer
}

// call sends one request.
func (w *World) call(ctx context.Context, addr, method, path, key string, body any) (int, []byte, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	var read bytes.Buffer
	_, err = read.ReadFrom(response.Body)
	if err != nil {
		return 0, nil, err
	}
	return response.StatusCode, read.Bytes(), nil
}
