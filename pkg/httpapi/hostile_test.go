package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// goWords betray that an error of Go, huma or the JSON library was passed on.
var goWords = []string{
	"json:", "jsontext", "strconv", "Go struct", "unmarshal", "mail:", "parsing", "httpapi.", "expected",
}

const oneLine = `{"sku":"tea","quantity":1}`

func order(fields string) string {
	return `{"customer_id":"c1","email":"ada@example.com",` + fields + `}`
}

func lines(fields string) string {
	return order(`"lines":[{"sku":"tea","quantity":1},{` + fields + `}]`)
}

func with(field string) string { return order(field + `,"lines":[{"sku":"x","quantity":1}]`) }

func priced(amount, currency string) string {
	return with(`"price":{"amount":` + amount + `,"currency":"` + currency + `"}`)
}

func email(address string) string {
	return `{"customer_id":"c1","email":"` + address + `","lines":[{"sku":"tea","quantity":1}]}`
}

func TestRefusesHostileBodies(t *testing.T) {
	server := newShop(t, io.Discard)
	tests := map[string]struct {
		body   string
		status int
		field  string
		code   httpapi.FieldCode
	}{
		"empty list":          {order(`"lines":[]`), 422, "lines", "too_few"},
		"null list":           {order(`"lines":null`), 422, "lines", "wrong_type"},
		"null element":        {order(`"lines":[null]`), 422, "lines[0]", "wrong_type"},
		"long list":           {order(`"lines":[` + many(4, oneLine) + `]`), 422, "lines", "too_many"},
		"huge list":           {order(`"lines":[` + many(1001, `0`) + `]`), 422, "lines", "too_many"},
		"many members":        {order(`"lines":[],` + members(1001)), 422, "body", "too_many"},
		"many tokens":         {`[` + many(900, `[`+many(30, `0`)+`]`) + `]`, 422, "[624]", "too_many"},
		"no list":             {order(`"kind":"own"`), 422, "lines", "required"},
		"list is an object":   {order(`"lines":{}`), 422, "lines", "wrong_type"},
		"zero quantity":       {lines(`"sku":"x","quantity":0`), 422, "lines[1].quantity", "too_small"},
		"negative quantity":   {lines(`"sku":"x","quantity":-1`), 422, "lines[1].quantity", "too_small"},
		"fractional quantity": {lines(`"sku":"x","quantity":1.5`), 422, "lines[1].quantity", "wrong_type"},
		"whole with a point":  {lines(`"sku":"x","quantity":1.0`), 422, "lines[1].quantity", "wrong_type"},
		"whole with exponent": {lines(`"sku":"x","quantity":1e2`), 422, "lines[1].quantity", "wrong_type"},
		"huge quantity":       {lines(`"sku":"x","quantity":1001`), 422, "lines[1].quantity", "too_large"},
		"over int64":          {priced("9223372036854775808", "EUR"), 422, "price.amount", "too_large"},
		"over float64":        {lines(`"sku":"x","quantity":1e999`), 422, "lines[1].quantity", "too_large"},
		"quantity in quotes":  {lines(`"sku":"x","quantity":"` + secret + `"`), 422, "lines[1].quantity", "wrong_type"},
		"quantity is null":    {lines(`"sku":"x","quantity":null`), 422, "lines[1].quantity", "wrong_type"},
		"no quantity":         {lines(`"sku":"x"`), 422, "lines[1].quantity", "required"},
		"sku out of pattern":  {lines(`"sku":"` + secret + `!","quantity":1`), 422, "lines[1].sku", "bad_format"},
		"long sku":            {lines(`"sku":"` + many(21, "a", "") + `","quantity":1`), 422, "lines[1].sku", "too_long"},
		"empty string":        {strings.Replace(goodOrder, "c1", "", 1), 422, "customer_id", "too_short"},
		"no choice":           {with(`"kind":"` + secret + `"`), 422, "kind", "not_allowed"},
		"bad time":            {with(`"due":"` + secret + `"`), 422, "due", "bad_format"},
		"unknown currency":    {priced("1", "XXX"), 422, "price.currency", "bad_format"},
		"small currency":      {priced("1", "eur"), 422, "price.currency", "bad_format"},
		"named e-mail":        {email(secret + ` <a@b.example>`), 422, "email", "bad_format"},
		"e-mail with CR LF":   {email(`a@b.example\r\nBcc: ` + secret), 422, "email", "bad_format"},
		"e-mail without @":    {email(secret), 422, "email", "bad_format"},
		"long e-mail":         {email(many(250, "a", "") + "@b.example"), 422, "email", "too_long"},
		"unknown member":      {lines(`"sku":"x","quantity":1,"colour":"` + secret + `"`), 422, "lines[1].colour", "unknown_field"},
		"other case":          {lines(`"SKU":"x","quantity":1`), 422, "lines[1].sku", "required"},
		"strange name":        {lines(`"sku":"x","quantity":1,"` + secret + `. <b>":1`), 422, "lines[1]", "unknown_field"},
		"long name":           {lines(`"sku":"x","quantity":1,"` + many(65, "a", "") + `":1`), 422, "lines[1]", "unknown_field"},
		"member twice":        {lines(`"sku":"x","quantity":1,"quantity":2`), 400, "lines[1].quantity", "duplicate"},
		"member again":        {lines(`"sku":"x","quantity":1,"quant\u0069ty":2`), 400, "lines[1].quantity", "duplicate"},
		"NUL":                 {lines(`"sku":"` + secret + `\u0000","quantity":1`), 400, "lines[1].sku", "bad_characters"},
		"bare NUL":            {lines("\"sku\":\"\x00\",\"quantity\":1"), 400, "lines[1].sku", "bad_syntax"},
		"invalid UTF-8":       {lines("\"sku\":\"" + secret + "\xff\",\"quantity\":1"), 400, "body", "bad_characters"},
		"lone surrogate":      {lines(`"sku":"\ud800","quantity":1`), 400, "lines[1].sku", "bad_syntax"},
		"deep lists":          {many(40, "[", "") + many(40, "]", ""), 400, many(32, "[0]", ""), "too_deep"},
		"deep objects":        {many(100_000, `{"a":`, ""), 400, "", "too_deep"},
		"truncated":           {goodOrder[:40], 400, "", "bad_syntax"},
		"trailing data":       {goodOrder + `{}`, 400, "body", "bad_syntax"},
		"trailing comma":      {lines(`"sku":"x","quantity":1,`), 400, "", "bad_syntax"},
		"a comment":           {`/* ` + secret + ` */` + goodOrder, 400, "body", "bad_syntax"},
		"no JSON":             {secret, 400, "body", "bad_syntax"},
		"white space":         {"  \n", 400, "body", "bad_syntax"},
		"nothing":             {"", 400, "body", "required"},
		"a list":              {"[]", 422, "body", "wrong_type"},
		"null":                {"null", 422, "body", "wrong_type"},
		"a byte order mark":   {"\ufeff" + goodOrder, 400, "body", "bad_syntax"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := send(t, server, "POST", "/v1/orders", test.body, nil)
			kind := map[int]string{400: "malformed", 422: "validation"}[test.status]
			checkRefusal(t, got, test.status, kind)
			for _, field := range got.problem.Errors {
				if (field.Field == test.field || test.field == "") && field.Code == test.code && field.Message != "" {
					return
				}
			}
			t.Errorf("no error names %s as %s: %s", test.field, test.code, got.body)
		})
	}
}

