package sqldb

import (
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// words are PostgreSQL's on the left, upper case and single-spaced, and SQLite's on the right.
var words = map[string]string{
	"BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY": "INTEGER PRIMARY KEY AUTOINCREMENT",
	"TIMESTAMPTZ": "TIMESTAMP",
	"BYTEA":       "BLOB",
	"JSONB":       "TEXT",
	`COLLATE "C"`: "COLLATE BINARY",
}

// tokens matches words and, to leave them alone, strings, quoted names and comments.
var tokens = regexp.MustCompile(`(?is)'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|` +
	`\bBIGINT\s+GENERATED\s+ALWAYS\s+AS\s+IDENTITY\s+PRIMARY\s+KEY\b|\bCOLLATE\s+"C"|"(?:[^"]|"")*"|` +
	`\b(?:TIMESTAMPTZ|BYTEA|JSONB)\b`)

// translate turns the text of a migration into SQLite's words.
func translate(text string) string {
	return tokens.ReplaceAllStringFunc(text, func(token string) string {
		if word, ok := words[strings.ToUpper(strings.Join(strings.Fields(token), " "))]; ok {
			return word
		}
		return token
	})
}

// translated is a file system whose .sql files are in SQLite's words.
type translated struct{ fs.FS }

// Open implements [fs.FS].
func (t translated) Open(name string) (fs.File, error) {
	file, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	into := translate(string(text))
	return &translatedFile{Reader: strings.NewReader(into), info: translatedInfo{info, int64(len(into))}}, nil
}

type translatedFile struct {
	*strings.Reader
	info translatedInfo
}

func (f *translatedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *translatedFile) Close() error               { return nil }

type translatedInfo struct {
	fs.FileInfo
	size int64
}

func (i translatedInfo) Size() int64 { return i.size }
