package client

// Addresses of a running platform, each host:port, as `quadrille up --json` prints them.
type Addresses struct {
	Kafka    string `json:"kafka"`
	Registry string `json:"registry"`
	Gateway  string `json:"gateway"`
	// SMTP takes mails, Mail shows them over HTTP.
	SMTP string `json:"smtp"`
	Mail string `json:"mail"`
	// Services and Admin are by the name of the service.
	Services map[string]string `json:"services"`
	Admin    map[string]string `json:"admin"`
}
