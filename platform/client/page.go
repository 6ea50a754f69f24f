package client

import (
	"context"
	"maps"
	"net/url"
)

// most asks for pages of the greatest size.
func most() url.Values { return url.Values{"limit": {"100"}} }

// all reads every page of a list. Query must not be nil.
func all[T any](ctx context.Context, c *Client, addr, path string, query url.Values) ([]T, error) {
	type page struct {
		Items      []T    `json:"items"`
		NextCursor string `json:"next_cursor"`
	}
	query = maps.Clone(query)
	var items []T
	for {
		p, err := get[page](ctx, c, addr, path+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		items = append(items, p.Items...)
		if p.NextCursor == "" {
			return items, nil
		}
		query.Set("cursor", p.NextCursor)
	}
}
