package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Every refusal is a problem+json that names the field and neither repeats a value nor shows Go's words.
func TestRefusalsNameTheField(t *testing.T) {
	p := up(t, "--ephemeral")
	p.stock(t, "dollar-001", 5)
	base := "http://" + p.Services["inventory"] + "/v1/products/dollar-001"
	dollar := map[string]any{"name": "In dollars", "price": map[string]any{"amount": 100, "currency": "USD"}}
	if _, err := call(http.MethodPut, base, nil, dollar, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "order knows the new price", func() error {
		_, err := placeAt(p.Services["order"], "tok_visa", line{"tea-001", 1}, line{"dollar-001", 1})
		if err == nil {
			t.Log("the old price still counts")
			return io.EOF
		}
		return nil
	})

	const poison = "POISON" // must not come back
	order := func(member, value string) string {
		body := map[string]string{
			"customer_id": `"ada"`, "email": `"ada@example.com"`, "payment_method": `"tok_visa"`,
			"lines": `[{"sku":"tea-001","quantity":1}]`,
		}
		body[member] = value
		var members []string
		for _, k := range []string{"customer_id", "email", "payment_method", "lines", member} {
			if v, ok := body[k]; ok && v != "" {
				members = append(members, `"`+k+`":`+v)
				delete(body, k)
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	lines := func(text string) string { return order("lines", text) }
	orders := "http://" + p.Services["order"] + "/v1/orders"
	const malformed, validation = "malformed", "validation"
	tests := []struct {
		name, method, url, body string
		status                  int
		problem, field          string
	}{
		{"unknown sku", "POST", orders, lines(`[{"sku":"tea-001","quantity":1},{"sku":"POISON","quantity":1}]`), 422, validation, "lines[1].sku"},
		{"quantity zero", "POST", orders, lines(`[{"sku":"tea-001","quantity":0}]`), 422, validation, "lines[0].quantity"},
		{"quantity negative", "POST", orders, lines(`[{"sku":"tea-001","quantity":-1}]`), 422, validation, "lines[0].quantity"},
		{"quantity fractional", "POST", orders, lines(`[{"sku":"tea-001","quantity":1.5}]`), 422, validation, "lines[0].quantity"},
		{"quantity huge", "POST", orders, lines(`[{"sku":"tea-001","quantity":1e300}]`), 422, validation, "lines[0].quantity"},
		{"quantity beyond int64", "POST", orders, lines(`[{"sku":"tea-001","quantity":92233720368547758080}]`), 422, validation, "lines[0].quantity"},
		{"quantity a string", "POST", orders, lines(`[{"sku":"tea-001","quantity":"POISON"}]`), 422, validation, "lines[0].quantity"},
		{"no lines", "POST", orders, lines(`[]`), 422, validation, "lines"},
		{"lines null", "POST", orders, lines(`null`), 422, validation, "lines"},
		{"too many lines", "POST", orders, lines("[" + strings.Repeat(`{"sku":"tea-001","quantity":1},`, 100) + `{"sku":"cup-001","quantity":1}]`), 422, validation, "lines"},
		{"a sku twice", "POST", orders, lines(`[{"sku":"tea-001","quantity":1},{"sku":"tea-001","quantity":1}]`), 422, validation, "lines[1].sku"},
		{"mixed currencies", "POST", orders, lines(`[{"sku":"tea-001","quantity":1},{"sku":"dollar-001","quantity":1}]`), 422, validation, "lines[1].sku"},
		{"e-mail without @", "POST", orders, order("email", `"POISON"`), 422, validation, "email"},
		{"e-mail with a name", "POST", orders, order("email", `"POISON <a@b.example>"`), 422, validation, "email"},
		{"e-mail with CR LF", "POST", orders, order("email", `"a@b.example\r\nBcc: POISON@c.example"`), 422, validation, "email"},
		{"unknown field", "POST", orders, order("coupon", `"POISON"`), 422, validation, "coupon"},
		{"a field's name in capitals", "POST", orders, lines(`[{"SKU":"POISON","sku":"tea-001","quantity":1}]`), 422, validation, "lines[0].SKU"},
		{"a field twice", "POST", orders, `{"customer_id":"ada","customer_id":"POISON"}`, 400, malformed, "customer_id"},
		{"a field missing", "POST", orders, order("email", ""), 422, validation, "email"},
		{"malformed JSON", "POST", orders, `{"customer_id":POISON`, 400, malformed, ""},
		{"nothing", "POST", orders, ``, 400, malformed, "body"},
		{"deeply nested", "POST", orders, order("lines", strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), 400, malformed, ""},
		{"NUL", "POST", orders, order("customer_id", `"PO\u0000ISON"`), 400, malformed, "customer_id"},
		{"invalid UTF-8", "POST", orders, order("customer_id", "\"POISON\xff\""), 400, malformed, ""},
		{"body over 1 MiB", "POST", orders, order("customer_id", `"`+strings.Repeat("x", 1<<20)+`"`), 413, "too-large", ""},
		{"bad cursor", "GET", orders + "?cursor=POISON", "", 422, validation, "cursor"},
		{"limit zero", "GET", orders + "?limit=0", "", 422, validation, "limit"},
		{"limit out of range", "GET", orders + "?limit=101", "", 422, validation, "limit"},
		{"unknown status", "GET", orders + "?status=POISON", "", 422, validation, "status"},
		{"no such order", "GET", orders + "/01a1fd18-730d-74ba-a518-0017a79dc22e", "", 404, "not-found", ""},
		{"an order id that is none", "GET", orders + "/POISON", "", 422, validation, "id"},
		{"wait too long", "GET", orders + "/01a1fd18-730d-74ba-a518-0017a79dc22e?wait=1h", "", 422, validation, "wait"},
		{"an instant to come", "GET", orders + "/01a1fd18-730d-74ba-a518-0017a79dc22e?at=2999-01-01T00:00:00Z", "", 422, validation, "at"},
		{"cancellation of no order", "POST", orders + "/01a1fd18-730d-74ba-a518-0017a79dc22e/cancellation", `{}`, 404, "not-found", ""},
		{"price in no currency", "PUT", base, `{"name":"x","price":{"amount":1,"currency":"POI"}}`, 422, validation, "price.currency"},
		{"price zero", "PUT", base, `{"name":"x","price":{"amount":0,"currency":"EUR"}}`, 422, validation, "price.amount"},
		{"restock of nothing", "POST", base + "/restocks", `{"quantity":0}`, 422, validation, "quantity"},
		{"restock of no product", "POST", "http://" + p.Services["inventory"] + "/v1/products/none/restocks", `{"quantity":1}`, 404, "not-found", ""},
		{"wrong method", "DELETE", orders, "", 405, "method-not-allowed", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, tt.url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.method != http.MethodGet {
				req.Header.Set("Content-Type", "application/json")
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			data, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			var problem struct {
				Type, Title, Detail string
				Status              int
				Errors              []struct{ Field, Code, Message string }
			}
			if err := json.Unmarshal(data, &problem); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if res.StatusCode != tt.status || problem.Status != tt.status ||
				res.Header.Get("Content-Type") != "application/problem+json" ||
				problem.Type != "urn:quadrille:problem:"+tt.problem {
				t.Errorf("%s %s: %s", res.Status, res.Header.Get("Content-Type"), data)
			}
			if tt.field != "" && (len(problem.Errors) == 0 || problem.Errors[0].Field != tt.field) {
				t.Errorf("the field %s is not named: %s", tt.field, data)
			}
			for _, leak := range []string{poison, "json:", "strconv", "unmarshal", "sql", ".go"} {
				if strings.Contains(string(data), leak) {
					t.Errorf("the answer holds %q: %s", leak, data)
				}
			}
		})
	}
}
