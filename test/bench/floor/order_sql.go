package main

const (
	shareProjections = `SELECT model FROM projections ORDER BY model FOR SHARE`
	selectActive     = `SELECT model, active, building FROM projections`
	// foldNumber is that of the service's fold of events.
	foldNumber = 1
)

var (
	lockOrders = rows("order_id text") + `
		SELECT o.order_id FROM orders o JOIN rows ON rows.order_id = o.order_id ORDER BY o.order_id FOR UPDATE`

	selectStreams = `WITH rows AS (SELECT * FROM unnest($4::text[]) AS r("stream")), begun AS (
			SELECT rows.stream, s.version, s.state, s.happened_at
			FROM rows LEFT JOIN order_snapshots s ON s.order_id = rows.stream
				AND s.fold = $1 AND s.version <= $2 AND s.happened_at <= $3
		)
		SELECT stream, version, '' AS type, state AS data, happened_at FROM begun WHERE version IS NOT NULL
		UNION ALL
		SELECT begun.stream, e.version, e.type, e.data, e.happened_at
		FROM begun JOIN order_events e ON e.order_id = begun.stream
			AND e.version > coalesce(begun.version, 0) AND e.version <= $2 AND e.happened_at <= $3
		ORDER BY stream, version`

	selectCatalogue = rows("sku text") + `
		SELECT p.sku, p.name, p.price, p.currency, p.version, p.withdrawn
		FROM catalogue p JOIN rows ON rows.sku = p.sku`

	insertEvents = rows("stream text", "version bigint", "type text", "data text", "happened_at timestamptz",
		"event_id text", "causation_id text", "correlation_id text") + `
		INSERT INTO order_events (order_id, version, type, data, event_id, causation_id, correlation_id, happened_at)
		SELECT stream, version, type, data, event_id, causation_id, correlation_id, happened_at FROM rows
		WHERE true ORDER BY stream, version`

	insertOrders = rows("order_id text", "customer_id text", "placed_at timestamptz", "status text",
		"deadline timestamptz", "open_since timestamptz", "version bigint", "progress text", "progress_fold bigint",
		"correlation_id text", "trace text", "placed text") + `
		INSERT INTO orders (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace, placed,
			progress, progress_version, progress_fold, open_since, open_version)
		SELECT order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace, placed, progress,
			version, progress_fold, open_since, version
		FROM rows WHERE true ORDER BY order_id ON CONFLICT (order_id) DO NOTHING`

	updateOrders = rows("order_id text", "customer_id text", "placed_at timestamptz", "status text",
		"deadline timestamptz", "open_since timestamptz", "version bigint", "progress text", "progress_fold bigint") + `
		UPDATE orders SET status = rows.status, deadline = rows.deadline, version = rows.version,
			progress = rows.progress, progress_version = rows.version, progress_fold = rows.progress_fold,
			open_since = rows.open_since, open_version = rows.version
		FROM rows WHERE orders.order_id = rows.order_id AND orders.version < rows.version`
)