func TestRefusesHostileParameters(t *testing.T) {
	server := newShop(t, io.Discard)
	tests := map[string]struct {
		target string
		status int
		field  string
		code   httpapi.FieldCode
	}{
		"limit zero":          {"?limit=0", 422, "limit", "too_small"},
		"limit too large":     {"?limit=101", 422, "limit", "too_large"},
		"limit no number":     {"?limit=" + secret, 422, "limit", "wrong_type"},
		"limit over int64":    {"?limit=99999999999999999999", 422, "limit", "wrong_type"},
		"limit twice":         {"?limit=1&limit=2", 400, "limit", "duplicate"},
		"cursor no base64":    {"?cursor=" + secret + "!", 422, "cursor", "invalid"},
		"cursor no JSON":      {"?cursor=czNjcjN0", 422, "cursor", "invalid"},
		"cursor of others":    {"?cursor=eyJ4IjoxfQ", 422, "cursor", "invalid"},
		"cursor with padding": {"?cursor=eyJpZCI6MX0%3D", 422, "cursor", "invalid"},
		"cursor too long":     {"?cursor=" + many(1025, "a", ""), 422, "cursor", "too_long"},
		"wait no duration":    {"?wait=" + secret, 422, "wait", "bad_format"},
		"wait without unit":   {"?wait=5", 422, "wait", "bad_format"},
		"wait negative":       {"?wait=-1s", 422, "wait", "too_small"},
		"wait too long":       {"?wait=31s", 422, "wait", "too_large"},
		"wait endless":        {"?wait=99999999h", 422, "wait", "bad_format"},
		"unknown":             {"?color=" + secret, 422, "color", "unknown_field"},
		"unknown and strange": {"?" + secret + "%3Cb%3E=1", 422, "query", "unknown_field"},
		"NUL":                 {"?customer_id=" + secret + "%00", 400, "customer_id", "bad_characters"},
		"invalid UTF-8":       {"?customer_id=%ff", 400, "customer_id", "bad_characters"},
		"broken escape":       {"?customer_id=%zz", 400, "query", "bad_syntax"},
		"NUL in the path":     {"/" + secret + "%00", 400, "path", "bad_characters"},
		"UTF-8 in the path":   {"/%ff", 400, "path", "bad_characters"},
		"long path":           {"/" + many(41, "a", ""), 422, "id", "too_long"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := send(t, server, "GET", "/v1/orders"+test.target, "", nil)
			checkRefusal(t, got, test.status, map[int]string{400: "malformed", 422: "validation"}[test.status])
			if len(got.problem.Errors) != 1 || got.problem.Errors[0].Field != test.field ||
				got.problem.Errors[0].Code != test.code {
				t.Errorf("want only %s as %s: %s", test.field, test.code, got.body)
			}
		})
	}
}

