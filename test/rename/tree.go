package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// tree of files, relative to its root.
type tree struct {
	root             string
	files            []string
	rewritten, moved int
}

// each calls fn for every file that is there and is text, except LICENSE.
func (t *tree) each(fn func(path string, text []byte) error) error {
	for _, file := range t.files {
		path := filepath.Join(t.root, file)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() || file == "LICENSE" {
			continue // removed and not committed yet, or a link, whose target has its turn
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
			if bytes.Contains(bytes.ToLower(text), []byte(oldName)) {
				return fmt.Errorf("%s holds the name and is no text", file)
			}
			continue
		}
		if err := fn(path, text); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// checkFree refuses a name that the code uses for something else, so that no two things get one name.
func (t *tree) checkFree(name string) error {
	return t.each(func(path string, text []byte) error {
		if filepath.Ext(path) != ".go" {
			return nil
		}
		var s scanner.Scanner
		files := token.NewFileSet()
		s.Init(files.AddFile(path, -1, len(text)), text, nil, 0)
		for {
			_, tok, word := s.Scan()
			if tok == token.EOF {
				return nil
			}
			if tok == token.IDENT && strings.EqualFold(word, name) {
				return fmt.Errorf("NAME is %q, which the code uses already; take another", name)
			}
		}
	})
}

// rewrite replaces the words in every file. Go files are formatted, for the order and width of names changes.
func (t *tree) rewrite(words *strings.Replacer) error {
	return t.each(func(path string, text []byte) error {
		changed := []byte(words.Replace(string(text)))
		if bytes.Equal(changed, text) {
			return nil
		}
		if filepath.Ext(path) == ".go" {
			formatted, err := format.Source(changed)
			if err != nil {
				return err
			}
			changed = formatted
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		t.rewritten++
		return os.WriteFile(path, changed, info.Mode().Perm())
	})
}

// move gives files and folders that carry the name the new one.
func (t *tree) move(name string) error {
	for _, file := range t.files {
		from, to := filepath.Join(t.root, file), filepath.Join(t.root, strings.ReplaceAll(file, oldName, name))
		if _, err := os.Lstat(from); err != nil || from == to {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil {
			return err
		}
		t.moved++
		// A folder that is empty now goes; one that is not, with what was built in it, stays.
		for dir := filepath.Dir(from); len(dir) > len(t.root) && os.Remove(dir) == nil; dir = filepath.Dir(dir) {
			continue
		}
	}
	return nil
}
