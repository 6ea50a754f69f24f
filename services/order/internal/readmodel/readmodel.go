// Package readmodel says what the read models of the order service hold: the rows, the tables, the statements that
// write them, and the functions that make rows of orders and of products. It is all that a rebuild has of the service:
// neither the outbox nor the unit of work is in its reach.
package readmodel

import "github.com/quadrille-platform/quadrille/pkg/projection"

// Orders are the orders as lists, waiters and timers see them: the fold of each order's events.
var Orders = projection.Model{Name: "orders", Tables: [2]string{"orders", "orders_2"}, Key: "order_id"}

// Catalogue is the copy of inventory's products: the newest event of each.
var Catalogue = projection.Model{Name: "catalogue", Tables: [2]string{"catalogue", "catalogue_2"}, Key: "sku"}