func TestRefusesHostileHeaders(t *testing.T) {
	server := newShop(t, io.Discard)
	twice := map[string]string{"Idempotency-Key+": "a", "idempotency-key+": "b"}
	tests := map[string]struct {
		header map[string]string
		status int
		kind   string
		code   httpapi.FieldCode
	}{
		"empty key":      {map[string]string{"Idempotency-Key": ""}, 422, "validation", "too_short"},
		"long key":       {map[string]string{"Idempotency-Key": many(256, "k", "")}, 422, "validation", "too_long"},
		"key with space": {map[string]string{"Idempotency-Key": secret + " x"}, 422, "validation", "bad_characters"},
		"key in UTF-8":   {map[string]string{"Idempotency-Key": secret + "é"}, 422, "validation", "bad_characters"},
		"two keys":       {twice, 422, "validation", "duplicate"},
		"form":           {map[string]string{"Content-Type": "text/" + secret}, 415, "unsupported-media-type", ""},
		"other site":     {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, "forbidden", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := send(t, server, "POST", "/v1/orders", goodOrder, test.header)
			checkRefusal(t, got, test.status, test.kind)
			if test.code == "" {
				return
			}
			if len(got.problem.Errors) != 1 || got.problem.Errors[0].Field != "Idempotency-Key" ||
				got.problem.Errors[0].Code != test.code {
				t.Errorf("want only Idempotency-Key as %s: %s", test.code, got.body)
			}
		})
	}
}

func TestBoundsTheBody(t *testing.T) {
	server := newShop(t, io.Discard)
	padded := func(size int) string { return goodOrder + strings.Repeat(" ", size-len(goodOrder)) }
	if got := send(t, server, "POST", "/v1/orders", padded(httpapi.MaxBody), nil); got.status != http.StatusAccepted {
		t.Errorf("exactly the limit: got %d %s", got.status, got.body)
	}
	checkRefusal(t, send(t, server, "POST", "/v1/orders", padded(httpapi.MaxBody+1), nil), 413, "too-large")

	// A body of unknown length is noticed only while it is read.
	chunked := io.MultiReader(strings.NewReader(padded(httpapi.MaxBody + 1)))
	request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/orders", chunked)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: got %d", response.StatusCode)
	}
}

func TestManyFaultsMakeAShortProblem(t *testing.T) {
	got := send(t, newShop(t, io.Discard), "POST", "/v1/orders", order(`"lines":[],`+members(900)), nil)
	checkRefusal(t, got, 422, "validation")
	if len(got.problem.Errors) != 20 {
		t.Errorf("%d errors", len(got.problem.Errors))
	}
}

func TestUnknownAddressesAreProblems(t *testing.T) {
	server := newShop(t, io.Discard)
	for _, target := range []string{"/", "/" + secret, "/docs/" + secret, "/v1/orders/1/" + secret, "/v1/orders/"} {
		checkRefusal(t, send(t, server, "GET", target, "", nil), 404, "not-found")
	}
}

// A body that stops arriving must not hold a handler, and the caller learns why.
func TestABodyCutShortIsRefused(t *testing.T) {
	server := newShop(t, io.Discard)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n{")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d", response.StatusCode)
	}
}

func checkRefusal(t *testing.T, got answer, status int, kind string) {
	t.Helper()
	if got.status != status || got.problem.Status != status || got.problem.Type != "urn:quadrille:problem:"+kind {
		t.Errorf("want %d %s, got %d %s", status, kind, got.status, got.body)
	}
	for _, word := range append(goWords, secret) {
		if strings.Contains(got.body, word) {
			t.Errorf("the answer repeats %q: %s", word, got.body)
		}
	}
	if len(got.body) > 4096 {
		t.Errorf("the answer has %d bytes", len(got.body))
	}
}

// many repeats element, with commas in between or what is given instead.
func many(n int, element string, separator ...string) string {
	between := ","
	if len(separator) > 0 {
		between = separator[0]
	}
	return strings.TrimSuffix(strings.Repeat(element+between, n), between)
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":0`, i)
	}
	return b.String()[1:]
}
