package registry_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/registry"
)

func Example() {
	r, err := registry.Start(registry.Config{Compatible: compatible})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	client, err := sr.NewClient(sr.URLs("http://" + r.Addr()))
	if err != nil {
		fmt.Println(err)
		return
	}

	created, err := client.CreateSchema(context.Background(), "temperatures", sr.Schema{Schema: `"long"`})
	fmt.Println(created.ID, created.Version, err)
	_, err = client.CreateSchema(context.Background(), "temperatures", sr.Schema{Schema: `"string"`})
	fmt.Println(err != nil)
	// Output:
	// 1 1 <nil>
	// true
}
