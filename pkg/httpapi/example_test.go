package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

type greetInput struct {
	Body struct {
		Name  string               `json:"name" minLength:"1" maxLength:"40"`
		Email httpapi.EmailAddress `json:"email"`
	}
}

type greetOutput struct {
	Body struct {
		Greeting string `json:"greeting"`
	}
}

func greet(_ context.Context, in *greetInput) (*greetOutput, error) {
	if in.Body.Name == "nobody" {
		return nil, httpapi.Invalid("name", httpapi.FieldMissing, "")
	}
	out := &greetOutput{}
	out.Body.Greeting = "Hello, " + in.Body.Name
	return out, nil
}

func Example() {
	mux, api := httpapi.New(httpapi.Config{Title: "Greetings"})
	huma.Register(api, huma.Operation{
		OperationID: "greet", Method: http.MethodPost, Path: "/v1/greetings", Summary: "Greet someone",
	}, greet)
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, body := range []string{
		`{"name": "Ada", "email": "ada@example.com"}`,
		`{"name": "nobody", "email": "ada@example.com"}`,
		`{"name": "", "email": "Ada <ada@example.com>"}`,
	} {
		answer, err := http.Post(server.URL+"/v1/greetings", "application/json", strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer answer.Body.Close()
		fmt.Println(answer.StatusCode)
		if answer.StatusCode == http.StatusOK {
			text, err := io.ReadAll(answer.Body)
			fmt.Print(string(text))
			if err != nil {
				fmt.Println(err)
			}
			continue
		}
		var problem httpapi.Problem
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(problem.Type)
		for _, field := range problem.Errors {
			fmt.Printf("%s: %s: %s\n", field.Field, field.Code, field.Message)
		}
	}
	// Output:
	// 200
	// {"greeting":"Hello, Ada"}
	// 422
	// urn:quadrille:problem:validation
	// name: not_found: does not exist
	// 422
	// urn:quadrille:problem:validation
	// name: too_short: must have a length of at least 1
	// email: bad_format: must be an e-mail address such as ada@example.com
}
