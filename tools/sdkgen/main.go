// Command sdkgen writes the nodejs, go and python SDKs from the package schema.
//
//	go run ./sdkgen SCHEMA OUT
//
// It replaces OUT/nodejs, OUT/go and OUT/python. The same schema always gives the same bytes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sdkgen SCHEMA OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sdkgen:", err)
		os.Exit(1)
	}
}

func run(schemaPath, out string) error {
	text, err := os.ReadFile(schemaPath)
	if err != nil {
		return err
	}
	for _, language := range languages {
		files, err := generate(text, language)
		if err != nil {
			return fmt.Errorf("%s: %w", language.name, err)
		}
		if err := replaceFolder(filepath.Join(out, language.name), files); err != nil {
			return err
		}
	}
	return nil
}

// replaceFolder makes folder hold these files and nothing else, so that what is no longer generated goes away.
func replaceFolder(folder string, files map[string][]byte) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
