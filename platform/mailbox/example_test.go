package mailbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/mailbox"
)

func Example() {
	m, err := mailbox.Start(mailbox.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()

	err = smtp.SendMail(m.SMTPAddr(), nil, "shop@example.com", []string{"ada@example.com"},
		[]byte("Subject: Hello\r\n\r\nAda\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := http.Get("http://" + m.Addr() + "/v1/mails?to=ada@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, strings.Contains(string(body), `"subject":"Hello"`), err)
	// Output: 200 OK true <nil>
}
