package httpapi

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/swaggest/swgui/v5emb"
)

const docsPath = "/docs"

// docsPolicy makes browsers enforce that the page works offline: nothing is loaded from, or sent, elsewhere. The page
// starts itself by an inline script and styles itself inline.
const docsPolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

// docsAssets are the files that the page loads.
var docsAssets = []string{
	"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js",
	"favicon-16x16.png", "favicon-32x32.png",
}

// mountDocs serves the API's page from files within the binary.
func mountDocs(mux *chi.Mux, title string) {
	page := v5emb.New(title, "/openapi.json", docsPath)
	serve := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		page.ServeHTTP(w, r)
	}
	mux.Get(docsPath, serve)
	for _, name := range docsAssets {
		mux.Get(docsPath+"/"+name, serve)
	}
}
